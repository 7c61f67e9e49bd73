"""Accounts in Django's admin: users, departments with how they read, memberships, and nothing else.

It stands in the composition root because every change leaves an audit line, and accounts may not know
the audit. Framework tables that would be side doors (tokens, lock-outs) are not registered on this site.
"""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, gettext_lazy

from accounts.models import Department, Membership, Role, User
from audit.trail import record
from cases.models import ReadingRules
from language.stored import english


class Administration(admin.AdminSite):
    """Reached by administrators (staff) through the one log-in page that everybody uses."""

    site_header = site_title = gettext_lazy("Ventra accounts")
    index_title = gettext_lazy("Users, departments and memberships")
    site_url = "/"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """To the log-in page, so that lock-out and whatever is added to it hold here too."""
        if request.user.is_authenticated:
            raise PermissionDenied(gettext("Only an administrator manages accounts."))
        return redirect_to_login(request.GET.get("next") or "/admin/")

    def password_change(self, *_args: Any, **_kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """One page for that as well."""
        return redirect("account_change_password")


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic when it runs
    """Whatever Django notes in its own log also goes to the audit, in the same transaction."""

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """Django calls this inside the transaction of the change, as it does the next two."""
        _tell(request, "account.changed", obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """message: which fields changed, without their values."""
        _tell(request, "account.changed", obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """One line for each row."""
        for row in queryset:
            _tell(request, "account.deleted", row, "deleted")
        return super().log_deletions(request, queryset)


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """A user's roles, beside the user."""

    model = Membership
    extra = 0


class AccountAdmin(AuditedAdmin, UserAdmin):  # type: ignore[type-arg]
    """A person. Service accounts are made by `manage.py service_account`."""

    inlines = (MembershipInline,)
    list_display = ("username", "full_name", "is_active", "is_staff", "is_service", "last_login")
    list_filter = ("is_active", "is_staff", "is_service", "memberships__department", "memberships__role")
    readonly_fields = ("is_service", "last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (gettext_lazy("Person"), {"fields": ("first_name", "last_name", "email", "time_zone", "language")}),
        (gettext_lazy("May come in"), {"fields": ("is_active", "is_staff", "is_superuser", "is_service")}),
        (gettext_lazy("Dates"), {"fields": ("last_login", "date_joined")}),
    )

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """As Django does it, but never without its audit line."""
        return super().user_change_password(request, id, form_url)


class DepartmentAdmin(AuditedAdmin):
    """A department; its slug is how the API names it."""

    list_display = ("name", "slug", "is_demo")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012  # read by Django only


class ReadingRulesForm(forms.ModelForm):  # type: ignore[type-arg]
    """Takes and shows numbers as the language writes them."""

    class Meta:
        model = ReadingRules
        fields = (
            "department", "mode", "second_reader", "second_reader_sees", "adjudicator", "undecided_if_turns",
            "undecided_doubt", "undecided_opposed", "severity_scheme",
        )  # fmt: skip
        localized_fields = ("undecided_doubt", "undecided_opposed")


class ReadingRulesAdmin(AuditedAdmin):
    """How a department reads: who sees answers when, what is undecided, when a second reader is asked."""

    form = ReadingRulesForm

    list_display = (
        "department", "mode", "second_reader", "adjudicator", "undecided_if_turns", "undecided_doubt",
        "undecided_opposed", "severity_scheme",
    )  # fmt: skip

    def formfield_for_foreignkey(
        self, db_field: "models.ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Nobody names themselves: it is a right to see cases."""
        if db_field.name == "adjudicator":
            kwargs["queryset"] = _senior_readers().exclude(username=request.user.get_username())
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


def _senior_readers() -> QuerySet[User]:
    """People who adjudicate somewhere."""
    return User.objects.filter(
        is_active=True, is_service=False, memberships__role=Role.SENIOR_READER
    ).distinct()


def _tell(request: HttpRequest, verb: str, subject: models.Model, change: Any) -> None:
    with english():
        name = str(subject)
    record(verb, actor=request.user, subject=subject, name=name, change=change)


site = Administration(name="admin")
site.register(User, AccountAdmin)
site.register(Department, DepartmentAdmin)
site.register(ReadingRules, ReadingRulesAdmin)
