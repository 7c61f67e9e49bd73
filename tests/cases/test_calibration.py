"""Millimetres where a file states none: a line on the scan, how long it is, and who said so."""

from datetime import timedelta

import answers
import numpy as np
import pytest
from django.test import Client
from refused import refused

from accounts.tokens import issue_token
from audit.models import Event
from blobs import store
from cases import calibrations, services, verification
from cases.models import Calibration, Measurement, ReadingRules, Scan
from cases.review import measurements
from cases.review import service as review
from cases.review.measurements import CHECKLIST, Points
from cases.review.panel import review_panel
from inference.engine.measuring.width_evidence import MEMBER
from inference.engine.records import NotAnalysable
from inference.formats.stack import PictureStack
from inference.jobs import lease
from inference.models import Image, Job
from inference.results import images

pytestmark = pytest.mark.django_db
LINE = {"frame": 0, "start_row": 10, "start_column": 20, "end_row": 10, "end_column": 70}
"""50 pixels along a row."""
POINTS = Points(0, (10.0, 20.0), (10.0, 70.0))
SENT = LINE | {"length_mm": "20", "note": "depth scale, 0 to 2 cm"}
NO_SCALE = NotAnalysable("no_scale", "Neither the file nor a gestational age tells how large a pixel is.")


@pytest.fixture
def scan(case, alice, small_scan) -> Scan:
    """96 x 80 pixels whose size no file states."""
    return small_scan(case, alice, shape=(1, 96, 80))


def program(user) -> Client:
    return Client(headers={"Authorization": f"Token {issue_token(user, lifetime=timedelta(hours=1))}"})


def width(scan, by, rows: float = 24) -> Measurement:
    """An atrial width along a column."""
    points = Points(0, (20.0, 30.0), (20.0 + rows, 30.0))
    return measurements.measure(scan, points, by=by, tool="atrial_width", checklist=tuple(CHECKLIST))


def test_a_line_of_known_length_gives_millimetres_from_then_on(scan, case, alice, client_of):
    client, before = client_of(alice), width(scan, alice)
    done = client.post(f"/scans/{scan.pk}/calibrations/", SENT)
    assert done.status_code == 302
    row = Calibration.objects.get()
    assert (row.start, row.end, row.frame, row.length_mm) == ([10.0, 20.0], [10.0, 70.0], 0, 20.0)
    assert row.spacing == pytest.approx((0.4, 0.4))
    after = width(scan, alice)
    before.refresh_from_db()
    assert (before.length_mm, before.calibration) == (None, None), "what was measured before is not changed"
    assert (after.length_mm, after.calibration, after.pixel_spacing) == (pytest.approx(9.6), row, [0.4, 0.4])
    page = client.get(case.get_absolute_url())
    assert page.context["picture"]["spacing"] == pytest.approx([0.4, 0.4])
    said = page.content.decode()
    assert "0.400 mm a pixel, calibrated by alice" in said
    assert "depth scale, 0 to 2 cm" in said
    assert "Grey zone" in said, "9.6 mm: what follows from a width follows"
    assert list(verification.faults()) == []


def test_true_proportions_count_where_pixels_are_not_square(scan, alice):
    Image.objects.filter(pk=scan.image_id).update(pixel_aspect=1.5)
    scan = Scan.objects.select_related("image", "case").get()
    down = calibrations.calibrate(scan, Points(0, (10, 5), (50, 5)), by=alice, length_mm=30)
    assert down.spacing == pytest.approx((0.75, 0.5))
    slant = calibrations.calibrate(scan, Points(0, (10, 5), (50, 45)), by=alice, length_mm=30)
    assert slant.column_spacing == pytest.approx(30 / (60**2 + 40**2) ** 0.5)
    along = measurements.measure(scan, Points(0, (10, 5), (50, 45)), by=alice, tool="distance")
    assert along.length_mm == pytest.approx(30)
    assert "between rows" in str(down)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"end_column": 99}, "not_measurable"),
        ({"frame": 3}, "not_measurable"),
        ({"end_row": 10, "end_column": 20}, "not_measurable"),
        ({"end_column": 45}, "line_too_short"),
        ({"length_mm": "200"}, "scale_not_plausible"),
        ({"length_mm": "0.2"}, "scale_not_plausible"),
        ({"length_mm": "0"}, "min_value"),
        ({"length_mm": "nan"}, "invalid"),
        ({"length_mm": "2000"}, "max_value"),
        ({"start_row": ""}, "required"),
    ],
)
def test_what_gives_no_scale_is_refused_and_nothing_is_stored(scan, alice, client_of, changed, code):
    refused = client_of(alice).post(f"/scans/{scan.pk}/calibrations/", SENT | changed)
    assert refused.status_code == 422
    assert refused.context["page_forms"].code == code
    assert "depth scale, 0 to 2 cm" in refused.content.decode(), "what was typed stays"
    assert not Calibration.objects.exists()


def test_what_a_file_states_is_never_overwritten(scan, case, alice, client_of):
    stated = {"row_spacing": 0.2, "column_spacing": 0.2, "pixel_spacing_source": "PixelSpacing"}
    Image.objects.filter(pk=scan.image_id).update(**stated)
    client = client_of(alice)
    page = client.get(case.get_absolute_url()).content.decode()
    assert 'value="calibrate"' not in page
    assert 'id="calibration"' not in page
    refused = client.post(f"/scans/{scan.pk}/calibrations/", SENT)
    assert refused.status_code == 409
    assert 'data-code="scale_stated"' in refused.content.decode()
    body = {"frame": 0, "start": [10, 20], "end": [10, 70], "length_mm": 20}
    told = program(alice).post(
        f"/api/v1/scans/{scan.pk}/calibrations/", body, content_type="application/json"
    )
    assert (told.status_code, told.json()["code"]) == (422, "scale_stated")
    scan.image.refresh_from_db()
    assert width(scan, alice).pixel_spacing_source == "PixelSpacing"


def test_a_withdrawn_one_takes_along_what_was_measured_by_it(scan, case, alice, bob, client_of):
    first = calibrations.calibrate(scan, POINTS, by=alice, length_mm=20)
    by_first = width(scan, alice)
    second = calibrations.calibrate(scan, POINTS, by=bob, length_mm=25)
    by_second = width(scan, alice)
    assert (by_second.calibration, by_second.length_mm) == (second, pytest.approx(12))
    client = client_of(alice)
    assert "A later calibration counts." in client.get(case.get_absolute_url()).content.decode()
    client.post(f"/calibrations/{second.pk}/withdraw/", {"reason": ""})
    assert Calibration.objects.counting(scan) == second
    client.post(f"/calibrations/{second.pk}/withdraw/", {"reason": "Other ticks."})
    again = client.post(f"/calibrations/{second.pk}/withdraw/", {"reason": "Again."})
    assert again.status_code == 409
    assert Calibration.objects.counting(scan) == first, "an earlier one that stands counts again"
    assert list(Measurement.objects.active()) == [by_first]
    page = client.get(case.get_absolute_url()).content.decode()
    assert "its calibration was withdrawn (Other ticks.)" in page
    assert review_panel(case, alice).width.mm == pytest.approx(9.6)
    assert list(verification.faults()) == []


def test_a_scale_that_fits_no_measurement_is_found(scan, alice, intruder):
    calibrations.calibrate(scan, POINTS, by=alice, length_mm=20)
    one = width(scan, alice)
    intruder("UPDATE cases_calibration SET row_spacing = 0.1")
    told = list(verification.faults())
    assert f"measurement {one.pk} rests on another scale than that of its calibration" in told
    assert [fault for fault in told if fault.startswith("calibration ")]


def test_the_report_says_by_what_it_was_calibrated_and_the_signature_holds_it(
    scan, case, alice, client_of, bob
):
    calibrations.calibrate(scan, POINTS, by=bob, length_mm=20, note="depth scale")
    width(scan, alice)
    review.file_read(case, by=alice, kind="final", finding="normal", shown=review_panel(case, alice).shown)
    case.refresh_from_db()
    review.sign(case, by=alice, shown=review_panel(case, alice).shown)
    (said,) = case.sign_off.content["scans"]
    assert said["calibration"]["pixel_spacing"] == pytest.approx([0.4, 0.4])
    assert said["measurements"][0]["calibration"]["id"] == said["calibration"]["id"]
    assert f"cases.Calibration {said['calibration']['id']}" in case.sign_off.content["rests_on"]
    report = client_of(alice).get(f"{case.get_absolute_url()}report/").content.decode()
    assert "Scale: 0.400 mm a pixel, calibrated by bob" in report
    assert "9.6 mm (spacing: 0.400 mm a pixel, calibrated by bob; alice)" in report


def test_a_read_is_not_filed_on_another_scale_than_the_page_showed(scan, case, alice, bob):
    shown = review_panel(case, alice).shown
    calibrations.calibrate(scan, POINTS, by=bob, length_mm=20)
    with refused("changed_since", match=r"bob has calibrated scan 1: 0\.400 mm a pixel\."):
        review.file_read(case, by=alice, kind="final", finding="normal", shown=shown)


def test_a_blind_reader_calibrates_too_and_sees_anothers(scan, case, department, alice, bob, client_of):
    ReadingRules.objects.filter(department=department).update(mode=ReadingRules.Mode.READER_FIRST)
    client_of(alice).post(f"/scans/{scan.pk}/calibrations/", SENT)
    page = client_of(bob).get(case.get_absolute_url()).content.decode()
    assert "0.400 mm a pixel, calibrated by alice" in page
    assert not review_panel(case, bob).unblinds


def test_the_timeline_says_who_calibrated_and_how(scan, case, alice, client_of):
    client_of(alice).post(f"/scans/{scan.pk}/calibrations/", SENT)
    told = Event.objects.get(verb="scan.calibrated").detail
    assert told["detail"] == "0.400 mm a pixel"
    page = client_of(alice).get(case.get_absolute_url()).content.decode()
    assert "said how large a scan&#x27;s pixels are" in page


def test_a_version_that_measures_is_asked_again_by_the_new_scale(case, alice, small_scan, tmp_path):
    answers.active_version(tmp_path, network="atrium")
    answers.active_version(tmp_path, network="cnn", version="1")
    scan = small_scan(case, alice, shape=(3, 96, 80))
    services.choose_frames(scan, [1], by=alice)
    old = Job.objects.filter(model_version__network="atrium").latest("created_at")
    first = answers.answer(old, refusal=NO_SCALE)
    waiting = Job.objects.get(model_version__network="atrium", state="queued")
    row = calibrations.calibrate(scan, POINTS, by=alice, length_mm=20)
    waiting.refresh_from_db()
    assert waiting.state == "cancelled", "an answer by the old scale would come too late"
    (job,) = Job.objects.filter(model_version__network="atrium", state="queued")
    assert job.parameters["frames"] == [1]
    assert job.parameters["calibration"] == {"id": str(row.pk), "pixel_spacing": [0.4, 0.4]}
    stack = images.stack_for(job)
    assert (stack.pixel_spacing, stack.pixel_spacing_source) == ((0.4, 0.4), "calibration")
    assert images.stack_for(first.job).pixel_spacing is None, "what was answered is run again as it was"
    classes = Job.objects.filter(model_version__network="cnn")
    assert not [one for one in classes if "calibration" in one.parameters]
    answers.answer(job, label="normal")
    calibrations.withdraw(row, by=alice, reason="Other ticks.")
    (last,) = Job.objects.filter(model_version__network="atrium", state="queued")
    assert (
        last.parameters == {"frames": [1], "gestational_age_days": 171}
        or "calibration" not in last.parameters
    )


def test_an_ensemble_with_a_member_that_measures_is_asked_again_too(case, alice, small_scan, tmp_path):
    measures = answers.active_version(tmp_path, network="ensemble", card={MEMBER: {"network": "atrium"}})
    answers.active_version(tmp_path, network="cnn", version="1")
    scan = small_scan(case, alice, shape=(1, 96, 80))
    calibrations.calibrate(scan, POINTS, by=alice, length_mm=20)
    (told,) = [one for one in Job.objects.all() if "calibration" in one.parameters]
    assert told.model_version == measures


def test_what_failed_before_is_asked_again_by_the_scale_that_counts(case, alice, small_scan, tmp_path):
    answers.active_version(tmp_path, network="atrium")
    scan = small_scan(case, alice, shape=(1, 96, 80))
    lease.fail(answers._claimed(Job.objects.get()), "out_of_memory", "There was not enough memory.")
    failed = Job.objects.get()
    calibrations.calibrate(scan, POINTS, by=alice, length_mm=20)
    lease.fail(answers._claimed(Job.objects.get(state="queued")), "out_of_memory", "Not enough memory.")
    (again,) = services.try_again(scan, by=alice)
    assert again.parameters["calibration"]["pixel_spacing"] == [0.4, 0.4]
    assert "calibration" in services.ask_again(failed, by=alice).parameters


def test_programs_calibrate_list_and_withdraw(scan, case, alice):
    client = program(alice)
    body = {"frame": 0, "start": [10, 20], "end": [10, 70], "length_mm": 20, "note": "depth scale"}
    address = f"/api/v1/scans/{scan.pk}/calibrations/"
    made = client.post(address, body, content_type="application/json")
    assert made.status_code == 201
    assert made.json()["pixel_spacing"] == pytest.approx([0.4, 0.4])
    one = width(scan, alice)
    read = client.get(f"/api/v1/cases/{case.pk}/reading/").json()
    assert read["measurements"][0]["calibration"] == made.json()["id"] == str(one.calibration_id)
    gone = client.post(
        f"/api/v1/calibrations/{made.json()['id']}/withdrawal/", {"reason": "Wrong."},
        content_type="application/json",
    )  # fmt: skip
    assert (gone.status_code, gone.json()["withdrawn"]) == (201, "Wrong.")
    assert [entry["withdrawn"] for entry in client.get(address).json()] == ["Wrong."]


@pytest.fixture
def marked(case, alice) -> Scan:
    """300 rows with a mark in column 12 at every 24th, from row 6 on: 12 of them."""
    pixels = np.random.default_rng(5).integers(0, 12, (1, 300, 200)).astype(np.uint8)
    pixels[0, 6::24, 10:15] = 230
    original = store.put(pixels.tobytes())
    stack = PictureStack(pixels, "ultrasound", original.sha256, "png")
    return services.add_scan(case, stack, by=alice, original=original, file_name="marked.png")[0]


def test_marks_of_a_depth_scale_are_proposed_and_applied_by_a_person_alone(marked, case, alice, client_of):
    client = client_of(alice)
    found = client.get(f"/scans/{marked.pk}/depth-marks/0").json()["found"]
    assert (found["start"], found["end"], found["steps"]) == (
        pytest.approx([6, 12], abs=0.1), pytest.approx([294, 12], abs=0.1), 12,
    )  # fmt: skip
    assert found["spacing_px"] == pytest.approx(24)
    assert found["error"] < 0.01
    assert found["choices_mm"] == [10, 5], "12 or 6 cm deep"
    assert not Calibration.objects.exists(), "nothing is applied by itself"
    (start, end), ends = (found["start"], found["end"]), ("row", "column")
    line = {f"start_{name}": value for name, value in zip(ends, start, strict=True)}
    line |= {f"end_{name}": value for name, value in zip(ends, end, strict=True)} | {"frame": 0}
    sent = line | {"length_mm": "120", "mark_mm": "10"}
    assert client.post(f"/scans/{marked.pk}/calibrations/", sent).status_code == 302
    row = Calibration.objects.get()
    assert (row.marks["steps"], row.marks["mark_mm"]) == (12, 10)
    assert row.column_spacing == pytest.approx(10 / 24, rel=0.001)
    page = client.get(case.get_absolute_url()).content.decode()
    assert "along 12 spacings of 10 mm" in page
    moved = line | {"end_row": end[0] - 5, "length_mm": "120", "mark_mm": "10"}
    client.post(f"/scans/{marked.pk}/calibrations/", moved)
    assert Calibration.objects.latest("created_at").marks is None, "an end was moved by hand"
    assert list(verification.faults()) == []


def test_programs_are_told_of_marks_too_and_of_none_where_there_are_none(marked, scan, alice):
    client = program(alice)
    told = [client.get(f"/api/v1/scans/{one.pk}/depth-marks/0").json()["found"] for one in (marked, scan)]
    assert (told[0]["steps"], told[1]) == (12, None)
    assert client.get(f"/api/v1/scans/{scan.pk}/depth-marks/7").status_code == 404
    stated = {"row_spacing": 0.2, "column_spacing": 0.2, "pixel_spacing_source": "PixelSpacing"}
    Image.objects.filter(pk=marked.image_id).update(**stated)
    assert client.get(f"/api/v1/scans/{marked.pk}/depth-marks/0").json()["found"] is None
