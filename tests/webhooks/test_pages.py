"""The administrators' pages, through their own doors."""

import re

import pytest
from conftest import PASSWORD, member
from receiver import verifies

from accounts.models import Role
from audit.models import Event
from webhooks import sender, services
from webhooks.models import Delivery, Endpoint

pytestmark = pytest.mark.django_db

WANTED = {
    "name": "viewer",
    "address": "https://receiver.example.org/ventra?key=abc",
    "events": ["case.signed"],
}


@pytest.fixture
def admin(administrator, client_of):
    return client_of(administrator)


def added(admin, department, **changed):
    said = WANTED | {"department": department.pk, "password": PASSWORD} | changed
    return admin.post("/webhooks/new/", said)


def test_the_secret_is_shown_once(admin, department):
    shown = added(admin, department).content.decode()
    assert re.search(r'id="secret">whsec_[A-Za-z0-9+/]{43}=<', shown)
    endpoint = Endpoint.objects.get()
    assert "whsec_" not in admin.get(f"/webhooks/{endpoint.pk}/").content.decode()
    line = Event.objects.get(verb="webhook.created")
    assert line.actor_name == "administrator"
    assert line.detail == {"detail": "viewer", "host": "receiver.example.org", "events": ["case.signed"]}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"password": "wrong"}, "not your password"),
        ({"address": "https://10.0.0.1/"}, "lies inside"),
        ({"address": "ftp://receiver.example.org/"}, "An address begins with"),
        ({"events": []}, "This field is required"),
        ({"events": ["case.sighed"]}, "Select a valid choice"),
        ({"name": ""}, "This field is required"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(admin, department, changed, reason):
    refused = added(admin, department, **changed)
    assert refused.status_code == 422
    assert reason in refused.content.decode()
    assert not Endpoint.objects.exists()


def test_a_department_has_one_webhook_of_a_name(admin, department):
    added(admin, department)
    assert "has a webhook of this name" in added(admin, department).content.decode()


def test_a_webhook_is_made_for_a_department_one_administers(admin, other_department):
    assert added(admin, other_department).status_code == 422
    assert not Endpoint.objects.exists()


def doors(endpoint: Endpoint, delivery: Delivery) -> list[tuple[str, str]]:
    here = f"/webhooks/{endpoint.pk}/"
    return [
        ("get", here), ("get", f"{here}change/"), ("post", f"{here}change/"), ("get", f"{here}rotate/"),
        ("post", f"{here}rotate/"), ("post", f"{here}disable/"), ("post", f"{here}enable/"),
        ("post", f"{here}test/"), ("post", f"/webhooks/messages/{delivery.pk}/send-again/"),
    ]  # fmt: skip


def test_readers_managers_and_auditors_come_through_no_door(
    add_webhook, happen, alice, manager, auditor, client_of
):
    endpoint, _ = add_webhook()
    happen()
    for user in (alice, manager, auditor):
        client = client_of(user)
        for method, address in [
            *doors(endpoint, Delivery.objects.get()),
            ("get", "/webhooks/"),
            ("get", "/webhooks/new/"),
        ]:
            assert getattr(client, method)(address).status_code == 403, address
        assert "Webhooks" not in client.get("/account/tokens/").content.decode()


def test_another_departments_administrator_finds_nothing(add_webhook, happen, other_department, client_of):
    endpoint, _ = add_webhook()
    happen()
    stranger = client_of(member("stranger", other_department, Role.ADMINISTRATOR))
    for method, address in doors(endpoint, Delivery.objects.get()):
        assert getattr(stranger, method)(address).status_code == 404, address
    assert "viewer" not in stranger.get("/webhooks/").content.decode()
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None


def test_a_test_is_sent_and_seen(admin, add_webhook, receiver):
    endpoint, secret = add_webhook(events=["case.signed"])
    assert admin.post(f"/webhooks/{endpoint.pk}/test/").status_code == 302
    sender.deliver()
    [message] = receiver.messages
    assert message.payload["type"] == "test"
    assert message.payload["data"] == {}
    assert verifies(message, secret)
    page = admin.get(f"/webhooks/{endpoint.pk}/").content.decode()
    assert "Delivered" in page
    assert "204" in page


def test_a_failure_is_told_in_words_and_sent_again_with_the_same_id(admin, add_webhook, happen, receiver):
    endpoint, _ = add_webhook()
    receiver.answers = [302, 200]
    happen()
    sender.deliver()
    assert "redirect, which is never followed" in admin.get(f"/webhooks/{endpoint.pk}/").content.decode()
    admin.post(f"/webhooks/messages/{Delivery.objects.get().pk}/send-again/")
    sender.deliver()
    first, second = receiver.messages
    assert first.id == second.id
    assert Delivery.objects.get().state == "delivered"
    assert Event.objects.get(verb="webhook.sent_again").detail["event"] == first.id


def test_disabling_holds_messages_back_until_it_is_enabled(admin, add_webhook, happen, receiver):
    endpoint, _ = add_webhook()
    happen()
    admin.post(f"/webhooks/{endpoint.pk}/disable/")
    admin.post(f"/webhooks/{endpoint.pk}/disable/")
    happen()
    sender.deliver()
    assert receiver.messages == []
    refused = admin.post(f"/webhooks/{endpoint.pk}/test/", follow=True)
    assert "enable it first" in refused.content.decode()
    admin.post(f"/webhooks/{endpoint.pk}/enable/")
    sender.deliver()
    assert len(receiver.messages) == 1
    verbs = Event.objects.filter(verb__startswith="webhook.").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["webhook.created", "webhook.disabled", "webhook.enabled"]


def test_a_new_secret_needs_the_password(admin, add_webhook):
    endpoint, secret = add_webhook()
    refused = admin.post(f"/webhooks/{endpoint.pk}/rotate/", {"password": "wrong"})
    assert refused.status_code == 422
    shown = admin.post(f"/webhooks/{endpoint.pk}/rotate/", {"password": PASSWORD}).content.decode()
    assert "whsec_" in shown
    assert secret not in shown
    assert "signs as well until" in shown


def test_a_change_of_address_needs_the_password_and_holds_for_what_waits(
    admin, add_webhook, happen, receiver
):
    endpoint, _ = add_webhook(address="http://127.0.0.1:1/")
    happen()
    said = {"name": "other", "address": f"http://127.0.0.1:{receiver.port}/", "events": ["case.signed"]}
    page = f"/webhooks/{endpoint.pk}/change/"
    assert admin.post(page, said | {"password": "wrong"}).status_code == 422
    assert admin.post(page, said | {"password": PASSWORD}).status_code == 302
    sender.deliver()
    assert len(receiver.messages) == 1
    assert Event.objects.get(verb="webhook.changed").detail["detail"] == "other"


def test_an_unknown_act_is_not_there(admin, add_webhook):
    endpoint, _ = add_webhook()
    assert admin.post(f"/webhooks/{endpoint.pk}/explode/").status_code == 404


def test_a_service_refuses_whoever_does_not_administer(add_webhook, alice):
    endpoint, _ = add_webhook()
    for act in (services.disable, services.enable, services.rotate, services.send_test):
        with pytest.raises(services.PermissionDenied):
            act(endpoint, by=alice)
