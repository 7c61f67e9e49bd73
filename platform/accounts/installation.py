"""What this installation is: the demo, whose password everybody may read, or one of somebody's own.

It is decided once and kept in the database, so that no later start plants the demo where people work.
"""

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext, gettext_lazy

from accounts.models import Department, Installation, User

PUBLISHED_PASSWORD = "ventra demo only"  # noqa: S105  # printed to whoever starts the demo


class PublishedPassword:
    """Django's password validator: what is printed for everybody is nobody's password."""

    def validate(self, password: str, user: User | None = None) -> None:  # noqa: ARG002
        """Raises ValidationError."""
        if password.strip().lower() == PUBLISHED_PASSWORD:
            raise ValidationError(gettext("This is the demo's password, which is published."), "published")

    def get_help_text(self) -> str:
        """For the form."""
        return str(gettext_lazy("Your password cannot be the demo's."))


def is_demo() -> bool | None:
    """As it was decided; None before that."""
    return Installation.objects.values_list("is_demo", flat=True).first()


def may_be_demo() -> bool:
    """What was decided; before that, whether it is empty or holds nothing but an earlier version's demo."""
    decided = is_demo()
    if decided is not None:
        return decided
    if Department.objects.exists():
        return not Department.objects.filter(is_demo=False).exists()
    return not User.objects.exists()


@transaction.atomic
def decide(*, own: bool) -> bool:
    """Whether this is the demo, from now on. own: it is not, and what was the demo is so no longer."""
    Installation.objects.get_or_create(only=True, defaults={"is_demo": not own and may_be_demo()})
    row = Installation.objects.select_for_update().get()
    if own and row.is_demo:
        row.is_demo = False
        row.save()
    return row.is_demo


def with_published_password() -> list[User]:
    """Everybody who could be logged in as by whoever has read what the demo prints."""
    usable = User.objects.filter(is_service=False).exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    return [user for user in usable if user.check_password(PUBLISHED_PASSWORD)]


def administrators() -> list[User]:
    """Those who can log in and manage accounts."""
    found = User.objects.filter(is_active=True, is_superuser=True, is_service=False).order_by("pk")
    return [user for user in found if user.has_usable_password()]
