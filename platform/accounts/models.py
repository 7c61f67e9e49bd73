"""Users, departments, and the role a user has in a department."""

from typing import ClassVar
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext, gettext_lazy


def languages() -> list[tuple[str, str]]:
    """Those that Ventra speaks; a function, so that another one needs no migration."""
    return [(code, str(name)) for code, name in settings.LANGUAGES]


def check_time_zone(name: str) -> None:
    """Raises ValidationError for what is no IANA name."""
    if name not in available_timezones():
        raise ValidationError(gettext("There is no time zone of this name. Write one as Europe/Paris."))


class Department(models.Model):
    """The part of a hospital whose staff share their cases."""

    name = models.CharField(gettext_lazy("name"), max_length=120, unique=True)
    slug = models.SlugField(gettext_lazy("slug"), unique=True)
    is_demo = models.BooleanField(
        gettext_lazy("for demonstration"),
        default=False,
        help_text=gettext_lazy("Holds synthetic cases only."),
    )

    class Meta:
        ordering = ("name",)
        verbose_name = gettext_lazy("department")
        verbose_name_plural = gettext_lazy("departments")

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person, or a service account through which a program submits scans.

    A service account has no password: it comes in by API token only, and may neither
    review nor sign.
    """

    is_service = models.BooleanField(gettext_lazy("service account"), default=False)
    time_zone = models.CharField(
        gettext_lazy("time zone"),
        max_length=64,
        default="UTC",
        validators=[check_time_zone],
        help_text=gettext_lazy("IANA name, e.g. Europe/Paris."),
    )
    language = models.CharField(
        gettext_lazy("language"),
        max_length=12,
        blank=True,
        choices=languages,
        help_text=gettext_lazy("Empty: as the browser asks."),
    )

    @property
    def full_name(self) -> str:
        """The name to show: the full name, or the user name where none was given."""
        return self.get_full_name() or self.username


class Role(models.TextChoices):
    """What a member does in a department. accounts.roles says what each may do."""

    READER = "reader", gettext_lazy("Reader")
    SENIOR_READER = "senior_reader", gettext_lazy("Senior reader")
    MODEL_MANAGER = "model_manager", gettext_lazy("Model manager")
    AUDITOR = "auditor", gettext_lazy("Auditor")
    ADMINISTRATOR = "administrator", gettext_lazy("Administrator")


class Membership(models.Model):
    """One user, one department, one role; a user may hold several."""

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="memberships", verbose_name=gettext_lazy("user")
    )
    department = models.ForeignKey(
        Department,
        on_delete=models.CASCADE,
        related_name="memberships",
        verbose_name=gettext_lazy("department"),
    )
    role = models.CharField(gettext_lazy("role"), max_length=20, choices=Role)

    class Meta:
        verbose_name = gettext_lazy("membership")
        verbose_name_plural = gettext_lazy("memberships")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "department", "role"], name="one_membership_per_role"),
        ]

    def __str__(self) -> str:
        words = gettext("{user}: {role} in {department}")
        return words.format(user=self.user, role=self.get_role_display(), department=self.department)


class OneTimeLink(models.Model):
    """A way to choose one's own password once: `accounts.invitations` makes, checks and spends it.

    digest: SHA-256 of the secret in the link, which itself is kept nowhere. browser: the same of what the
    browser holds that has opened it, "" until then. One link a person.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="one_time_link")
    digest = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    browser = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"one-time link of {self.user}"


class Installation(models.Model):
    """The one row that says what this installation is: `accounts.installation` decides and reads it."""

    only = models.BooleanField(primary_key=True, default=True)
    is_demo = models.BooleanField()
    decided_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(only=True), name="one_installation"),
        ]

    def __str__(self) -> str:
        return "the demo" if self.is_demo else "one of somebody's own"


class Attempts(models.Model):
    """Tries of passwords in one counter of `accounts.limits`. key: its digest; free_at: of the next try."""

    key = models.CharField(max_length=64, primary_key=True)
    tries = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_default=Now())
    free_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "attempts"

    def __str__(self) -> str:
        return f"{self.tries} tries"


class TokenScope(models.Model):
    """What an API token is for, in its owner's words, and whether it may do no more than read."""

    token = models.OneToOneField(
        "knox.AuthToken", primary_key=True, on_delete=models.CASCADE, related_name="scope"
    )
    name = models.CharField(max_length=80, blank=True)
    reads_only = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class TokenUse(models.Model):
    """When an API token last came in, to the minute; knox does not say."""

    token = models.OneToOneField(
        "knox.AuthToken", primary_key=True, on_delete=models.CASCADE, related_name="use"
    )
    last_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"last used {self.last_at}"
