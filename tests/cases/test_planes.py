"""The two planes that are cut through the frames of a volume."""

import html

import numpy as np
import pytest
from corpus import series
from django.core.files.base import ContentFile

from audit.models import Event
from cases import intake
from cases.models import Measurement
from cases.review import measurements
from cases.review.measurements import Points
from cases.viewer import overlays
from inference.phantom.export import nifti_bytes
from inference.results.planes import letters_of, planes_of

pytestmark = pytest.mark.django_db
SHAPE, SPACING = (4, 24, 32), (0.8, 0.5)


@pytest.fixture
def volume(case, alice):
    """A volume whose every voxel is told apart, as far as 8 bits go."""
    pixels = np.random.default_rng(5).integers(1, 250, SHAPE).astype(np.uint8)
    file = ContentFile(nifti_bytes(pixels, SPACING, 3.0))
    scan, _ = intake.receive(case, file, modality="mri", by=alice, file_name="small.nii")
    return scan, pixels


def test_a_cut_shows_all_frames_at_one_row_or_column_the_head_up(volume, alice, client_of):
    scan, pixels = volume
    client = client_of(alice)
    for across, number, expected in (
        ("rows", 5, pixels[::-1, 5, :]),
        ("columns", 31, pixels[::-1, :, 31]),
    ):
        response = client.get(f"/scans/{scan.pk}/across/{across}/{number}?view=one")
        shown = np.frombuffer(response.content, f"<u{scan.image.bits // 8}").reshape(expected.shape)
        assert np.array_equal(shown, expected), across
        rows, columns = expected.shape
        assert response.headers["X-Picture"].startswith(f"{rows} x {columns} uint")
        assert response.headers["Cache-Control"] == "private, no-store"
    assert Event.objects.filter(verb="scan.viewed").count() == 1, "both belong to one look"


def test_the_planes_know_their_sides_and_where_the_head_lies(volume):
    image = volume[0].image
    coronal, sagittal = planes_of(image)
    assert (coronal.name, coronal.count, coronal.rows, coronal.columns) == ("coronal", 24, 4, 32)
    assert (sagittal.name, sagittal.count, sagittal.rows, sagittal.columns) == ("sagittal", 32, 4, 24)
    assert coronal.spacing == pytest.approx((3.0, 0.5), abs=1e-5)
    assert sagittal.spacing == pytest.approx((3.0, 0.8), abs=1e-5)
    assert (letters_of(image), coronal.letters, sagittal.letters) == (
        ("A", "L", "P", "R"), ("H", "L", "F", "R"), ("H", "P", "F", "A"),
    )  # fmt: skip


def test_how_the_volume_lies_is_kept_shown_and_told(volume, alice, case, client_of, api):
    scan, _ = volume
    expected = [[0.5, 0, 0], [0, 0.8, 0], [0, 0, 3.0]]
    assert np.asarray(scan.image.affine)[:, :3] == pytest.approx(np.array(expected), abs=1e-5)
    told = api(alice).get(f"/api/v1/scans/{scan.pk}/").json()
    assert (told["affine"], told["affine_source"]) == (scan.image.affine, "NIfTI sform")
    page = client_of(alice).get(case.get_absolute_url()).content.decode()
    assert "along the patient's axes (NIfTI sform)" in html.unescape(page)
    scan.image.affine = [[0.4, -0.3, 0, 0], [0.3, 0.4, 0, 0], [0, 0, 3, 0]]
    assert scan.image.tilt == pytest.approx(36.87, abs=0.01)


def test_where_nothing_says_how_frames_lie_no_letter_does(volume):
    image = volume[0].image
    image.plane = ""
    assert letters_of(image) is None
    assert [(plane.name, plane.letters) for plane in planes_of(image)] == [("", None), ("", None)]
    assert [plane["words"] for plane in overlays.planes(image)] == ["second plane", "third plane"]


@pytest.mark.parametrize(
    "lacking", [{"slice_spacing": None}, {"row_spacing": None}, {"regions": [{}]}, {"frames": 1}]
)
def test_what_is_no_volume_of_one_scale_has_no_other_planes(lacking, volume):
    image = volume[0].image
    for name, value in lacking.items():
        setattr(image, name, value)
    if "regions" in lacking:
        image.__dict__["parts"] = ("a part",)
    assert planes_of(image) == []


def test_a_plane_or_a_cut_that_there_is_not_is_not_found(volume, small_scan, case, alice, client_of):
    client, (scan, _) = client_of(alice), volume
    picture = small_scan(case, alice)
    assert client.get(f"/scans/{scan.pk}/across/rows/24").status_code == 404
    assert client.get(f"/scans/{scan.pk}/across/frames/0").status_code == 404
    assert client.get(f"/scans/{picture.pk}/across/rows/0").status_code == 404
    assert not Event.objects.filter(verb="scan.viewed").exists()


LINE = {"tool": "distance", "across": "rows", "frame": "5", "start_row": "0", "start_column": "4",
        "end_row": "3", "end_column": "8"}  # fmt: skip


def test_a_line_in_a_cut_is_measured_by_both_spacings_of_its_plane(volume, alice, client_of, api, case):
    scan, _ = volume
    client = client_of(alice)
    assert client.post(f"/scans/{scan.pk}/measurements/", LINE).status_code == 201
    one = Measurement.objects.get()
    assert (one.across, one.frame, one.pixel_spacing_source) == ("rows", 5, "NIfTI pixdim")
    assert one.length_mm == pytest.approx(np.hypot(3 * 3.0, 4 * 0.5), abs=1e-4)
    assert "coronal 6" in client.get(case.get_absolute_url()).content.decode()
    said = api(alice).get(f"/api/v1/cases/{case.pk}/reading/").json()["measurements"]
    assert [(row["across"], row["frame"]) for row in said] == [("rows", 5)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"frame": "24"},
        {"start_row": "4"},
        {"across": "columns", "end_column": "24.6"},
        {"tool": "atrial_width", "side": "left"},
    ],
)
def test_what_lies_in_no_cut_or_is_a_width_is_not_measured_there(wrong, volume, alice, client_of):
    answer = client_of(alice).post(f"/scans/{volume[0].pk}/measurements/", LINE | wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "not_measurable")
    assert not Measurement.objects.exists()


def test_nobody_measures_in_a_plane_that_a_scan_has_not(small_scan, case, alice, client_of):
    answer = client_of(alice).post(f"/scans/{small_scan(case, alice).pk}/measurements/", LINE)
    assert (answer.status_code, answer.json()["code"]) == (422, "not_measurable")


def test_the_report_shows_the_cut_with_its_line(volume, alice, case, client_of):
    measurements.measure(volume[0], Points(5, (0, 4), (3, 8), across="rows"), by=alice, tool="distance")
    page = client_of(alice).get(f"/cases/{case.pk}/report/").content.decode()
    assert "coronal 6 of 24" in page
    assert "Frame 3 of 4" in page


def test_the_page_says_whose_directions_the_letters_are(volume, alice, case, client_of):
    """A fetus need not lie along its mother: her right is no side of its brain."""
    client = client_of(alice)
    assert (
        "Letters: directions as the file states them" in client.get(case.get_absolute_url()).content.decode()
    )
    slices = np.random.default_rng(4).integers(1, 900, (30, 40, 48)).astype(np.uint16)
    file = ContentFile(series.multi_frame(slices, (1, 0, 0, 0, 0, -1)))
    scan, _ = intake.receive(case, file, modality="mri", by=alice, file_name="coronal.dcm")
    page = html.unescape(client.get(f"{case.get_absolute_url()}?scan={scan.number}").content.decode())
    assert "Letters: the mother's directions, as the file states them" in page
    assert (scan.image.plane, scan.image.acquired_plane) == ("axial", "coronal")


@pytest.mark.parametrize(
    ("spacing", "slices", "plane"),
    [
        ((0.8, 0.8), 3.0, "axial"), ((3.0, 0.8), 0.8, "coronal"), ((0.8, 3.0), 0.8, "sagittal"),
        ((0.8, 0.799999), 0.799999, "axial"), (None, 3.0, "axial"),
    ],
)  # fmt: skip
def test_axial_frames_remember_the_plane_of_the_slices_they_were_cut_out_of(spacing, slices, plane, volume):
    """So that advice asks for the planes that are missing, and not for those that were turned."""
    image = volume[0].image
    image.row_spacing, image.column_spacing = spacing or (None, None)
    image.slice_spacing = slices
    assert image.acquired_plane == plane
