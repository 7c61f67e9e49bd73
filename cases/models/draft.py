"""What somebody has typed and not yet filed."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from cases.models.case import Case


class Draft(models.Model):
    """The words of one form of one case as its author types them: the author's alone, and part of no record.

    It is overwritten, forgotten when the form is filed or the case signed, and in no audit line, signature or
    report.
    """

    class Form(models.TextChoices):
        READ = "read"
        ADDENDUM = "addendum"

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="+")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    form = models.CharField(max_length=8, choices=Form)
    words = models.JSONField(default=dict)
    kept_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "author", "form"], name="one_draft_of_a_form"),
        ]

    def __str__(self) -> str:
        return f"{self.form} {self.case}"
