"""The thin Celery doors."""

from celery import shared_task

from webhooks import outbox, sender


@shared_task(name="webhooks.deliver")
def deliver() -> None:
    """Send what is due."""
    sender.deliver()


@shared_task(name="webhooks.sweep")
def sweep() -> None:
    """Ring for what waits."""
    outbox.sweep()


@shared_task(name="webhooks.tidy")
def tidy() -> None:
    """Forget what was over long ago."""
    sender.tidy()
