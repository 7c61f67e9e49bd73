"""Who has a case open just now."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from cases.models.case import Case


class Presence(models.Model):
    """That a person's browser shows the case, as long as it says so. Not evidence: rows go."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "user"], name="one_presence_of_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.case}"
