"""Which bytes we hold."""

from django.db import models
from django.db.models.functions import Now


class Blob(models.Model):
    """A run of bytes, named by its own SHA-256; never changed, shared by all who have the same."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    size = models.BigIntegerField()
    stored_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"{self.sha256[:12]} ({self.size} bytes)"
