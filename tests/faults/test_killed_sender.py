"""kill -9 of the sender while a receiver is answering: the message comes again, with the same id."""

import secrets

import pytest
from django.conf import settings as django_settings
from django.db.models.functions import Now
from patience import until
from receiver import receiving, verifies

from launcher import services as programs
from launcher.processes import Process
from webhooks import services
from webhooks.models import Delivery
from webhooks.outbox import announce

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def environment(environment, settings) -> dict[str, str]:
    """The sender derives the same secrets, and may call this machine."""
    settings.SECRET_KEY = secrets.token_urlsafe(64)
    allowed = {"WEBHOOK_ALLOW_HTTP": "1", "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1/32"}
    return environment | allowed | {"SECRET_KEY": django_settings.SECRET_KEY}


def test_a_message_whose_sender_is_killed_between_sending_and_noting_it_is_sent_again(
    maintenance, environment, tmp_path, administrator, department
):
    def sender(name: str) -> Process:
        log = tmp_path / f"{name}.log"
        return Process(programs.sender(environment, log, queue=environment["WEBHOOK_QUEUE"]))

    with receiving() as receiver:
        _, secret = services.create(
            by=administrator,
            department=department,
            name="viewer",
            address=f"http://127.0.0.1:{receiver.port}/",
            events=["case.signed"],
        )
        with maintenance():
            first = sender("first")
            receiver.answers = [lambda _: first.kill(), 204]
            announce("case.signed", department=department, case="1")
            until(lambda: len(receiver.messages) == 1)
            first.kill()
            killed = Delivery.objects.get()
            assert (killed.state, killed.attempts) == ("waiting", 1)
            Delivery.objects.update(lease_until=Now())  # a minute later
            with sender("second"):
                until(lambda: Delivery.objects.get().state == "delivered")

    again, once_more = receiver.messages
    assert again.id == once_more.id == str(killed.event_id)
    assert verifies(once_more, secret)
    assert Delivery.objects.get().attempts == 2
