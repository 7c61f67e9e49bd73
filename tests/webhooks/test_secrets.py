"""Secrets: derived, shown once, replaced without losing a message."""

import pytest
from django.db import connection
from receiver import verifies

from webhooks import sender, services
from webhooks.models import Delivery, Secret

pytestmark = pytest.mark.django_db


def test_the_database_holds_no_secret(add_webhook):
    _, secret = add_webhook()
    assert secret.startswith("whsec_")
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(s)::text FROM webhooks_secret s")
        stored = " ".join(row[0] for row in cursor.fetchall())
        cursor.execute("SELECT row_to_json(e)::text FROM audit_event e")
        stored += " ".join(row[0] for row in cursor.fetchall())
    assert secret.removeprefix("whsec_") not in stored


def test_two_webhooks_have_two_secrets(add_webhook):
    assert add_webhook("one")[1] != add_webhook("two")[1]


def test_both_secrets_sign_while_they_overlap_and_the_former_no_longer_afterwards(
    add_webhook, happen, receiver, administrator
):
    endpoint, former = add_webhook()
    present = services.rotate(endpoint, by=administrator)
    happen()
    sender.deliver()
    assert verifies(receiver.messages[0], former)
    assert verifies(receiver.messages[0], present)
    Secret.objects.exclude(until=None).update(until="2020-01-01T00:00Z")
    happen()
    sender.deliver()
    assert not verifies(receiver.messages[1], former)
    assert verifies(receiver.messages[1], present)


def test_rotating_twice_ends_the_first_secret_at_once(add_webhook, happen, receiver, administrator):
    endpoint, leaked = add_webhook()
    services.rotate(endpoint, by=administrator)
    services.rotate(endpoint, by=administrator)
    happen()
    sender.deliver()
    assert not verifies(receiver.messages[0], leaked)
    assert len(receiver.messages[0].headers["webhook-signature"].split()) == 2


def test_a_new_secret_key_keeps_the_secrets_as_long_as_the_former_key_is_known(
    add_webhook, happen, receiver, settings
):
    _, secret = add_webhook()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "k" * 64, [settings.SECRET_KEY]
    happen()
    sender.deliver()
    assert verifies(receiver.messages[0], secret)


def test_without_the_former_key_nothing_is_sent_and_the_page_says_why(
    add_webhook, happen, receiver, settings, administrator, client_of
):
    endpoint, _ = add_webhook()
    settings.SECRET_KEY = "k" * 64
    happen()
    sender.deliver()
    assert receiver.messages == []
    assert Delivery.objects.get().last_problem == "secret_lost"
    page = client_of(administrator).get(f"/webhooks/{endpoint.pk}/").content.decode()
    assert "make a new one" in page
