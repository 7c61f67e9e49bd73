"""Calipers: stored once, in mm where the scan says how large a pixel is, and never overwritten."""

import answers
import pytest

from cases import verification
from cases.models import Measurement, Scan, Withdrawal
from cases.review import measurements
from cases.review.measurements import CHECKLIST, Points
from cases.severity import SCHEMES, in_grey_zone
from inference.models import Image, Job

pytestmark = pytest.mark.django_db
SENT = {"tool": "atrial_width", "side": "left", "frame": 0, "checklist": ["axial", "glomus"]}
POINTS = {"start_row": 1, "start_column": 2, "end_row": 4, "end_column": 6}


@pytest.fixture
def scan(case, alice, small_scan) -> Scan:
    """8 x 10 pixels, no spacing."""
    return small_scan(case, alice)


def with_spacing(scan: Scan, rows: float, columns: float) -> Scan:
    spacing = {"row_spacing": rows, "column_spacing": columns, "pixel_spacing_source": "PixelSpacing"}
    Image.objects.filter(pk=scan.image_id).update(**spacing)
    return Scan.objects.select_related("image", "case").get(pk=scan.pk)


def width(scan, by, millimetres: float) -> Measurement:
    """An atrial width of so many mm, on pixels of 2 mm."""
    points = Points(0, (1.0, 1.0), (1.0, 1.0 + millimetres / 2))
    return measurements.measure(scan, points, by=by, tool="atrial_width", checklist=tuple(CHECKLIST))


def test_without_a_spacing_a_length_is_in_pixels_and_says_so(scan, alice, client_of, case):
    client = client_of(alice)
    stored = client.post(f"/scans/{scan.pk}/measurements/", SENT | POINTS)
    assert stored.status_code == 201
    assert stored.json()["value"] == "5.0 pixels (no scale known), provisional"
    one = Measurement.objects.get()
    assert (one.length_px, one.length_mm) == (5.0, None)
    assert one.checklist == {
        "axial": True, "cavum": False, "glomus": True, "perpendicular": False, "on_to_on": False,
    }  # fmt: skip
    page = client.get(case.get_absolute_url()).content.decode()
    assert "5.0 pixels (no scale known)" in page
    assert "Not confirmed: cavum septi pellucidi seen in front" in page
    assert "ventricle&#x27;s long axis" in page  # escaped once: an apostrophe is read as one


def test_rows_and_columns_have_spacings_of_their_own(scan, alice):
    one = measurements.measure(
        with_spacing(scan, 2.0, 0.5), Points(0, (1, 2), (4, 6)), by=alice, tool="distance"
    )
    assert one.length_mm == pytest.approx((6.0**2 + 2.0**2) ** 0.5)
    assert one.pixel_spacing_source == "PixelSpacing"


def with_regions(scan: Scan, *regions: dict) -> Scan:
    Image.objects.filter(pk=scan.image_id).update(regions=[*regions])
    return Scan.objects.select_related("image", "case").get(pk=scan.pk)


LEFT = {"rows": [0, 7], "columns": [0, 4], "frames": None, "spacing": [0.5, 0.25]}
RIGHT = {"rows": [0, 7], "columns": [5, 9], "frames": None, "spacing": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("start", "end", "millimetres"),
    [
        ((1, 0), (4, 4), (1.5**2 + 1) ** 0.5),
        ((1, 5), (1, 9), 8.0),
        ((1, 5), (4, 5), 3.0),
        ((1, 1), (1, 8), None),
    ],
)
def test_within_an_ultrasound_region_its_scale_holds_and_across_regions_none(
    scan, alice, start, end, millimetres
):
    points = Points(0, start, end)
    one = measurements.measure(with_regions(scan, LEFT, RIGHT), points, by=alice, tool="distance")
    assert one.length_mm == (pytest.approx(millimetres) if millimetres else None)
    assert one.pixel_spacing_source == "SequenceOfUltrasoundRegions"
    if millimetres is None:
        assert str(one) == "7.0 pixels (no one scale holds at both ends)"
        assert one.pixel_spacing is None


def test_each_frame_is_measured_by_its_own_scale(case, alice, small_scan):
    scan = small_scan(case, alice, shape=(3, 8, 10))
    whole = {"rows": [0, 7], "columns": [0, 9]}
    scan = with_regions(
        scan,
        whole | {"frames": [0, 0], "spacing": [1.0, 1.0]},
        whole | {"frames": [1, 1], "spacing": [2.0, 2.0]},
    )
    made = [
        measurements.measure(scan, Points(frame, (1, 1), (1, 6)), by=alice, tool="distance")
        for frame in (0, 1, 2)
    ]
    assert [one.length_mm for one in made] == [5.0, 10.0, None]


def test_the_page_says_that_no_one_scale_holds(scan, alice, client_of, case):
    with_regions(scan, LEFT, RIGHT)
    client = client_of(alice)
    across = {
        "start_row": 1,
        "start_column": 1,
        "end_row": 1,
        "end_column": 8,
        "tool": "distance",
        "frame": 0,
    }
    told = client.post(f"/scans/{scan.pk}/measurements/", across).json()
    assert told["value"] == "7.0 pixels (no one scale holds at both ends)"
    response = client.get(case.get_absolute_url())
    assert response.context["picture"]["regions"] == [LEFT, RIGHT]
    assert "in 2 parts of the scan, each its own" in response.content.decode()
    report = client.get(f"{case.get_absolute_url()}report/").content.decode()
    assert "7.0 pixels (no one scale holds at both ends)" in report


def test_without_a_scale_a_length_is_counted_along_the_shorter_side_of_a_pixel(scan, alice):
    Image.objects.filter(pk=scan.image_id).update(pixel_aspect=2.0)
    scan = Scan.objects.select_related("image", "case").get(pk=scan.pk)
    ways = [((1, 1), (3, 1)), ((1, 1), (1, 5))]
    made = [measurements.measure(scan, Points(0, *way), by=alice, tool="distance") for way in ways]
    assert [one.length_px for one in made] == [4.0, 4.0]
    assert {one.length_mm for one in made} == {None}


def test_the_viewer_is_told_rows_before_columns(scan, alice, client_of, case):
    with_spacing(scan, 2.0, 0.5)
    picture = client_of(alice).get(case.get_absolute_url()).context["picture"]
    assert (picture["spacing"], picture["rows"], picture["columns"]) == ([2.0, 0.5], 8, 10)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"end_row": 99}, "not_measurable"),
        ({"frame": 7}, "not_measurable"),
        ({"end_row": 1, "end_column": 2}, "not_measurable"),
        ({"tool": "hammer"}, "invalid"),
        ({"start_row": "nan"}, "invalid"),
    ],
)
def test_what_cannot_be_measured_is_refused_and_nothing_is_stored(scan, alice, client_of, changed, code):
    refused = client_of(alice).post(f"/scans/{scan.pk}/measurements/", SENT | POINTS | changed)
    assert refused.status_code in {400, 422}
    assert refused.json()["code"] == code
    assert not Measurement.objects.exists()


def test_a_measurement_is_withdrawn_with_a_reason_and_stays_on_record(scan, alice, client_of, case):
    client, one = client_of(alice), width(with_spacing(scan, 2, 2), alice, 12)
    client.post(f"/measurements/{one.pk}/withdraw/", {"reason": ""})
    assert not Withdrawal.objects.exists()
    client.post(f"/measurements/{one.pk}/withdraw/", {"reason": "Wrong plane."})
    client.post(f"/measurements/{one.pk}/withdraw/", {"reason": "Again."})
    assert Withdrawal.objects.get().reason == "Wrong plane."
    assert not Measurement.objects.active().exists()
    page = client.get(case.get_absolute_url()).content.decode()
    assert "Withdrawn: Wrong plane." in page
    assert list(verification.faults()) == []


def test_a_measurement_that_was_changed_is_found(scan, alice, intruder):
    one = width(with_spacing(scan, 2, 2), alice, 12)
    intruder("UPDATE cases_measurement SET length_mm = 8")
    assert list(verification.faults()) == [f"measurement {one.pk} was changed after it was filed"]


@pytest.mark.parametrize(
    ("millimetres", "shown"),
    [
        (8.0, ["Caliper and models differ", "is not wide"]),
        (10.4, ["Grey zone", "mild"]),
        (14.0, ["14.0 mm", "moderate", "SMFM Consult Series #45"]),
    ],
)
def test_the_page_says_what_follows_from_a_width(
    case, alice, small_scan, client_of, tmp_path, millimetres, shown
):
    answers.active_version(tmp_path)
    scan = small_scan(case, alice, shape=(1, 8, 12))
    answers.answer(Job.objects.get(image=scan.image))  # ventriculomegaly, 0.75
    width(with_spacing(scan, 2, 2), alice, millimetres)
    page = client_of(alice).get(case.get_absolute_url()).content.decode()
    assert all(words in page for words in shown)


@pytest.mark.parametrize(
    ("scheme", "millimetres", "severity"),
    [
        ("smfm-45", 9.99, ""), ("smfm-45", 10, "mild"), ("smfm-45", 12, "mild"),
        ("smfm-45", 12.01, "moderate"), ("smfm-45", 15, "moderate"),
        ("smfm-45", 15.01, "severe"), ("gaglioti-2005", 15, "severe"),
        ("gaglioti-2005", 12.1, "moderate"), ("two-step", 14, "mild"), ("two-step", 15.1, "severe"),
    ],
)  # fmt: skip
def test_severity_comes_from_millimetres_under_a_named_scheme(scheme, millimetres, severity):
    assert SCHEMES[scheme].of(millimetres) == severity


def test_the_grey_zone_lies_around_ten_millimetres():
    assert [in_grey_zone(mm) for mm in (8.9, 9, 10, 10.9, 11)] == [False, True, True, True, False]


def test_only_readers_of_the_department_measure(scan, auditor, charlie, client_of):
    address = f"/scans/{scan.pk}/measurements/"
    assert client_of(auditor).post(address, SENT | POINTS).status_code == 403
    assert client_of(charlie).post(address, SENT | POINTS).status_code == 404
