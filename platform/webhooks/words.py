"""What came of a message, in words."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from webhooks.models import Delivery

PROBLEMS: Mapping[str, Promise] = {
    "bad_address": _("The address is not one that may be called."),
    "host_not_allowed": _("The host is not among WEBHOOK_ALLOWED_HOSTS."),
    "forbidden_address": _("The host's address lies inside, and is not allowed."),
    "unresolved": _("The host's name is not known."),
    "unreachable": _("There was no connection, or it broke off."),
    "timeout": _("The answer took too long."),
    "tls": _("The connection could not be secured: the certificate is not valid for this host."),
    "redirect": _("It answered with a redirect, which is never followed."),
    "status": _("It answered that it did not take the message."),
    "bad_answer": _("What came back was no HTTP."),
    "secret_lost": _("The secret can no longer be derived, since SECRET_KEY has changed: make a new one."),
    "sender_lost": _("Every sender stopped while sending it."),
}


def delivered_words(delivery: Delivery) -> str:
    """Why the last attempt failed; "" when it did not, or there was none."""
    return str(PROBLEMS.get(delivery.last_problem, delivery.last_problem))
