"""Drafts: what a reader types is kept as it is typed, for that reader alone, until it is filed.

They are no part of the record: no audit line, no digest, nothing that `verify` looks at.
"""

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext

from accounts.models import User
from cases.access import refuse_other_stage
from cases.models import Case, Draft

Form = Draft.Form
KEPT: Mapping[str, tuple[str, ...]] = {
    Form.READ: ("finding", "laterality", "note", "reason"),
    Form.ADDENDUM: ("text",),
}
"""The fields of each form that somebody types or chooses, and no password."""
LONGEST = 8_000
"""Characters of one field that a draft holds: twice what the longest field takes."""


def keep(case: Case, *, by: User, form: str, words: Mapping[str, str]) -> None:
    """Keep these words instead of those before; nothing typed is no draft.

    An addendum is drafted on a signed case, a read on any other. Raises PermissionDenied, case_signed,
    not_signed.
    """
    if not Case.objects.judged_by(by).filter(pk=case.pk).exists():
        raise PermissionDenied(gettext("You are not a reader of this department."))
    refuse_other_stage(case, is_addendum=form == Form.ADDENDUM)
    typed = only_words(form, words)
    if any(typed.values()):
        Draft.objects.update_or_create(case=case, author=by, form=form, defaults={"words": typed})
    else:
        forget(case, by, form)


def only_words(form: str, words: Mapping[str, str]) -> dict[str, str]:
    """What a draft of this form holds; a NUL, which no text field takes, is left out."""
    return {name: str(words.get(name) or "").replace("\0", "")[:LONGEST] for name in KEPT[form]}


def kept(case: Case, by: User, form: str) -> dict[str, str]:
    """The reader's own draft; empty when there is none."""
    words = Draft.objects.filter(case=case, author=by, form=form).values_list("words", flat=True).first()
    return dict(words or {})


def forget(case: Case, by: User | None = None, form: str = Form.READ) -> None:
    """The form was filed; without `by` everybody's drafts of it, as nobody can file them any more."""
    drafts = Draft.objects.filter(case=case, form=form)
    (drafts.filter(author=by) if by else drafts).delete()
