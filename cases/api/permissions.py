"""Who may change the record at all; which cases is decided by visible_to and the services."""

from django.utils.translation import gettext_lazy
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import roles


class ReadersWrite(BasePermission):
    """Everybody may ask, and visible_to decides what is answered; only readers may write."""

    message = gettext_lazy("Only a reader may change the record.")

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002
        """True for a safe method, and for a reader of any department."""
        return request.method in SAFE_METHODS or roles.holds(request.user, roles.WRITE_CASES)
