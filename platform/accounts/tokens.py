"""API tokens: knox keeps only their digest."""

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext
from knox.auth import TokenAuthentication as KnoxAuthentication
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts.models import Department, Membership, Role, TokenScope, TokenUse, User


class TokenAuthentication(KnoxAuthentication):  # type: ignore[misc]  # knox ships no types
    """`Authorization: Token ventra_...`, for people and service accounts alike."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        """knox's own check, which would crash on bytes that no token of ours can hold."""
        if not (token.isascii() and token.decode().isprintable()):
            raise AuthenticationFailed(gettext("Invalid token."))
        found: tuple[User, AuthToken] = super().authenticate_credentials(token)
        _note_use(found[1])
        return found

    def authenticate(self, request: Request) -> tuple[User, AuthToken] | None:
        """Also refuses a token that only reads where something would be changed: 403 read_only_token."""
        found: tuple[User, AuthToken] | None = super().authenticate(request)
        if found and request.method not in SAFE_METHODS and reads_only(found[1]):
            sentence = gettext("This token may only read. Issue one that may do more, and send this again.")
            raise PermissionDenied(sentence, code="read_only_token")
        return found


def reads_only(token: AuthToken) -> bool:
    """Whether its owner has said so when it was issued."""
    return TokenScope.objects.filter(token=token, reads_only=True).exists()


def _note_use(token: AuthToken) -> None:
    """Once a minute, so that a program that asks often does not write as often."""
    known = TokenUse.objects.filter(token=token)
    if known.filter(last_at__gt=Now() - timedelta(minutes=1)).exists():
        return
    if not known.update(last_at=Now()):
        TokenUse.objects.bulk_create([TokenUse(token=token, last_at=Now())], ignore_conflicts=True)


@transaction.atomic
def create_service_account(name: str, department: Department, *, role: Role = Role.READER) -> User:
    """A user without a password, member of one department."""
    user = User(username=name, is_service=True)
    user.set_unusable_password()
    user.full_clean()
    user.save()
    Membership.objects.create(user=user, department=department, role=role)
    return user


@transaction.atomic
def issue_token(user: User, *, lifetime: timedelta, name: str = "", reads_only: bool = False) -> str:
    """A new token for the user. It is shown once; only its digest is kept.

    name: what it is for, in its owner's words. reads_only: it changes nothing, whatever its owner may.
    """
    row, token = AuthToken.objects.create(user=user, expiry=lifetime)
    TokenScope.objects.create(token=row, name=name, reads_only=reads_only)
    return str(token)
