"""Every kind of notice: the sentence, the page it leads to, and who may still read it.

A notice is stored as a code and parameters. The sentence is made when it is shown, in the reader's language.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from accounts.roles import MANAGE_ACCOUNTS, MANAGE_MODELS, MANAGE_WEBHOOKS, READ_CASES


@dataclass(frozen=True)
class Kind:
    """says: with the notice's parameters as %(name)s. page: an address's name; it takes the parameter `key`,
    or nothing where that is empty.

    roles: what one must hold in the notice's department; a notice without one is the addressee's alone.
    It names no class and no probability: whoever reads first may see it.
    """

    says: Promise
    page: str
    key: str
    roles: frozenset[Role]


def _account(says: Promise) -> Kind:
    """About somebody's own account: told without a department, and so the addressee's alone."""
    return Kind(says, "account_overview", "", frozenset())


def _case(says: Promise) -> Kind:
    return Kind(says, "cases:case", "case", READ_CASES)


KINDS: Mapping[str, Kind] = {
    "account.link_made": _account(
        _("%(by)s made a one-time link for a new password of yours. If you did not ask for it, say so.")
    ),
    "account.role_given": _account(_("%(by)s gave you the role %(role)s in %(where)s.")),
    "account.role_taken": _account(_("%(by)s took the role %(role)s in %(where)s from you.")),
    "account.token_revoked": _account(_("%(by)s revoked your API token %(token_key)s….")),
    "account.changed": _account(_("%(by)s changed your account.")),
    "adjudicator.named": Kind(
        _(
            "%(by)s named you adjudicator of %(where)s: you are told of every case whose two readers differ "
            "there."
        ),
        "cases:worklist",
        "",
        frozenset(),
    ),
    "adjudicator.released": _account(
        _("You are no longer the adjudicator of %(where)s: %(by)s changed that.")
    ),
    "case.assigned": _case(_("%(by)s gave you case %(case_number)s.")),
    "read.second_wanted": _case(_("Case %(case_number)s waits for a second reader: you may be the one.")),
    "read.adjudication_wanted": _case(_("Case %(case_number)s waits for your adjudication.")),
    "scan.answered": _case(_("Scan %(scan_number)s of case %(case_number)s was answered.")),
    "scan.not_analysable": _case(_("Scan %(scan_number)s of case %(case_number)s could not be analysed.")),
    "scan.withdrawn": _case(_("%(by)s withdrew scan %(scan_number)s of case %(case_number)s.")),
    "answer.failed": _case(
        _("An answer about scan %(scan_number)s of case %(case_number)s failed. You can ask again.")
    ),
    "explanation.failed": _case(
        _("An explanation for scan %(scan_number)s of case %(case_number)s failed. You can ask again.")
    ),
    "repetition.failed": _case(
        _("Running an answer about scan %(scan_number)s of case %(case_number)s again failed.")
    ),
    "advice.given": _case(_("There is advice on the next acquisition for case %(case_number)s.")),
    "training.finished": Kind(
        _("Your training of %(network)s %(version)s has ended."), "inference:work", "job", MANAGE_MODELS
    ),
    "training.failed": Kind(
        _("Your training of %(network)s %(version)s failed."), "inference:work", "job", MANAGE_MODELS
    ),
    "check.failed": Kind(
        _("The weights you uploaded as %(network)s %(version)s were refused, or could not be checked."),
        "inference:work",
        "job",
        MANAGE_MODELS,
    ),
    "model.quarantined": Kind(
        _("The model version %(model_version)s was quarantined: its file is not what it was."),
        "inference:model",
        "model",
        MANAGE_MODELS,
    ),
    "model.unfit": Kind(
        _("The model version %(model_version)s is in use and does not meet the rule for use."),
        "inference:model",
        "model",
        MANAGE_MODELS,
    ),
    "storage.missed": Kind(
        _("Stored files cannot be read or written: work waits, and goes on by itself."),
        "inference:queue",
        "",
        MANAGE_MODELS | MANAGE_ACCOUNTS,
    ),
    "file.lost": Kind(
        _("The stored file %(blob)s is missing for good: work that needs it has failed."),
        "inference:queue",
        "",
        MANAGE_MODELS | MANAGE_ACCOUNTS,
    ),
    "webhook.disabled": Kind(
        _("The webhook %(name)s was disabled: %(failures)s attempts in a row have failed."),
        "webhooks:endpoint",
        "endpoint",
        MANAGE_WEBHOOKS,
    ),
}
