"""Millimetres only from a confirmed plane: what follows from a width, and what stands for one."""

import io

import answers
import numpy as np
import pages
import pytest
from conftest import PASSWORD, member
from PIL import Image as Pillow
from pypdf import PdfReader

from accounts.models import Role
from audit.models import Event
from cases import verification
from cases.advice import service as advice_service
from cases.advice.rank import STOPS
from cases.advice.rulebook import rulebook
from cases.case_page.summary import summarise
from cases.models import AtriumStatement, Case, Measurement, ReadingRules, Scan, SignOff
from cases.review import atria, measurements
from cases.review.measurements import CHECKLIST, Points
from cases.review.panel import review_panel
from cases.viewer import pixels
from inference.models import Image, Job

pytestmark = pytest.mark.django_db
WHOLE = tuple(CHECKLIST)
PARTS = [(), WHOLE[:1], WHOLE[1:], WHOLE[:4]]


@pytest.fixture
def scan(case, alice, small_scan, tmp_path) -> Scan:
    """64 x 80 pixels of 0.5 mm, called ventriculomegaly by the one version in use."""
    answers.active_version(tmp_path)
    found = small_scan(case, alice, shape=(1, 64, 80))
    answers.answer(Job.objects.get(image=found.image))
    spacing = {"row_spacing": 0.5, "column_spacing": 0.5, "pixel_spacing_source": "PixelSpacing"}
    Image.objects.filter(pk=found.image_id).update(**spacing)
    return Scan.objects.select_related("image", "case").get(pk=found.pk)


def width(scan, by, mm: float, checklist=WHOLE, side="left", row: float = 20.0) -> Measurement:
    points = Points(0, (row, 10.0), (row, 10.0 + 2 * mm))
    return measurements.measure(scan, points, by=by, tool="atrial_width", side=side, checklist=checklist)


def page(client, case) -> str:
    return client.get(case.get_absolute_url()).content.decode()


def printed(client, case) -> str:
    paper = PdfReader(io.BytesIO(client.get(f"/cases/{case.pk}/report.pdf").content)).pages
    return " ".join(" ".join(one.extract_text() for one in paper).split())


@pytest.mark.parametrize("checklist", PARTS)
def test_without_the_whole_checklist_nothing_follows_from_a_width(
    scan, case, alice, client_of, api, checklist
):
    """12.5 mm drawn anywhere: no severity, no contradiction, no end, on page, report and API."""
    width(scan, alice, 12.5, checklist)
    client = client_of(alice)
    for said in (page(client, case), client.get(f"/cases/{case.pk}/report/").content.decode()):
        assert "12.5 mm, provisional" in said
        assert "moderate" not in said
        assert "acquisition can end here" not in said
    text = printed(client, case)
    assert "12.5 mm, provisional: the measuring plane is not confirmed in full" in text
    assert "moderate" not in text
    found = api(alice).get(f"/api/v1/cases/{case.pk}/reading/").json()
    assert (found["width"]["is_provisional"], found["width"]["severity"]) == (True, "")
    assert found["measurements"][0]["is_provisional"] is True
    assert found["measurements"][0]["not_confirmed"] == [name for name in WHOLE if name not in checklist]
    assert found["conflict"] == ""


def test_with_the_whole_checklist_the_severity_is_said(scan, case, alice, client_of, api):
    width(scan, alice, 12.5)
    said = page(client_of(alice), case)
    assert 'id="provisional"' not in said
    assert "mm, provisional" not in said
    assert "moderate" in said
    found = api(alice).get(f"/api/v1/cases/{case.pk}/reading/").json()
    assert (found["width"]["is_provisional"], found["width"]["severity"]) == (False, "moderate")


@pytest.mark.parametrize(("mm", "grey"), [(9.5, True), (10.5, True)])
def test_the_grey_zone_is_one_of_confirmed_widths(scan, case, alice, client_of, mm, grey):
    width(scan, alice, mm, WHOLE[:3])
    assert "Grey zone" not in page(client_of(alice), case)
    width(scan, alice, mm)
    assert ("Grey zone" in page(client_of(alice), case)) is grey


def test_a_provisional_width_contradicts_no_model_and_a_confirmed_one_does(scan, case, alice, client_of):
    width(scan, alice, 7.0, WHOLE[:4])
    assert "Caliper and models differ" not in page(client_of(alice), case)
    width(scan, alice, 7.0)
    assert "Caliper and models differ" in page(client_of(alice), case)


def test_a_wider_provisional_width_is_shown_beside_the_confirmed_one(scan, case, alice, client_of):
    width(scan, alice, 9.0)
    width(scan, alice, 14.0, ())
    found = review_panel(case, alice)
    assert found.width
    assert (found.width.mm, found.width.is_provisional) == (9.0, False)
    text = printed(client_of(alice), case)
    assert "Wider, but provisional 14.0 mm, provisional" in text
    assert "also 14.0 mm, provisional" in page(client_of(alice), case)


def advice_on(case, user):
    advice_service.give(case)
    found = advice_service.current_advice(review_panel(case, user), summarise(case))
    assert found
    return found


@pytest.mark.parametrize(
    ("look", "checklist", "action"),
    [
        ("ultrasound", WHOLE[3:], "find_landmarks"),
        ("ultrasound", WHOLE[:3], "confirm_placement"),
        ("mri", WHOLE[3:], "find_landmarks_mri"),
        ("mri", WHOLE[:3], "confirm_placement"),
    ],
)
def test_advice_asks_for_what_is_missing_and_never_ends_there(scan, case, alice, look, checklist, action):
    Image.objects.filter(pk=scan.image_id).update(modality=look)
    width(scan, alice, 12.5, checklist)
    found = advice_on(case, alice)
    assert action in [one["action"] for one in found.suggestions]
    for _ in range(4):  # whatever is asked for is declined
        found = advice_on(case, alice)
        for place in range(len(found.suggestions)):
            advice_service.answer(found, place, by=alice, outcome="declined", reason="Not now.")
    assert (advice_on(case, alice).suggestions, advice_on(case, alice).stop) == ([], "provisional")


def test_a_blind_readers_own_provisional_width_does_not_end_the_acquisition_and_tells_nobody(
    scan, case, alice, department, client_of
):
    ReadingRules.objects.filter(department=department).update(mode="reader_first")
    before = advice_on(case, alice)
    assert before.stop == "nothing_helps"
    width(scan, alice, 12.5, ())
    assert advice_on(case, alice) == before, "what is stored rests on no measurement"
    assert STOPS["provisional"] in page(client_of(alice), case)
    dora = member("dora", department, Role.READER)
    assert STOPS["nothing_helps"] in page(client_of(dora), case)


# The other side


def state(client, case, **sent) -> str:
    return client.post(f"/cases/{case.pk}/atria/", sent, follow=True).content.decode()


def test_each_atrium_has_its_own_place(scan, case, alice, api):
    width(scan, alice, 9.0, side="left")
    width(scan, alice, 11.5, WHOLE[:2], side="right")
    left, right = api(alice).get(f"/api/v1/cases/{case.pk}/reading/").json()["atria"]
    assert (left["side"], left["width"]["mm"], left["is_settled"]) == ("left", 9.0, True)
    assert (right["width"]["is_provisional"], right["is_settled"]) == (True, False)
    assert review_panel(case, alice).is_open


def test_why_the_other_side_is_not_seen_is_an_answer(scan, case, alice, client_of, api):
    width(scan, alice, 9.0, side="left")
    assert "measure_both" in [one["action"] for one in advice_on(case, alice).suggestions]
    client = client_of(alice)
    said = state(client, case, side="right", reason="near_field", note="Reverberation.")
    assert "Not seen, because: Hidden in the near field: Reverberation." in said
    assert "measure_both" not in [one["action"] for one in advice_on(case, alice).suggestions]
    text = printed(client, case)
    assert "not seen, because: Hidden in the near field: Reverberation. (alice)" in text
    _left, right = api(alice).get(f"/api/v1/cases/{case.pk}/reading/").json()["atria"]
    assert (right["unseen"]["reason"], right["unseen"]["note"]) == ("near_field", "Reverberation.")
    assert right["is_settled"]
    event = Event.objects.get(verb="atrium.stated")
    assert event.detail["detail"] == "Right: Hidden in the near field"
    assert list(verification.faults()) == []


def test_it_is_taken_back_and_a_width_counts_before_it(scan, case, alice, client_of):
    client = client_of(alice)
    state(client, case, side="right", reason="shadow")
    state(client, case, side="right", reason="")
    assert review_panel(case, alice).atria[1].unseen is None
    assert AtriumStatement.objects.count() == 2
    state(client, case, side="right", reason="shadow")
    width(scan, alice, 8.0, side="right")
    found = review_panel(case, alice).atria[1]
    assert found.unseen is None
    assert found.width
    assert "has been measured" in state(client, case, side="right", reason="shadow")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"side": "right", "reason": "other"}, "Say in a few words"),
        ({"side": "right", "reason": ""}, "Nobody has said"),
        ({"side": "middle", "reason": "shadow"}, "Choose a side and a reason."),
        ({"side": "left", "reason": "mood"}, "Choose a side and a reason."),
    ],
)
def test_what_is_no_statement_is_refused_and_nothing_is_stored(case, alice, client_of, sent, words):
    assert words in state(client_of(alice), case, **sent)
    assert not AtriumStatement.objects.exists()


def test_only_readers_of_the_department_say_so_and_a_blind_reader_sees_only_their_own(
    case, alice, auditor, charlie, department, client_of
):
    sent = {"side": "left", "reason": "shadow"}
    assert client_of(charlie).post(f"/cases/{case.pk}/atria/", sent).status_code == 404
    assert client_of(auditor).post(f"/cases/{case.pk}/atria/", sent).status_code == 403
    ReadingRules.objects.filter(department=department).update(mode="reader_first")
    atria.state(case, by=alice, side="left", reason="shadow")
    dora = member("dora", department, Role.READER)
    assert "Shadowed by the skull" not in page(client_of(dora), case).replace(
        '<option value="shadow">Shadowed by the skull</option>', ""
    )
    assert review_panel(case, alice).atria[0].unseen


def test_a_statement_that_was_changed_is_found(case, alice, intruder):
    atria.state(case, by=alice, side="left", reason="shadow")
    intruder("UPDATE cases_atriumstatement SET reason = 'quality'")
    assert any("was changed" in fault for fault in verification.faults())


def test_a_read_answers_for_what_its_page_said_of_the_atria(scan, case, alice, bob, client_of):
    client = client_of(alice)
    shown = pages.shown_by(client, case.get_absolute_url())
    atria.state(case, by=bob, side="left", reason="shadow")
    sent = shown | {"kind": "final", "finding": "normal"}
    assert client.post(f"/cases/{case.pk}/reads/", sent).status_code == 409
    assert not case.reads.exists()


# The report


def test_the_report_draws_the_line_and_says_who_confirmed_what(scan, case, alice, client_of):
    width(scan, alice, 12.5, WHOLE[:2])
    text = printed(client_of(alice), case)
    assert "1: Atrial width, left 12.5 mm (broken line: provisional)" in text
    assert "alice confirmed: Strict axial plane" in text
    assert "Not confirmed: At the glomus of the choroid plexus" in text


def test_a_signed_report_keeps_atria_lines_and_what_was_confirmed(scan, case, alice, client_of):
    client = client_of(alice)
    width(scan, alice, 12.5)
    state(client, case, side="right", reason="position")
    pages.file_read(client, case, kind="final", finding="ventriculomegaly")
    pages.sign(client, case, PASSWORD)
    content = SignOff.objects.get().content
    assert [one["side"] for one in content["atria"]] == ["left", "right"]
    assert content["width"]["is_provisional"] is False
    assert "moderate by SMFM" in printed(client, case)
    assert Case.objects.get().stage == "signed"
    assert "signed" in state(client, case, side="right", reason="shadow")
    assert AtriumStatement.objects.count() == 1
    assert list(verification.faults()) == []


def test_every_action_that_a_provisional_width_calls_for_is_a_must():
    rules = [one for one in rulebook().rules if one.finding in {"landmarks_missing", "placement_unconfirmed"}]
    assert {one.modality for one in rules} >= {"ultrasound", "mri", "any"}
    assert all(one.must for one in rules)


def test_a_provisional_line_is_broken_and_a_confirmed_one_is_not(scan, case, alice, client_of):
    def drawn(by_row: float) -> int:
        lines = {1: ((by_row, 10.0), (by_row, 60.0))}
        both = [pixels.frame_png(scan.image, 0, lines, broken) for broken in ((), {1})]
        whole, parts = (np.asarray(Pillow.open(io.BytesIO(png)).convert("RGB")).astype(int) for png in both)
        return int((np.abs(whole - parts).sum(axis=2) > 0).sum())

    assert drawn(20.0) > 0
