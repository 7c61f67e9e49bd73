"""The thin Celery door."""

from celery import shared_task

from webhooks import sender


@shared_task(name="webhooks.deliver")
def deliver() -> None:
    """Send what is due."""
    sender.deliver()
