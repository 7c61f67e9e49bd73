"""Who does the jobs."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Worker(models.Model):
    """A process that does jobs, as long as it says so (inference.jobs.presence). Not evidence: rows go."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, unique=True, help_text="Host and process, as on its jobs.")
    queues = models.CharField(max_length=200, blank=True, help_text="Whose wake-ups it hears.")
    device = models.CharField(max_length=40, blank=True, help_text="Known once it has loaded a network.")
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    holds = models.JSONField(
        default=list,
        db_default=models.Value([], output_field=models.JSONField()),
        help_text="The claims in its hands, as pairs of a job's id and the claim's token.",
    )
    deadline_at = models.DateTimeField(null=True, help_text="When what it holds has computed for too long.")
    lease_until = models.DateTimeField(help_text="Lost when it has not been heard of until then.")

    class Meta:
        ordering: ClassVar = ["started_at"]

    def __str__(self) -> str:
        return self.name

    @property
    def hears(self) -> list[str]:
        """The names of its queues."""
        return self.queues.split(",") if self.queues else []
