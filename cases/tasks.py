"""The thin Celery door to what is advised."""

from celery import shared_task

from cases import advising


@shared_task(name="cases.advise")
def advise() -> None:
    """Give the advice that is due."""
    advising.catch_up()
