"""Files on their way into a case: a session, its parts; and the files that a scan was made of."""

import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse

from accounts.models import User
from audit.models import AppendOnly
from blobs.models import Blob
from cases.models.case import Case, Scan
from inference.models import Image


class UploadSessionQuerySet(models.QuerySet["UploadSession"]):
    """A session is read by whoever may read its case."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """The sessions of visible cases."""
        return self.filter(case__in=Case.objects.visible_to(user))


class UploadSession(models.Model):
    """Files that one person adds to a case together: they are looked at before any becomes a scan.

    outcome: one object for each group of files that was committed or refused, by `cases.uploads.committing`.
    Nothing rests on a session: it is forgotten some time after it was last touched.
    """

    class State(models.TextChoices):
        OPEN = "open", "open"
        COMMITTED = "committed", "committed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="uploads")
    modality = models.CharField(max_length=12, choices=Image.Modality)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    opened_at = models.DateTimeField(db_default=Now(), editable=False)
    touched_at = models.DateTimeField(db_default=Now(), editable=False)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    outcome = models.JSONField(default=list)

    objects = UploadSessionQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["touched_at"], name="upload_touched")]

    def __str__(self) -> str:
        return f"Upload {self.pk}"

    def get_absolute_url(self) -> str:
        """The page that shows what the files will become."""
        return reverse("cases:understood", args=[self.pk])


class UploadedPart(models.Model):
    """One file of a session, or a ZIP file, whose members are parts of their own.

    name: as the sender calls it, with its folders; never a path here. The bytes lie in WORK_ROOT until the
    session is committed; those of a ZIP file are not kept beside its members'.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session = models.ForeignKey(UploadSession, on_delete=models.CASCADE, related_name="parts")
    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=400, blank=True)
    size = models.BigIntegerField()
    is_archive = models.BooleanField(default=False)
    inside = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="members")
    added_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("added_at", "name")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "sha256", "name"], name="one_part_per_file"),
        ]

    def __str__(self) -> str:
        return self.name


class ScanFile(AppendOnly):
    """One of the files that a scan was made of, where it is more than one; place counts slices from 0."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scan = models.ForeignKey(Scan, on_delete=models.PROTECT, related_name="files")
    place = models.PositiveIntegerField()
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=400, blank=True)

    class Meta:
        ordering = ("place",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scan", "place"], name="one_file_per_slice"),
        ]

    def __str__(self) -> str:
        return f"File {self.place} of {self.scan}"
