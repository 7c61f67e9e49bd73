"""Who may see the models."""

from django.utils.translation import gettext_lazy
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import roles


class MaySeeModels(BasePermission):
    """Readers, model managers and auditors of any department."""

    message = gettext_lazy("Your role does not see the models.")

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002
        """Asked once for each request; no version belongs to a department."""
        return roles.holds(request.user, roles.SEE_MODELS)
