"""Coming in, and a person's own account."""

from allauth.account import views
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from accounts import devices, limits
from accounts.decorators import PersonRequest, people_only
from accounts.models import User
from accounts.reauthentication import too_many


@sensitive_post_parameters("password")
def login(request: HttpRequest) -> HttpResponseBase:
    """allauth's page; 429 to whoever must wait, and whoever comes in is known in this browser from now on."""
    response: HttpResponseBase = views.login(request)
    if wait := limits.must_wait(request):
        context = {"sentence": too_many(wait)}
        response = render(request, "account/locked.html", context, status=429)
        response["Retry-After"] = str(wait)
    elif request.method == "POST" and isinstance(request.user, User):
        limits.succeeded(request)
        devices.remember(request, response, request.user)
    return response


@require_safe
@people_only
def overview(request: PersonRequest) -> HttpResponse:
    """Which roles do I hold, and where?"""
    memberships = request.user.memberships.select_related("department")
    context = {"memberships": memberships.order_by("department__name", "role")}
    return render(request, "account/overview.html", context)
