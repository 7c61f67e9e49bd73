"""Filters of the worklist that somebody wants again."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models


class SavedView(models.Model):
    """A name for a choice of filters; everybody has their own. query: as in the worklist's address."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=300)

    class Meta:
        ordering = ("name",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_saved_view_per_name"),
        ]

    def __str__(self) -> str:
        return self.name
