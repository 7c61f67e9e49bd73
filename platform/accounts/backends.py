"""The first question of every log-in: may this be tried now at all?"""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts import limits


class Limits(BaseBackend):
    """Stands before the backend that looks at passwords, and knows none itself."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        """Raises PermissionDenied, which ends the try, while its counters say wait."""
        if not limits.tried(request, str(credentials.get("username") or "")):
            raise PermissionDenied
