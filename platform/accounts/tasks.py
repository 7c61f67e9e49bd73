"""The thin Celery door to what is forgotten in time."""

from celery import shared_task
from django.db.models.functions import Now

from accounts import limits
from accounts.models import OneTimeLink


@shared_task(name="accounts.tidy")
def tidy() -> None:
    """Old tries, and links that have run out."""
    limits.tidy()
    OneTimeLink.objects.filter(expires_at__lt=Now()).delete()
