"""Accounts in Django's admin: users, departments with how they read, memberships, and nothing else.

It stands in the composition root because every change leaves an audit line, and accounts may not know
the audit. Framework tables that would be side doors (tokens, attempts) are not registered on this site.
Whatever stores something here asks for the administrator's own password first.
"""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from accounts.models import Department, Membership, Role, User
from accounts.reauthentication import ConfirmedForm
from audit.trail import record
from cases.models import ReadingRules
from config.account_changes import Held, roles_of, tell_adjudicator, tell_change, tell_roles
from config.admin_forms import (
    OWN_PASSWORD,
    AccountForm,
    Confirmed,
    MembershipForm,
    MembershipForms,
    NewAccountForm,
    ReadingRulesForm,
)
from config.password_pages import hand_out
from language.stored import english

CONFIRMATION = (gettext_lazy("Confirmation"), {"fields": (OWN_PASSWORD,)})


class Administration(admin.AdminSite):
    """Reached by administrators (staff) through the one log-in page that everybody uses."""

    site_header = site_title = gettext_lazy("Ventra accounts")
    index_title = gettext_lazy("Users, departments and memberships")
    site_url = "/"

    def get_urls(self) -> list[Any]:
        """Without Django's redirect to any row of any table: nothing here is looked at on another page."""
        return [one for one in super().get_urls() if getattr(one, "name", None) != "view_on_site"]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """To the log-in page, so that what slows guessing and whatever is added to it hold here too."""
        if request.user.is_authenticated:
            raise PermissionDenied(gettext("Only an administrator manages accounts."))
        return redirect_to_login(request.GET.get("next") or "/admin/")

    def password_change(self, *_args: Any, **_kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """One page for that as well."""
        return redirect("account_change_password")


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic when it runs
    """Asks for the password, and whatever Django notes in its own log also goes to the audit."""

    form = Confirmed
    actions = None  # they would change many rows without asking
    delete_confirmation_template = "admin/confirmed_delete.html"

    @method_decorator(sensitive_post_parameters(OWN_PASSWORD))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """As Django does it, in one transaction."""
        return super().changeform_view(request, *args, **kwargs)

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form knows who is asking."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"request": request})

    def get_fieldsets(self, request: Any, obj: Any = None) -> Any:
        """The password last."""
        fieldsets = list(super().get_fieldsets(request, obj))
        for _, options in fieldsets:
            options["fields"] = tuple(name for name in options["fields"] if name != OWN_PASSWORD)
        return [*fieldsets, CONFIRMATION]

    @method_decorator(sensitive_post_parameters("password"))
    def delete_view(self, request: Any, object_id: str, extra_context: Any = None) -> Any:
        """Nothing is deleted without the password either."""
        form = ConfirmedForm(request, request.POST or None)
        is_refused = request.method == "POST" and not form.is_valid()
        if is_refused:
            request.POST = QueryDict()  # the question again, as if it had not been answered
        response = super().delete_view(request, object_id, (extra_context or {}) | {"confirm": form})
        if is_refused:
            response.status_code = 422
        return response

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """Django calls this inside the transaction of the change, as it does the next two."""
        self.tell(request, obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """message: which fields changed, without their values."""
        self.tell(request, obj, message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """One line for each row."""
        for row in queryset:
            with english():
                name = str(row)
            record("account.deleted", actor=_person(request), subject=row, name=name, change="deleted")
        return super().log_deletions(request, queryset)

    def tell(self, request: HttpRequest, obj: models.Model, change: Any) -> None:
        """The audit line of a change."""
        with english():
            name = str(obj)
        record("account.changed", actor=_person(request), subject=obj, name=name, change=change)


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """A user's roles, beside the user."""

    model = Membership
    form = MembershipForm
    formset = MembershipForms
    extra = 0

    def get_formset(self, request: Any, obj: Any = None, **kwargs: Any) -> Any:
        """The set knows who is giving."""
        forms = super().get_formset(request, obj, **kwargs)
        return type(forms.__name__, (forms,), {"giver": request.user})


class AccountAdmin(AuditedAdmin):
    """A person. Service accounts are made by `manage.py service_account`."""

    form = AccountForm
    inlines = (MembershipInline,)
    list_display = ("username", "full_name", "is_active", "is_staff", "is_service", "last_login")
    list_filter = ("is_active", "is_staff", "is_service", "memberships__department", "memberships__role")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    readonly_fields = ("is_service", "last_login", "date_joined")
    change_form_template = "admin/account_form.html"

    def get_fieldsets(self, request: Any, obj: Any = None) -> Any:  # noqa: ARG002
        """A new account is only named; who may come in is said once it is there."""
        person = ("first_name", "last_name", "email", "time_zone", "language")
        fieldsets: list[Any] = [
            (None, {"fields": ("username",)}),
            (gettext_lazy("Person"), {"fields": person}),
        ]
        if obj:
            may = ("is_active", "is_staff", "is_superuser", "is_service")
            fieldsets += [
                (gettext_lazy("May come in"), {"fields": may}),
                (gettext_lazy("Dates"), {"fields": ("last_login", "date_joined")}),
            ]
        return [*fieldsets, CONFIRMATION]

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Another one for a new account."""
        return super().get_form(request, obj, change, **({} if obj else {"form": NewAccountForm}) | kwargs)

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """No list tells by filtering how a password's digest begins."""
        return not lookup.startswith("password") and super().lookup_allowed(lookup, value, request)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Roles given and taken are lines of their own, each of its own department."""
        form.instance.roles_before = roles_of(form.instance)
        super().save_related(request, form, formsets, change)
        tell_roles(form.instance, before=form.instance.roles_before, by=_person(request))

    def tell(self, request: HttpRequest, obj: models.Model, change: Any) -> None:
        """Without what was said of the roles already."""
        own = [part for part in change if not any("object" in said for said in part.values())]
        before: set[Held] = getattr(obj, "roles_before", set())
        if own and isinstance(obj, User):
            tell_change(obj, own, before=before, by=_person(request))

    def get_urls(self) -> Any:
        """The way to a new password."""
        view = self.admin_site.admin_view(self.one_time_link)
        return [path("<int:pk>/password/", view, name="one_time_link"), *super().get_urls()]

    def response_add(self, request: Any, obj: Any, post_url_continue: Any = None) -> Any:  # noqa: ARG002
        """The new account's link, this once."""
        return self._shown(request, obj, hand_out(obj, by=request.user))

    @method_decorator(sensitive_post_parameters("password"))
    @method_decorator(transaction.atomic)
    def one_time_link(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take the password away, and show once the link with which its owner chooses another."""
        user = get_object_or_404(User, pk=pk, is_service=False)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        if user == request.user:
            return redirect("account_change_password")
        form = ConfirmedForm(request, request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._shown(request, user, hand_out(user, by=_person(request)))
        return self._shown(request, user, "", form=form, status=422 if form.errors else 200)

    def _shown(
        self, request: HttpRequest, user: User, link: str, *, form: Any = None, status: int = 200
    ) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": gettext("One-time link for {name}").format(name=user.get_username()),
            "link": request.build_absolute_uri(link) if link else "",
            "form": form,
            "original": user,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/one_time_link.html", context, status=status)


class DepartmentAdmin(AuditedAdmin):
    """A department; its slug is how the API names it."""

    fields = ("name", "slug", "is_demo", OWN_PASSWORD)
    list_display = ("name", "slug", "is_demo")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012  # read by Django only


class ReadingRulesAdmin(AuditedAdmin):
    """How a department reads: who sees answers when, what is undecided, when a second reader is asked."""

    form = ReadingRulesForm

    list_display = (
        "department", "mode", "second_reader", "adjudicator", "undecided_if_turns", "undecided_doubt",
        "undecided_opposed", "severity_scheme",
    )  # fmt: skip

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Whom a department names as its adjudicator is told, and whom it no longer names."""
        rows = User.objects.filter(pk__in=ReadingRules.objects.filter(pk=obj.pk).values("adjudicator"))
        before = rows.first()
        super().save_model(request, obj, form, change)
        tell_adjudicator(obj, before=before, by=_person(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Without a row nobody is named."""
        before, obj.adjudicator = obj.adjudicator, None
        super().delete_model(request, obj)
        tell_adjudicator(obj, before=before, by=_person(request))

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


def _person(request: HttpRequest) -> User:
    """admin_view has let nobody else in."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


site = Administration(name="admin")
site.register(User, AccountAdmin)
site.register(Department, DepartmentAdmin)
site.register(ReadingRules, ReadingRulesAdmin)
