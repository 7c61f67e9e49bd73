"""The first administrator of an installation of one's own: an account, and a link to choose its password."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.text import slugify

from accounts import installation
from accounts.invitations import VALID
from accounts.models import Department, Membership, Role, User
from audit.trail import record
from config.ownership import make_own
from config.password_pages import hand_out


class Command(BaseCommand):
    help = (
        "Create the first administrator and print a link, valid once, on which they choose their password. "
        "The same name again: a new link, and the old one and an old password end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--department", metavar="NAME", help="made if need be; the account manages it")
        parser.add_argument(
            "--address", help="where people reach this Ventra, e.g. https://ventra.example.org"
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        if installation.is_demo():
            raise CommandError("This is the demo. Start an installation of your own: ./run --no-demo")
        make_own()
        user = _account(options["name"])
        if options["department"]:
            _join(user, options["department"])
        origins = [options["address"], *settings.CSRF_TRUSTED_ORIGINS, ""]
        address = next(origin for origin in origins if origin is not None).rstrip("/")
        self.stderr.write(
            f"{user} chooses a password here, once, within {VALID.days} days. The link is not shown again:"
        )
        self.stdout.write(f"{address}{hand_out(user, by=None)}")


def _account(name: str) -> User:
    """A new administrator, or the one of that name."""
    known = User.objects.filter(username=name).first()
    if known and (known.is_service or not known.is_superuser or not known.is_active):
        raise CommandError(f"{name} is an account of another kind. Choose another name.")
    others = [user.get_username() for user in installation.administrators() if user != known]
    if others:
        raise CommandError(f"{', '.join(others)} can make further accounts, in the administration's pages.")
    if known:
        return known
    user = User(username=name, is_staff=True, is_superuser=True)
    user.set_unusable_password()
    _save(user)
    record("account.administrator_made", actor=None, subject=user, name=name)
    return user


def _join(user: User, name: str) -> None:
    department = Department.objects.filter(name=name).first()
    if department is None:
        department = Department(name=name, slug=slugify(name)[:50])
        _save(department)
        record("account.changed", actor=None, subject=department, name=name, change="added")
    role = Role.ADMINISTRATOR
    _, joined = Membership.objects.get_or_create(user=user, department=department, role=role)
    if joined:
        record(
            "account.role_given",
            actor=None,
            subject=user,
            departments=[department.pk],
            name=user.get_username(),
            role=str(role),
            department=name,
        )


def _save(row: User | Department) -> None:
    try:
        row.full_clean()
    except ValidationError as refused:
        raise CommandError(" ".join(refused.messages)) from refused
    row.save()
