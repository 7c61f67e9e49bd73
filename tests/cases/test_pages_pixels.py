"""What the viewer fetches: the scan's own numbers, and the heatmap's."""

import base64
import io

import answers
import numpy as np
import pytest
from corpus.discs import KINDS, roundness
from corpus.reading import decode
from django.core.files.storage import storages
from PIL import Image as Pillow

from audit.models import Event
from blobs import store
from cases import services
from cases.viewer.pixels import frame_png, overlay_png, thumbnail
from inference.models import Explanation, Job
from inference.results import images
from inference.results.superpixels import NotTogether

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("look", "kind"), [("ultrasound", "<u1"), ("mri", "<u2")])
def test_a_frame_is_the_scans_own_numbers(look, kind, case, alice, small_scan, client_of):
    scan = small_scan(case, alice, look=look, shape=(3, 8, 10))
    response = client_of(alice).get(f"/scans/{scan.pk}/frames/2")
    pixels = np.frombuffer(response.content, kind).reshape(8, 10)
    assert np.array_equal(pixels, images.stack_of(scan.image).pixels[2])
    assert response.headers["X-Picture"] == f"8 x 10 uint{8 * pixels.itemsize} little-endian"
    assert response.headers["Cache-Control"] == "private, no-store"


def test_a_heatmap_is_half_precision_at_the_scans_size(case, alice, small_scan, client_of, tmp_path):
    answers.active_version(tmp_path)
    small_scan(case, alice)
    explanation = answers.explanation(answers.answer(Job.objects.get()))
    response = client_of(alice).get(f"/explanations/{explanation.pk}/heatmap/0")
    values = np.frombuffer(response.content, "<f2").reshape(8, 10)
    assert np.array_equal(values, images.load_npy(explanation.heatmap_id)[0])


def test_the_pieces_of_an_explanation_come_with_their_weights_and_all_they_are_bound_to(
    case, alice, small_scan, client_of, tmp_path
):
    answers.active_version(tmp_path)
    small_scan(case, alice)
    explanation = answers.explanation(answers.answer(Job.objects.get()))
    said = client_of(alice).get(f"/explanations/{explanation.pk}/pieces/0").json()
    assert [(one["rank"], one["number"], one["weight"], one["pixels"]) for one in said["pieces"]] == [
        (1, 1, 0.5, 40), (2, 0, -0.25, 40),
    ]  # fmt: skip
    assert said["pieces"][0]["outline"] == "M5 0h5v8h-5z"
    assert said["segments_sha256"] == explanation.segments_id
    assert said["weights_sha256"] == explanation.prediction.weights_sha256
    assert (said["input_sha256"], said["preprocessing"]) == (answers.INPUT, "head-crop-1")
    assert Event.objects.filter(verb="explanation.viewed").count() == 1
    in_german = client_of(alice).get(f"/explanations/{explanation.pk}/pieces/0", HTTP_ACCEPT_LANGUAGE="de")
    assert in_german.json() == said


def test_a_method_without_pieces_has_none_and_a_frame_past_the_end_is_not_found(
    case, alice, small_scan, client_of, tmp_path
):
    answers.active_version(tmp_path)
    small_scan(case, alice)
    prediction = answers.answer(Job.objects.get())
    lime, gradcam = (answers.explanation(prediction, method=method) for method in ("lime", "gradcam"))
    for address in (f"{lime.pk}/pieces/1", f"{gradcam.pk}/pieces/0"):
        assert client_of(alice).get(f"/explanations/{address}").status_code == 404


def test_pieces_that_do_not_fit_their_map_are_never_shown(
    case, alice, small_scan, client_of, tmp_path, intruder
):
    answers.active_version(tmp_path)
    small_scan(case, alice)
    prediction = answers.answer(Job.objects.get())
    lime, gradcam = (answers.explanation(prediction, method=method) for method in ("lime", "gradcam"))
    intruder("UPDATE inference_explanation SET heatmap_id = %s WHERE id = %s", [gradcam.heatmap_id, lime.pk])
    with pytest.raises(NotTogether):
        client_of(alice).get(f"/explanations/{lime.pk}/pieces/0")


@pytest.mark.parametrize("number", [1, 99])
def test_a_frame_past_the_end_is_not_found(number, case, alice, small_scan, client_of):
    scan = small_scan(case, alice)
    assert client_of(alice).get(f"/scans/{scan.pk}/frames/{number}").status_code == 404


def test_a_scan_is_one_line_in_the_audit_for_each_view_of_the_page(case, alice, bob, small_scan, client_of):
    scan = small_scan(case, alice, shape=(3, 8, 10))
    alices, bobs = client_of(alice), client_of(bob)
    for number in (0, 1, 2, 1):
        alices.get(f"/scans/{scan.pk}/frames/{number}", {"view": "one"})
    alices.get(f"/scans/{scan.pk}/frames/0", {"view": "two"})
    bobs.get(f"/scans/{scan.pk}/frames/0", {"view": "one"})
    told = Event.objects.filter(verb="scan.viewed", subject_id=str(scan.pk)).order_by("id")
    assert [(event.actor_name, event.detail["view"]) for event in told] == [
        ("alice", "one"), ("alice", "two"), ("bob", "one"),
    ]  # fmt: skip


def test_a_fetch_outside_any_view_of_a_page_is_recorded_every_time(case, alice, small_scan, client_of):
    scan = small_scan(case, alice)
    for _ in range(2):
        client_of(alice).get(f"/scans/{scan.pk}/frames/0")
    assert Event.objects.filter(verb="scan.viewed").count() == 2


def test_a_thumbnail_shows_what_fills_the_frame(case, alice, small_scan):
    scan = small_scan(case, alice, shape=(1, 40, 60))
    picture = Pillow.open(io.BytesIO(base64.b64decode(thumbnail(scan.image.pixels_id, 0).split(",")[1])))
    assert picture.size == (60, 40)
    assert np.ptp(np.asarray(picture)) == 255


@pytest.mark.parametrize("kind", KINDS)
def test_a_disc_is_round_as_a_thumbnail_in_a_report_and_under_a_map(kind, case, alice, tmp_path):
    one = KINDS[kind]
    stack = decode(one.file, one.modality, one.name)
    scan, _ = services.add_scan(case, stack, by=alice, original=store.put(one.file), file_name=one.name)
    image, middle = scan.image, stack.pixels.shape[0] // 2
    assert image.aspect == pytest.approx(one.spacing[0] / one.spacing[1], rel=0.01)
    small = base64.b64decode(thumbnail(image.pixels_id, middle, image.aspect).split(",")[1])
    ends = ((10.0, 10.0), (10.0, 20.0))
    for png in (small, frame_png(image, middle), frame_png(image, middle, {1: ends})):
        assert roundness(np.asarray(Pillow.open(io.BytesIO(png)).convert("L"))) == pytest.approx(1, rel=0.015)
    heat = Explanation(heatmap_id=store.put(images.npy(np.ones((1, *stack.pixels.shape[1:]), "f2"))).sha256)
    red = np.asarray(Pillow.open(io.BytesIO(overlay_png(image, middle, heat, 0))))[..., 0]
    assert roundness(np.where(red > red.mean() + 10, 255, 0)) == pytest.approx(1, rel=0.015)


def test_a_line_in_a_report_lies_where_it_was_drawn(case, alice):
    """On pixels twice as wide as high: from the disc's left edge to its right one."""
    one = KINDS["PixelSpacing 1:2"]
    stack = decode(one.file, one.modality, one.name)
    scan, _ = services.add_scan(case, stack, by=alice, original=store.put(one.file), file_name=one.name)
    row, columns = (
        stack.pixels.shape[1] // 2,
        np.nonzero(stack.pixels[0, stack.pixels.shape[1] // 2] > 135)[0],
    )
    png = frame_png(scan.image, 0, {1: ((row, columns[0]), (row, columns[-1]))})
    colour = np.asarray(Pillow.open(io.BytesIO(png))).astype(int)
    yellow = np.nonzero((colour[..., 0] - colour[..., 2] > 100)[colour.shape[0] // 2])[0]
    disc = np.nonzero(colour[colour.shape[0] // 4, :, 2] > 135)[0]
    assert (yellow[0] + yellow[-1]) / 2 == pytest.approx((disc[0] + disc[-1]) / 2, abs=8)
    assert yellow[-1] - yellow[0] == pytest.approx(30 / 0.15 * colour.shape[1] / 320, rel=0.06)


def test_a_case_whose_stored_pixels_are_gone_still_opens(case, alice, small_scan, client_of):
    scan = small_scan(case, alice, seed=77)
    storages["blobs"].delete(f"{(name := scan.image.pixels_id)[:2]}/{name[2:4]}/{name}")
    page = client_of(alice).get(case.get_absolute_url()).content.decode()
    assert "The stored picture cannot be read." in page
