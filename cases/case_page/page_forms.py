"""The forms of the case page into which somebody types words: each comes back filled in where it is refused.

FORMS lists them all, and `offered` says which of them the page offers a reader now. Templates ask for a form
by its name and by what it is about (`{% page_form "withdraw" one.pk as form %}`), so that the one that was
refused stands where it stood. Words whose form is offered no more stand above the page, to be copied.

The read's own form is not among these: it is kept as a draft (`cases.review.drafts`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django import forms
from django.http import HttpRequest
from django.utils.functional import cached_property

from accounts import kept
from cases.case_page.forms import FramesForm, UploadForm
from cases.models import Advice, Scan
from cases.review.forms import (
    WHICH,
    AdviceAnswerForm,
    AtriumForm,
    BirthDateForm,
    CalibrationForm,
    CalibrationWithdrawalForm,
    WithdrawalForm,
    focused,
)
from cases.review.panel import ReviewPanel
from refusals import Refusal

FORMS: Mapping[str, type[forms.Form]] = {
    "withdraw": WithdrawalForm,
    "state_atrium": AtriumForm,
    "choose_frames": FramesForm,
    "answer_advice": AdviceAnswerForm,
    "upload": UploadForm,
    "correct_birth_date": BirthDateForm,
    "calibrate": CalibrationForm,
    "withdraw_calibration": CalibrationWithdrawalForm,
}
"""By the names of the addresses that they are sent to."""
MANY = frozenset(
    {"withdraw", "state_atrium", "answer_advice", "correct_birth_date", "calibrate", "withdraw_calibration"}
)
"""Those whose fields carry what they are about in their ids, as other forms have fields of the same name."""


class Place(NamedTuple):
    """A form of the page: its name, and what it is about."""

    name: str
    about: str

    @classmethod
    def of(cls, name: str, about: Any) -> "Place":
        """about: a key, a side, or an advice's key and the suggestion's place."""
        return cls(name, str(about))

    def form(
        self, data: Any = None, files: Any = None, initial: Mapping[str, str] | None = None
    ) -> forms.Form:
        """data, files: what was sent; without them a form to be filled in."""
        auto_id = f"id_%s-{self.about}" if self.name in MANY else "id_%s"
        return FORMS[self.name](data, files, auto_id=auto_id, initial=dict(initial or {}))


@dataclass(frozen=True)
class Sent:
    """A form that was sent, as it was filled in, with why it was not carried out at its fields."""

    place: Place
    form: forms.Form

    @classmethod
    def by(cls, request: HttpRequest, name: str, about: Any) -> "Sent":
        """What a request sends to the address of this name."""
        place = Place.of(name, about)
        return cls(place, place.form(request.POST, request.FILES))

    def refused(self, refusal: Refusal) -> "Sent":
        """The same with the refusal at the field that is to be mended."""
        at = refusal.field if refusal.field in self.form.fields else None
        self.form.add_error(at, forms.ValidationError(str(refusal), code=refusal.code))
        return self


@dataclass(frozen=True)
class PageForms:
    """The forms of one page. offered: those the reader may send; sent: the one that was refused.

    waiting: what was sent after the session had ended, with its form's name (WHICH).
    """

    offered: frozenset[Place] = frozenset()
    sent: Sent | None = None
    waiting: Mapping[str, str] = field(default_factory=dict)

    def at(self, name: str, about: Any) -> forms.Form | None:
        """The form for this matter, as it was filled in; None where it is not offered."""
        place = Place.of(name, about)
        if place not in self.offered:
            return None
        if self.sent and self.sent.place == place:
            return focused(self.sent.form)
        if self.waiting and self._waiting_place == place:
            return place.form(initial=self.waiting)
        return place.form()

    @property
    def code(self) -> str:
        """Why the form was not carried out, for programs."""
        known = self.sent.form.errors.as_data().values() if self.sent else []
        codes = [error.code for errors in known for error in errors]
        return next((code for code in codes if code), "invalid")

    @property
    def homeless(self) -> bool:
        """Whether a form was refused, or waits, that the page does not offer."""
        place = self.sent.place if self.sent else self._waiting_place if self.waiting else None
        return place is not None and place not in self.offered

    @property
    def sentences(self) -> list[str]:
        """Why the form without a place was refused."""
        if self.sent is None:
            return []
        return [str(sentence) for errors in self.sent.form.errors.values() for sentence in errors]

    @property
    def words(self) -> list[str]:
        """What was typed into the form without a place."""
        return list(_typed(self.sent.form if self.sent else self._waiting_place.form(), self._data))

    @property
    def _data(self) -> Mapping[str, Any]:
        return self.sent.form.data if self.sent else self.waiting

    @cached_property
    def _waiting_place(self) -> Place:
        name, _, about = self.waiting.get(WHICH, "").partition(":")
        return Place(name if name in FORMS else next(iter(FORMS)), about)


def _typed(form: forms.Form, data: Mapping[str, Any]) -> Iterator[str]:
    """What somebody typed; what was chosen from a list is chosen again in a moment."""
    for name, one in form.fields.items():
        words = str(data.get(name) or "").replace("\0", "").strip()
        is_typed = isinstance(one, forms.CharField | forms.DateField | forms.FloatField)
        if words and is_typed and not one.widget.is_hidden:
            yield words


def waiting(request: HttpRequest, page: str) -> dict[str, str]:
    """What this person sent into one of these forms after the session had ended."""
    words = kept.waiting(request, page)
    return words if WHICH in words else {}


def offered(
    panel: ReviewPanel, scan: Scan | None, advice: Advice | None, suggestions: Sequence[Mapping[str, Any]]
) -> frozenset[Place]:
    """What this reader may fill in now; nothing after the signature. scan: the one that is shown."""
    if not panel.may_write or panel.signature:
        return frozenset()
    always = [Place.of("upload", panel.case.pk), Place.of("correct_birth_date", panel.case.pk)]
    if scan is None:
        return frozenset(always)
    unsaid = [one.side for one in panel.atria if not (one.width or one.pixels or one.unseen)]
    open_places = [place for place, one in enumerate(suggestions) if not one["given"]]
    return frozenset(
        [
            *always,
            *(Place.of("withdraw", one.pk) for one in panel.active_measurements),
            *(Place.of("state_atrium", side) for side in unsaid),
            *([Place.of("calibrate", scan.pk)] if not scan.image.states_scale else []),
            *(
                Place.of("withdraw_calibration", one.pk)
                for one in panel.active_calibrations
                if one.scan_id == scan.pk
            ),
            *([Place.of("choose_frames", scan.pk)] if scan.image.frames > 1 else []),
            *(Place.of("answer_advice", f"{advice.pk}-{place}") for place in open_places if advice),
        ]
    )
