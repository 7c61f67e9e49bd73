"""The thin Celery door to the sealer."""

from celery import shared_task

from audit import seals


@shared_task(name="audit.seal")
def seal() -> None:
    """Link what has been written since the last time."""
    seals.seal()
    seals.seal(chain=seals.ROWS)
