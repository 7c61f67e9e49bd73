"""Every form of the case page into which somebody types: refused, it comes back as it was filled in."""

import re
from html.parser import HTMLParser
from pathlib import Path

import answers
import pytest
from conftest import PASSWORD
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import resolve, reverse
from pages import hidden_fields, shown_now

from cases import calibrations
from cases.advice import service as advice_service
from cases.case_page import page_forms
from cases.models import Case, Measurement, Scan
from cases.review import measurements
from cases.review import service as review
from cases.review.measurements import Points
from inference.models import Job

pytestmark = pytest.mark.django_db

TEMPLATES = Path("templates")
WORDS, FRAMES = "typed with care", "3, 1, 2-2"
LINE = {"frame": "0", "start_row": "1", "start_column": "1", "end_row": "1", "end_column": "41"}
FILLED = {
    "cases:withdraw": ("measurement", {"reason": "   "}, {"reason": WORDS}),
    "cases:state_atrium": ("case", {"side": "left", "reason": "", "note": WORDS}, None),
    "cases:choose_frames": ("scan", {"frames": f"1, {WORDS}"}, {"frames": FRAMES}),
    "cases:answer_advice": ("advice", {"place": "0", "outcome": "", "reason": WORDS}, None),
    "cases:upload": ("case", {"mismatch_reason": WORDS}, None),
    "cases:file_read": ("case", {"kind": "final", "note": WORDS}, None),
    "cases:correct_birth_date": ("case", {"birth_date": "2999-01-01", "reason": WORDS}, None),
    "cases:calibrate": ("scan", {**LINE, "length_mm": "", "note": WORDS}, None),
    "cases:withdraw_calibration": ("calibration", {"reason": "   "}, {"reason": WORDS}),
}
"""Of every form: what its address is about, what is refused at a field, and what would be taken.

Where there is nothing of one's own in the third place, the second is mended by what MENDED says.
"""
MENDED = {
    "cases:state_atrium": {"reason": "shadow"},
    "cases:answer_advice": {"outcome": "declined"},
    "cases:upload": {"modality": "ultrasound", "scans": "FILE"},
    "cases:file_read": {"finding": "normal"},
    "cases:correct_birth_date": {"birth_date": "1990-01-02"},
    "cases:calibrate": {"length_mm": "20"},
}
WORDLESS = {
    "cases:measure": "sent by the viewer, which keeps it open; refused in JSON",
    "cases:explain": "two choices, each with its default",
    "cases:assign": "buttons",
    "cases:sign": "a password, which is never kept",
    "cases:try_again": "a button",
    "cases:run_again": "a button",
}
"""Forms of the page into which nobody types, and why."""


class Forms(HTMLParser):
    """The forms of a page: where each is sent to, and the names of the fields that somebody fills in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, set[str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        said = dict(attributes)
        if tag == "form":
            self.found.append((said.get("action") or "", set()))
        is_typed = tag == "textarea" or (tag == "input" and (said.get("type") or "text") == "text")
        if is_typed and self.found and said.get("name"):
            self.found[-1][1].add(str(said["name"]))


class Focus(HTMLParser):
    """What has the focus of a page, what describes its fieldset, and whether each part around it is open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.field: dict[str, str | None] = {}
        self.fieldset: str | None = None
        self.is_open = False
        self._around: list[bool] = []
        self._described: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        said = dict(attributes)
        if tag == "details":
            self._around.append("open" in said)
        if tag == "fieldset":
            self._described.append(said.get("aria-describedby"))
        if "autofocus" in said and not self.field:
            self.field, self.is_open = said, all(self._around)
            self.fieldset = self._described[-1] if self._described else None

    def handle_endtag(self, tag: str) -> None:
        if tag == "details":
            self._around.pop()
        if tag == "fieldset":
            self._described.pop()


def included(template: str) -> str:
    """A template with all that it includes, as it is written."""
    text = (TEMPLATES / template).read_text()
    inner = re.findall(r'{% include "([^"]+)"', text)
    if "answers_template" in text:
        inner += ["cases/answers.html", "cases/hidden_answers.html"]
    return text + "".join(included(name) for name in inner if name.endswith(".html"))


def test_every_form_of_the_page_is_listed():
    sent_to = set(re.findall(r"<form[^>]*action=\"{% url '([a-z:_]+)'", included("cases/case.html")))
    assert sent_to == FILLED.keys() | WORDLESS.keys()
    assert {name.removeprefix("cases:") for name in FILLED} - {"file_read"} == page_forms.FORMS.keys()


@pytest.fixture
def page(case, alice, small_scan, tmp_path) -> dict[str, object]:
    """A case with an answered scan of three frames, a measurement, and advice: keys by what they are of."""
    answers.active_version(tmp_path)
    scan = small_scan(case, alice, shape=(3, 48, 64))
    answers.answer(Job.objects.get(image=scan.image))
    one = measurements.measure(scan, Points(0, (1.0, 1.0), (4.0, 5.0)), by=alice, tool="distance")
    by = calibrations.calibrate(scan, Points(0, (1, 1), (1, 41)), by=alice, length_mm=10)
    other = small_scan(case, alice, seed=2)  # without a scale: that is advised on
    answers.answer(Job.objects.get(image=other.image))
    advice_service.give(case)
    advice = case.advice.get()
    assert advice.suggestions, "there is something to answer"
    return {
        "case": case.pk,
        "scan": scan.pk,
        "measurement": one.pk,
        "advice": advice.pk,
        "calibration": by.pk,
    }


def post(client, page, name: str, sent: dict[str, str]):
    filled = {
        key: SimpleUploadedFile("late.png", b"late") if value == "FILE" else value
        for key, value in sent.items()
    }
    return client.post(reverse(name, args=[page[FILLED[name][0]]]), {"scan": "1"} | filled)


def in_order(name: str) -> dict[str, str]:
    _, refused, good = FILLED[name]
    return good or refused | MENDED[name]


def test_the_page_offers_every_form(page, case, alice, client_of):
    html = client_of(alice).get(case.get_absolute_url()).content.decode()
    typed = {f"cases:{resolve(action).url_name}": names for action, names in Forms(html).found if names}
    assert typed.keys() == FILLED.keys()
    for name, names in typed.items():
        assert names & in_order(name).keys(), name


@pytest.mark.parametrize("name", FILLED)
def test_a_refused_form_comes_back_filled_with_the_sentence_and_the_focus_at_its_field(
    name, page, case, alice, client_of
):
    refused = post(client_of(alice), page, name, FILLED[name][1])
    html = refused.content.decode()
    assert refused.status_code == 422
    assert 'id="history-title"' in html, "it is the case page"
    focus = Focus(html)
    assert focus.is_open, "no closed part of the page hides it"
    assert focus.field.get("aria-invalid") == "true"
    described = str(focus.field.get("aria-describedby") or focus.fieldset).split()
    assert any(re.search(rf'<ul class="errorlist" id="{one}"><li>[^<]', html) for one in described)
    if WORDS in "".join(FILLED[name][1].values()):
        assert html.count(WORDS) == 1


@pytest.mark.parametrize("name", FILLED)
def test_a_form_that_comes_after_the_signature_gives_its_words_back(name, page, case, alice, bob, client_of):
    client = client_of(bob)
    review.file_read(case, by=alice, kind="final", finding="ventriculomegaly", shown=shown_now(case, alice))
    review.sign(case, by=alice, shown=shown_now(case, alice))
    refused = post(client, page, name, in_order(name))
    html = refused.content.decode()
    assert refused.status_code == 409
    assert 'data-code="case_signed"' in html
    (place,) = re.findall(r"<[^>]*autofocus[^>]*>", html)
    told = html.partition(place)[2]
    assert "The case is signed" in told
    words = next(value for value in in_order(name).values() if value in {WORDS, FRAMES})
    assert words in told


@pytest.mark.parametrize("name", FILLED)
def test_words_sent_after_the_session_had_ended_are_in_their_form_again(name, page, case, alice, client_of):
    client = client_of(alice)
    html = client.get(case.get_absolute_url()).content.decode()
    address = reverse(name, args=[page[FILLED[name][0]]])
    (form,) = [part for part in html.split("<form")[1:] if f'action="{address}"' in part][:1]
    client.logout()
    sent = hidden_fields(form.partition("</form>")[0]) | in_order(name)
    answer = client.post(address, {key: value for key, value in sent.items() if value != "FILE"})
    assert answer.url.startswith("/account/login/")
    client.post("/account/login/", {"login": "alice", "password": PASSWORD})
    again = client.get(case.get_absolute_url()).content.decode()
    words = next(value for value in in_order(name).values() if value in {WORDS, FRAMES})
    assert again.count(words) == 1
    assert words not in client_of(alice).get(case.get_absolute_url()).content.decode(), "another session"


def test_words_whose_matter_is_gone_stand_above_the_page(page, case, alice, bob, client_of):
    one = Measurement.objects.get()
    measurements.withdraw(one, by=bob, reason="Other plane.")
    refused = post(client_of(alice), page, "cases:withdraw", {"reason": WORDS})
    html = refused.content.decode()
    assert refused.status_code == 409
    assert WORDS in html.split('id="not-taken"')[1].split("case-grid")[0]
    assert 'data-code="already_withdrawn"' in html


def test_whoever_loads_the_page_of_a_refused_form_again_is_on_the_case(page, case, alice, client_of):
    for name, (about, _, _) in FILLED.items():
        again = client_of(alice).get(reverse(name, args=[page[about]]))
        assert again.url == case.get_absolute_url(), name


def test_the_parts_that_come_later_hold_the_forms_too(page, case, alice, client_of):
    client = client_of(alice)
    findings = client.get(f"/cases/{case.pk}/findings/", {"scan": 1}).content.decode()
    sent_to = {resolve(action).url_name for action, names in Forms(findings).found if names}
    assert sent_to == {"withdraw", "state_atrium"}
    live = client.get(f"/cases/{case.pk}/live/", {"scan": 1}).content.decode()
    assert "answer_advice" in {resolve(action).url_name for action, names in Forms(live).found if names}


def test_a_scan_that_is_withdrawn_too_late_costs_no_word(page, case, alice, client_of):
    scan = Scan.objects.get(pk=page["scan"])
    review.file_read(case, by=alice, kind="final", finding="ventriculomegaly", shown=shown_now(case, alice))
    review.sign(case, by=alice, shown=shown_now(case, alice))
    sent = {"reason": "other", "note": WORDS}
    refused = client_of(alice).post(f"/scans/{scan.pk}/withdraw/", sent)
    assert refused.status_code == 409
    assert WORDS in refused.content.decode()
    assert 'data-code="case_signed"' in refused.content.decode()
    assert Case.objects.get().stage == "signed"
