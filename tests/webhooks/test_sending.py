"""Messages on their way: signed, retried, given up; and what a receiver can and cannot do to us."""

import time
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from receiver import Receiver, verifies

from audit.models import Event
from notices.models import Notice
from webhooks import sender, services
from webhooks.models import Delivery, Endpoint
from webhooks.outbox import announce

pytestmark = pytest.mark.django_db


def only() -> Delivery:
    return Delivery.objects.get()


def waits(delivery: Delivery) -> float:
    return (delivery.not_before - timezone.now()).total_seconds()


def test_an_event_arrives_once_with_a_signature_that_verifies(add_webhook, happen, receiver):
    _, secret = add_webhook()
    happen()
    sender.deliver()
    sender.deliver()
    [message] = receiver.messages
    assert message.path == "/ventra?room=2"
    assert verifies(message, secret)
    assert abs(int(message.headers["webhook-timestamp"]) - time.time()) < 60
    assert message.id == message.payload["id"] == str(only().event_id)
    assert message.headers["content-type"] == "application/json"
    assert message.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert only().state == "delivered"
    assert only().last_status == 204


def test_a_changed_body_time_or_id_does_not_verify(add_webhook, happen, receiver):
    _, secret = add_webhook()
    happen()
    sender.deliver()
    [message] = receiver.messages
    for name, value in {"webhook-id": "another", "webhook-timestamp": "1"}.items():
        changed = type(message)(message.path, message.headers | {name: value}, message.body)
        assert not verifies(changed, secret)
    assert not verifies(type(message)(message.path, message.headers, message.body + b" "), secret)
    assert not verifies(message, "whsec_" + "A" * 43 + "=")


def test_what_is_rolled_back_is_never_sent(add_webhook, department, receiver):
    add_webhook()

    class Broken(Exception): ...

    def break_off() -> None:
        announce("case.signed", department=department, case="1")
        raise Broken

    with pytest.raises(Broken), transaction.atomic():
        break_off()
    sender.deliver()
    assert receiver.messages == []
    assert not Delivery.objects.exists()


def test_a_message_that_was_not_taken_is_sent_again_later_with_the_same_id(
    add_webhook, happen, receiver, time_passes
):
    _, secret = add_webhook()
    receiver.answers = [500, 503, 200]
    happen()
    for attempt, wait in enumerate((10, 40), start=1):
        sender.deliver()
        delivery = only()
        assert (delivery.state, delivery.attempts, delivery.last_problem) == ("waiting", attempt, "status")
        assert 0.8 * wait - 2 < waits(delivery) < 1.2 * wait
        sender.deliver()
        assert len(receiver.messages) == attempt, "not before its time"
        time_passes()
    sender.deliver()
    assert only().state == "delivered"
    assert len({message.id for message in receiver.messages}) == 1
    assert all(verifies(message, secret) for message in receiver.messages)
    assert Endpoint.objects.get().failures == 0


def test_a_receiver_that_never_answers_is_a_timeout(add_webhook, happen, receiver, settings):
    settings.WEBHOOK_TIMEOUT_SECONDS = 0.2
    add_webhook()
    receiver.answers = [lambda handler: handler.rfile.read(1)]
    happen()
    sender.deliver()
    assert (only().state, only().last_problem) == ("waiting", "timeout")


def test_a_receiver_that_answers_a_letter_at_a_time_is_a_timeout(add_webhook, happen, receiver, settings):
    settings.WEBHOOK_TIMEOUT_SECONDS = 0.2
    add_webhook()
    done = []

    def drip(handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not done:
            handler.wfile.write(b"a")
            time.sleep(0.05)

    receiver.answers = [drip]
    happen()
    started = time.monotonic()
    sender.deliver()
    done.append(True)
    assert only().last_problem == "timeout"
    assert time.monotonic() - started < 5


def test_an_endless_answer_is_not_read(add_webhook, happen, receiver):
    add_webhook()
    written = []

    def pour(handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                written.append(handler.wfile.write(b"x" * 65536))
        except OSError:
            return

    receiver.answers = [pour]
    happen()
    sender.deliver()
    assert only().state == "delivered"
    assert sum(written) < 64 * 1024 * 1024


def test_a_redirect_is_refused(add_webhook, happen, receiver: Receiver):
    add_webhook()

    def elsewhere(handler) -> None:
        handler.send_response(302)
        handler.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
        handler.end_headers()

    receiver.answers = [elsewhere, 200]
    happen()
    sender.deliver()
    assert [message.path for message in receiver.messages] == ["/ventra?room=2"]
    assert (only().state, only().last_status, only().last_problem) == ("waiting", 302, "redirect")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "bad_answer"),
        (b"", "unreachable"),
        (b"HTTP/1.1 200\r\n" + b"A: b\r\n" * 200 + b"\r\n", "bad_answer"),
    ],
)
def test_what_is_no_answer_is_a_failure(add_webhook, happen, receiver, said, problem):
    add_webhook()

    def say(handler) -> None:
        handler.wfile.write(said)
        handler.close_connection = True

    receiver.answers = [say]
    happen()
    sender.deliver()
    assert only().last_problem == problem


def test_a_receiver_that_is_not_there_costs_one_attempt_and_not_one_for_each_message(
    add_webhook, happen, receiver
):
    add_webhook(address="http://127.0.0.1:1/nobody")
    add_webhook(name="another")
    for _ in range(3):
        happen()
    sender.deliver()
    nobody = Delivery.objects.filter(endpoint__name="viewer")
    assert sorted(nobody.values_list("attempts", flat=True)) == [0, 0, 1]
    assert nobody.get(attempts=1).last_problem == "unreachable"
    assert len(receiver.messages) == 3, "the other one is not held up"


def test_after_ten_attempts_a_message_is_given_up(add_webhook, happen, receiver, time_passes):
    add_webhook()
    receiver.answers = [500]
    happen()
    for _ in range(12):
        sender.deliver()
        time_passes()
    assert (only().state, only().attempts) == ("given_up", 10)
    assert len(receiver.messages) == 10


def test_after_twenty_failures_in_a_row_it_is_disabled_and_administrators_are_told(
    add_webhook, happen, receiver, time_passes, administrator, alice
):
    endpoint, _ = add_webhook()
    receiver.answers = [500]
    for _ in range(3):
        happen()
    for _ in range(25):
        sender.deliver()
        time_passes()
    endpoint.refresh_from_db()
    assert endpoint.disabled_at
    assert (endpoint.failures, endpoint.disabled_why) == (20, "failures")
    assert len(receiver.messages) == 20
    line = Event.objects.get(verb="webhook.disabled")
    assert (line.actor_name, line.door, line.detail["failures"]) == ("Ventra", "worker", 20)
    notice = Notice.objects.get()
    assert notice.user == administrator
    assert notice.sentence == "The webhook viewer was disabled: 20 attempts in a row have failed."
    happen()
    assert Delivery.objects.count() == 3, "what happens meanwhile is not told"

    receiver.answers = [200]
    services.enable(endpoint, by=administrator)
    sender.deliver()
    left = Delivery.objects.filter(state="waiting")
    assert not left.exists(), "what waited was sent"
    assert not Notice.objects.exists(), "the notice no longer holds"


def test_a_failure_between_successes_does_not_count_up(add_webhook, happen, receiver, time_passes):
    endpoint, _ = add_webhook()
    receiver.answers = [500, 200] * 25
    for _ in range(22):
        happen()
        sender.deliver()
        time_passes()
        sender.deliver()
        time_passes()
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None


def test_the_waits_grow_fourfold_to_six_hours_and_are_not_all_the_same():
    for failures, seconds in enumerate((10, 40, 160, 640, 2560, 10240, 21600, 21600), start=1):
        for _ in range(20):
            assert 0.8 * seconds <= sender.wait_after(failures).total_seconds() <= 1.2 * seconds
    assert len({sender.wait_after(1) for _ in range(20)}) > 1
    assert sender.wait_after(10_000) < timedelta(hours=8)


def test_a_sender_that_lost_its_lease_marks_nothing(add_webhook, happen, receiver, time_passes):
    add_webhook()
    happen()
    slow = sender.claim()
    assert sender.claim() is None, "in other hands"
    time_passes()
    quick = sender.claim()
    sender.settle(slow, sender.Outcome(500, "status"))
    assert (only().last_problem, only().lease_until is None) == ("", False), "it is in other hands"
    sender.settle(quick, sender.send(quick))
    sender.settle(slow, sender.Outcome(500, "status"))
    assert (only().state, only().last_status) == ("delivered", 204)


def test_a_message_that_kills_its_senders_is_given_up_too(add_webhook, happen, receiver, time_passes):
    add_webhook()
    happen()
    for _ in range(10):
        assert sender.claim()
        time_passes()
    sender.deliver()
    assert (only().state, only().last_problem) == ("given_up", "sender_lost")
    assert receiver.messages == []


def test_old_messages_that_are_over_are_forgotten(add_webhook, happen, receiver):
    add_webhook()
    happen()
    sender.deliver()
    happen()
    assert sender.tidy() == 0
    Delivery.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert sender.tidy() == 1
    assert only().state == "waiting"
