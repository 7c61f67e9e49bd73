"""An installation becomes one of somebody's own: nobody keeps the password that the demo prints."""

from django.db import transaction
from knox.models import AuthToken

from accounts import installation
from accounts.models import User
from audit.trail import record


@transaction.atomic
def make_own() -> list[User]:
    """Decide it for good; those whose password was the published one, and is closed now."""
    if installation.is_demo() is False:
        return []
    installation.decide(own=True)
    closed = installation.with_published_password()
    for user in closed:
        _close(user)
    return closed


def _close(user: User) -> None:
    """Password, and with it sessions, and tokens of somebody whom everybody could be."""
    user.set_unusable_password()
    user.save(update_fields=["password"])
    for token in AuthToken.objects.filter(user=user):
        record("account.token_revoked", actor=None, subject=user, token_key=token.token_key)
        token.delete()
    record("account.password_closed", actor=None, subject=user, name=user.get_username())
