"""The thin Celery door to what is advised."""

from celery import shared_task

from cases.advice import service as advice_service


@shared_task(name="cases.advise")
def advise() -> None:
    """Give the advice that is due."""
    advice_service.catch_up()
