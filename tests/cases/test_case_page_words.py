"""What the case page says at a glance: how far from its threshold, what is ready, what happened."""

import answers
import pages
import pytest

from cases.case_page.summary import from_threshold
from cases.models import ReadingRules
from cases.review import measurements
from cases.review.measurements import CHECKLIST, Points
from inference.jobs import state as jobs
from inference.models import Job

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("probability", "threshold", "place"),
    [
        (0.3, 0.3, 50),
        (0.8, 0.8, 50),
        (1.0, 0.3, 100),
        (0.0, 0.8, 0),
        (0.65, 0.3, 75),
        (0.15, 0.3, 25),
        (1.0, 1.0, 50),
    ],
)
def test_every_threshold_stands_in_the_middle_of_the_scale(probability, threshold, place):
    assert from_threshold(probability, threshold) == pytest.approx(place)


@pytest.fixture
def explained(case, alice, small_scan, tmp_path):
    """A case with one answer, of whose two explanations one is there."""
    version = answers.active_version(tmp_path)
    said = answers.answer(Job.objects.get(image=small_scan(case, alice).image))
    answers.explanation(said, method="gradcam")
    jobs.submit(
        Job.Kind.EXPLAIN,
        image=said.image,
        model_version=version,
        prediction=said,
        requested_by=None,
        thread=case.thread,
        parameters={"method": "lime", "class_label": said.label},
    )
    return case


def test_answers_that_stand_are_not_being_read_while_explanations_are_missing(explained, alice, client_of):
    page = client_of(alice).get(explained.get_absolute_url()).content.decode()
    assert "Answers ready, explanations 1 of 2" in page


def test_a_blind_reader_is_not_told_what_is_ready(explained, department, alice, client_of):
    ReadingRules.objects.filter(department=department).update(mode=ReadingRules.Mode.READER_FIRST)
    page = client_of(alice).get(explained.get_absolute_url()).content.decode()
    assert "Answers ready" not in page
    assert "Being read" in page


def test_the_timeline_keeps_the_machines_steps_apart_from_what_people_and_models_did(
    explained, alice, client_of
):
    entries = client_of(alice).get(explained.get_absolute_url()).context["timeline"]
    noise = {entry.what for entry in entries if entry.is_noise}
    told = {entry.what for entry in entries if not entry.is_noise}
    assert "queued a job" in noise
    assert {"opened the case", "added a scan", "looked at the case"} <= told


def test_the_verdict_says_that_a_confirmed_width_agrees_and_only_then(explained, alice, client_of):
    client, scan = client_of(alice), explained.scans.get()
    scan.image.__class__.objects.update(row_spacing=2.0, column_spacing=2.0, pixel_spacing_source="a test")
    scan.refresh_from_db()
    points = Points(0, (1.0, 1.0), (1.0, 7.0))

    def verdict() -> str:
        return client.get(explained.get_absolute_url()).content.decode()

    measurements.measure(scan, points, by=alice, tool="atrial_width", side="left")
    assert "agrees." not in verdict(), "its plane is not confirmed"
    measurements.measure(scan, points, by=alice, tool="atrial_width", side="left", checklist=list(CHECKLIST))
    assert "The measured width, 12.0 mm, agrees." in verdict()


def test_the_models_table_has_one_row_of_each_model(explained, alice, client_of):
    page = client_of(alice).get(explained.get_absolute_url()).content.decode()
    assert page.count('<tbody class="answer"') == Job.objects.filter(kind=Job.Kind.PREDICT).count()
    assert page.count("The models: Ventriculomegaly.") <= 2, "the verdict, and beside the read's own form"
    assert pages.hidden_fields(page)["shown_answers"]
