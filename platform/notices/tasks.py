"""The thin Celery door to tidying."""

from celery import shared_task

from notices import telling


@shared_task(name="notices.tidy")
def tidy() -> None:
    """Forget what was read long ago."""
    telling.tidy()
