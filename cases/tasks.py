"""The thin Celery door to what is advised, and to what is forgotten in time."""

from celery import shared_task

from cases.advice import service as advice_service
from cases.uploads import service as uploads


@shared_task(name="cases.advise")
def advise() -> None:
    """Give the advice that is due."""
    advice_service.catch_up()


@shared_task(name="cases.tidy_uploads")
def tidy_uploads() -> None:
    """Forget uploads that nobody finished."""
    uploads.tidy()
