"""A person's own account."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.gate import PersonRequest, people_only


@require_safe
@people_only
def overview(request: PersonRequest) -> HttpResponse:
    """Which roles do I hold, and where?"""
    memberships = request.user.memberships.select_related("department")
    context = {"memberships": memberships.order_by("department__name", "role")}
    return render(request, "account/overview.html", context)
