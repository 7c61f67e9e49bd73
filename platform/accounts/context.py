"""What every page's frame needs to know about the user."""

from django.http import HttpRequest

from accounts import roles as role_table
from accounts.models import Role


def roles(request: HttpRequest) -> dict[str, bool]:
    """may_*: which doors the navigation shows."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    held = {Role(role) for role in user.memberships.values_list("role", flat=True)}
    return {
        "may_read_cases": bool(held & role_table.READ_CASES),
        "may_write_cases": bool(held & role_table.WRITE_CASES),
        "may_see_models": bool(held & role_table.SEE_MODELS),
        "may_see_queue": bool(held & role_table.SEE_QUEUE),
        "may_read_audit": bool(held & role_table.READ_AUDIT),
        "may_manage_webhooks": bool(held & role_table.MANAGE_WEBHOOKS),
    }
