"""Users, departments, and the role a user has in a department."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models


class Department(models.Model):
    """The part of a hospital whose staff share their cases."""

    name = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(unique=True)
    is_demo = models.BooleanField(default=False, help_text="Holds synthetic cases only.")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person, or a service account through which a program submits scans.

    A service account has no password: it comes in by API token only, and may neither
    review nor sign.
    """

    is_service = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=64, default="UTC", help_text="IANA name, e.g. Europe/Paris.")

    @property
    def full_name(self) -> str:
        """The name to show: the full name, or the user name where none was given."""
        return self.get_full_name() or self.username


class Role(models.TextChoices):
    """What a member does in a department. accounts.roles says what each may do."""

    READER = "reader", "Reader"
    SENIOR_READER = "senior_reader", "Senior reader"
    MODEL_MANAGER = "model_manager", "Model manager"
    AUDITOR = "auditor", "Auditor"
    ADMINISTRATOR = "administrator", "Administrator"


class Membership(models.Model):
    """One user, one department, one role; a user may hold several."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "department", "role"], name="one_membership_per_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} in {self.department}"
