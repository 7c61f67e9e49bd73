"""Accounts through which programs submit scans."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from knox.models import AuthToken

from accounts.models import Department, Role, User
from accounts.tokens import create_service_account, issue_token
from audit.trail import record


class Command(BaseCommand):
    help = (
        "Create a service account and print its API token, once. "
        "For one that exists: --renew replaces its tokens by a new one, --revoke takes them away."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--department", help="slug; where the new account is a member")
        parser.add_argument("--role", choices=Role.values, default=Role.READER)
        parser.add_argument("--read-only", action="store_true", help="the token may change nothing")
        parser.add_argument("--days", type=int, default=90, help="how long the token is valid")
        existing = parser.add_mutually_exclusive_group()
        existing.add_argument("--renew", action="store_true")
        existing.add_argument("--revoke", action="store_true")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        if options["days"] < 1:
            raise CommandError("--days must be at least 1.")
        if options["renew"] or options["revoke"]:
            user = _existing(options["name"])
            _revoke(user)
        else:
            user = _create(options["name"], options["department"], Role(options["role"]))
        if options["revoke"]:
            self.stdout.write(f"{user} has no token any more.")
            return
        lifetime, reads_only = timedelta(days=options["days"]), options["read_only"]
        token = issue_token(user, lifetime=lifetime, reads_only=reads_only)
        told: dict[str, Any] = {"days": options["days"]} | ({"reads_only": True} if reads_only else {})
        record("account.token_issued", actor=None, subject=user, **told)
        self.stderr.write(f"The token of {user}, valid for {options['days']} days. It is not shown again:")
        self.stdout.write(token)


def _create(name: str, slug: str | None, role: Role) -> User:
    if slug is None:
        raise CommandError("A new account needs --department.")
    department = Department.objects.filter(slug=slug).first()
    if department is None:
        known = ", ".join(Department.objects.values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no department {slug!r}. There are: {known}.")
    try:
        user = create_service_account(name, department, role=role)
    except ValidationError as refusal:
        raise CommandError(" ".join(refusal.messages)) from refusal
    record("account.service_created", actor=None, subject=user, department=slug, role=role)
    return user


def _existing(name: str) -> User:
    user = User.objects.filter(username=name, is_service=True).first()
    if user is None:
        raise CommandError(f"There is no service account {name!r}.")
    return user


def _revoke(user: User) -> None:
    for token in AuthToken.objects.filter(user=user):
        record("account.token_revoked", actor=None, subject=user, token_key=token.token_key)
        token.delete()
