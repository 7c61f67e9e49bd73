"""Rows that never change."""

from typing import Any, NoReturn

from django.db import models


class Immutable(models.Model):
    """A row that never changes once written; a database trigger says so too."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; an update raises TypeError."""
        if not self._state.adding:
            raise TypeError(f"A {type(self).__name__} never changes: a new run is a new row.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002
        """Always raises TypeError."""
        raise TypeError(f"A {type(self).__name__} is never deleted.")
