"""Calipers that a model proposes: hidden like every answer, confirmed or moved by a reader, both kept."""

from datetime import timedelta
from typing import get_args

import answers
import pytest
from django.test import Client
from refused import refused

from accounts.tokens import issue_token
from cases import services, verification
from cases.models import Case, Measurement, ReadingRules
from cases.review import measurements, proposals
from cases.review.call_words import call_sentence
from cases.review.calls import call_of
from cases.review.measurements import CHECKLIST, Points
from inference.engine.atrium.records import Side
from inference.engine.records import NotAnalysable
from inference.models import Image, Job, Prediction

pytestmark = pytest.mark.django_db
FAR = ([20.0, 30.0], [20.0, 65.0])
"""From row 30 to row 65: 35 pixels, 7 mm on pixels of 0.2 mm."""
MM = {"row_spacing": 0.2, "column_spacing": 0.2, "pixel_spacing_source": "PixelSpacing"}
NO_SCALE = NotAnalysable("no_scale", "Neither the file nor a gestational age tells how large a pixel is.")


@pytest.fixture
def proposed(case, alice, small_scan, tmp_path):
    """A scan with its scale, on which one caliper is proposed: (scan, answer) by its measurement."""

    def propose(measurement: dict | None = None, *, scaled: bool = True, **said) -> Prediction:
        answers.active_version(tmp_path, network="atrium")
        scan = small_scan(case, alice, shape=(1, 96, 80))
        if scaled:
            Image.objects.filter(pk=scan.image_id).update(**MM)
        job = Job.objects.get(image=scan.image)
        return answers.answer(job, label="normal", measurement=measurement or answers.calipers(FAR), **said)

    return propose


def sent(answer: Prediction, *, rows: tuple[float, float] = (30, 65), **changed) -> dict:
    """What the viewer sends for the caliper as it was proposed, or moved."""
    points = {"start_row": rows[0], "start_column": 20, "end_row": rows[1], "end_column": 20}
    said = {"tool": "atrial_width", "side": "left", "frame": 0, "checklist": list(CHECKLIST)}
    return said | points | {"proposal": str(answer.pk), "proposal_atrium": 0} | changed


def post(client: Client, answer: Prediction, body: dict):
    return client.post(f"/scans/{scan_of(answer).pk}/measurements/", body)


def scan_of(answer: Prediction):
    return Case.objects.get().scans.get(image=answer.image)


def reads_first(department) -> None:
    ReadingRules.objects.filter(department=department).update(mode=ReadingRules.Mode.READER_FIRST)


def program(user) -> Client:
    return Client(headers={"Authorization": f"Token {issue_token(user, lifetime=timedelta(hours=1))}"})


def test_the_viewer_is_told_what_is_proposed_and_that_nobody_has_confirmed_it(
    proposed, case, alice, client_of
):
    answer = proposed()
    page = client_of(alice).get(case.get_absolute_url())
    (mark,) = page.context["proposals"]
    assert (mark["start"], mark["end"], mark["frame"]) == ([30.0, 20.0], [65.0, 20.0], 0)
    assert mark["prediction"] == str(answer.pk)
    assert "7.0 ± 0.6 mm" in mark["words"]
    assert "proposed, not confirmed" in mark["label"]
    said = page.content.decode()
    assert "Far atrium 7.0 ± 0.6 mm" in said
    assert "scale: stated by the file" in said
    assert "Explain by" not in said, "the calipers are its explanation"
    report = client_of(alice).get(f"{case.get_absolute_url()}report/").content.decode()
    assert "Far atrium: 7.0 ± 0.6 mm (scale: stated by the file), proposed, not confirmed" in report


def test_a_blind_reader_meets_it_behind_no_door(proposed, case, department, alice, client_of):
    answer, client = proposed(), client_of(alice)
    reads_first(department)
    page = client.get(case.get_absolute_url())
    assert page.context["proposals"] == []
    for address in ("", "live/", "report/", "findings/"):
        said = client.get(f"{case.get_absolute_url()}{address}")
        if said.status_code == 200:
            assert "proposed" not in said.content.decode().replace('id="proposals"', ""), address
    assert program(alice).get(f"/api/v1/predictions/{answer.pk}/").status_code == 403
    refused = post(client, answer, sent(answer))
    assert refused.status_code == 403
    assert not Measurement.objects.exists()


def test_a_reader_confirms_it_as_it_is(proposed, case, alice, client_of):
    answer, client = proposed(), client_of(alice)
    assert post(client, answer, sent(answer)).status_code == 201
    one = Measurement.objects.get()
    assert (one.proposal, one.proposal_atrium, one.length_mm) == (answer, 0, pytest.approx(7.0))
    origin = proposals.origin_of(one)
    assert (origin.moved_px, origin.moved_mm, origin.estimated_mm) == (0.0, 0.0, None)
    page = client.get(case.get_absolute_url())
    assert page.context["proposals"][0]["confirmed"]
    assert "Confirmed as atrium 0 proposed it." in page.content.decode()
    assert not [one for one in verification.faults() if "measurement" in one]


def test_a_reader_moves_it_and_both_places_are_kept(proposed, case, alice, client_of):
    answer, client = proposed(), client_of(alice)
    assert post(client, answer, sent(answer, rows=(28, 90))).status_code == 201
    report = client.get(f"{case.get_absolute_url()}report/").content.decode()
    assert "Confirmed from a proposal of atrium 0, moved by 5.0 mm." in report
    assert "moderate by SMFM" in report, "12.4 mm, confirmed in full"
    said = program(alice).get(f"/api/v1/cases/{case.pk}/reading/").json()["measurements"][0]
    assert (said["start"], said["end"]) == ([28.0, 20.0], [90.0, 20.0])
    assert (said["proposal"]["start"], said["proposal"]["end"]) == ([30.0, 20.0], [65.0, 20.0])
    assert said["proposal"]["moved_mm"] == pytest.approx(5.0)


def test_which_end_is_first_does_not_count_as_moving(proposed, alice):
    answer = proposed()
    points = Points(0, (65, 20), (30, 20))
    one = measurements.measure(
        scan_of(answer), points, by=alice, tool="atrial_width", proposed=(answer.pk, 0)
    )
    assert proposals.origin_of(one).moved_px == 0.0


def test_estimated_millimetres_give_no_severity(proposed, case, alice, client_of):
    """14 mm by the age, confirmed in full."""
    wide = answers.calipers(([20.0, 10.0], [20.0, 80.0]), source="gestational_age")
    answer, client = proposed(wide, scaled=False), client_of(alice)
    page = client.get(case.get_absolute_url()).content.decode()
    assert "about 14.0 ± 0.6 mm" in page
    assert "estimated from the gestational age, no severity follows from it" in page
    assert post(client, answer, sent(answer, rows=(10, 80))).status_code == 201
    one = Measurement.objects.get()
    assert one.length_mm is None
    report = client.get(f"{case.get_absolute_url()}report/").content.decode()
    assert "About 14.0 mm by a scale estimated from the gestational age: no severity follows." in report
    assert "SMFM" not in report
    said = program(alice).get(f"/api/v1/cases/{case.pk}/reading/").json()
    assert (said["width"], said["measurements"][0]["proposal"]["estimated_mm"]) == (None, pytest.approx(14.0))


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"proposal_atrium": 1}, 422, "no_such_proposal"),
        ({"proposal": "00000000-0000-4000-8000-000000000000"}, 422, "no_such_proposal"),
        ({"tool": "distance"}, 422, "no_such_proposal"),
        ({"proposal_atrium": ""}, 400, "invalid"),
        ({"proposal": "nonsense"}, 400, "invalid"),
    ],
)
def test_what_was_not_proposed_there_is_refused_and_nothing_is_stored(
    proposed, alice, client_of, changed, status, code
):
    answer = proposed()
    refused = post(client_of(alice), answer, sent(answer, **changed))
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert not Measurement.objects.exists()


def test_another_department_meets_neither_answer_nor_caliper(proposed, charlie, client_of):
    answer = proposed()
    assert program(charlie).get(f"/api/v1/predictions/{answer.pk}/").status_code == 404
    assert post(client_of(charlie), answer, sent(answer)).status_code == 404


def test_the_api_gives_the_geometry_with_the_answer(proposed, alice):
    answer = proposed()
    said = program(alice).get(f"/api/v1/predictions/{answer.pk}/").json()["measurement"]
    assert said["scale"]["source"] == "file"
    (one,) = said["atria"]
    assert (one["start"], one["end"], one["side"]) == ([30.0, 20.0], [65.0, 20.0], "far")
    assert (one["width_mm"], one["estimated"], one["scale"]) == (pytest.approx(7.0), False, "file")


def test_verify_names_a_measurement_whose_proposal_is_another_scans(proposed, alice, intruder):
    answer = proposed()
    one = measurements.measure(
        scan_of(answer), Points(0, (30, 20), (65, 20)), by=alice, tool="atrial_width", proposed=(answer.pk, 0)
    )
    intruder("UPDATE cases_measurement SET proposal_atrium = 1 WHERE id = %s", [one.pk])
    assert f"measurement {one.pk} comes from no caliper that was proposed there" in list(
        verification.faults()
    )


def test_nobody_is_asked_for_a_map_of_it(proposed, alice):
    answer = proposed()
    with refused("nothing_to_explain", match="calipers"):
        services.explain(answer, method="gradcam", class_label="normal", by=alice)


def test_its_doubt_is_told_as_that_of_a_width(proposed, case):
    proposed(doubt=0.4)
    assert call_sentence(call_of(case).content()) == (
        "Undecided. Atrium 0 says normal, and by the error of its width the other call has a chance of 0.40."
        " Experimental: do not rely on it."
    )


@pytest.mark.parametrize(
    ("classes", "measured", "called"),
    [
        (None, "no scale", "not_analysable"),
        ("normal", "no scale", "normal"),
        ("ventriculomegaly", "no scale", "ventriculomegaly"),
        ("normal", "normal", "normal"),
        (None, "ventriculomegaly", "ventriculomegaly"),
        ("normal", "ventriculomegaly", "undecided"),
    ],
)
def test_it_counts_for_the_case_when_it_calls_and_never_without_a_scale(
    case, alice, client_of, small_scan, tmp_path, classes, measured, called
):
    if classes:
        answers.active_version(tmp_path, network="cnn")
    answers.active_version(tmp_path, network="atrium", version="1")
    scan = small_scan(case, alice, shape=(1, 96, 80))
    for job in Job.objects.filter(image=scan.image):
        if job.model_version.network == "cnn":
            answers.answer(job, label=classes)
        elif measured == "no scale":
            answers.answer(job, refusal=NO_SCALE, measurement=answers.calipers(FAR, mm=None))
        else:
            answers.answer(job, label=measured, measurement=answers.calipers(FAR))
    assert call_of(case).label == called
    page = client_of(alice).get(case.get_absolute_url()).content.decode()
    assert ("12 % of the BPD" in page) is (measured == "no scale")
    assert ("no scale known: nothing is called" in page) is (measured == "no scale")


def test_every_side_that_the_engine_may_name_has_its_words():
    assert set(proposals.SIDES) == set(get_args(Side))


@pytest.mark.parametrize(("source", "told"), [("nifti", "right"), ("dicom", "")])
def test_a_side_of_mri_is_the_pictures_and_the_fetuss_only_where_the_file_is_no_dicom(
    source, told, proposed, case, alice, client_of
):
    """DICOM's right is the mother's: no button for a side of the fetus is pressed for the reader."""
    found = answers.calipers(FAR)
    found["atria"][0]["side"] = "right"
    answer = proposed(found)
    Image.objects.filter(pk=answer.image_id).update(source_format=source)
    page = client_of(alice).get(case.get_absolute_url())
    (mark,) = page.context["proposals"]
    assert mark["side"] == told
    assert mark["words"].startswith("Atrium on the left of the picture: 7.0 ± 0.6 mm")
