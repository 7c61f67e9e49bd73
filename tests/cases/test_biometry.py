"""What a head measures stands beside the answers, in report and API, and may contradict the stated age."""

from datetime import timedelta

import answers
import pytest
from django.test import Client

from accounts.tokens import issue_token
from cases import services
from cases.review.biometry import biometry_of
from inference.models import Job

pytestmark = pytest.mark.django_db

MEASURED = {"contrast": 0.4, "head_circumference_mm": 180.0, "biparietal_mm": 50.0}
"""18.0 cm around are 20w3d by Hadlock 1984."""


@pytest.fixture
def measured(case, alice, small_scan, tmp_path):
    answers.active_version(tmp_path)
    scan = small_scan(case, alice, shape=(1, 64, 80))
    answers.answer(Job.objects.get(image=scan.image), quality=MEASURED)
    return scan


def stated(case, weeks: int | None) -> None:
    type(case).objects.filter(pk=case.pk).update(gestational_age_days=weeks and 7 * weeks)


@pytest.mark.parametrize(
    ("weeks", "contradicts"), [(None, False), (20, False), (22, False), (23, True), (18, True), (19, False)]
)
def test_a_stated_age_more_than_two_weeks_away_is_asked_about(
    case, alice, client_of, measured, weeks, contradicts
):
    stated(case, weeks)
    page = client_of(alice).get(f"/cases/{case.pk}/").content.decode()
    report = client_of(alice).get(f"/cases/{case.pk}/report/").content.decode()
    for shown in (page, report):
        assert "Head circumference 180 mm, biparietal 50 mm (outer to outer): 20w3d by Hadlock" in shown
        assert ("more than two weeks from that" in shown) is contradicts


def test_the_api_gives_the_measures_with_the_answer(alice, measured):
    prediction = measured.image.predictions.get()
    program = Client(headers={"Authorization": f"Token {issue_token(alice, lifetime=timedelta(hours=1))}"})
    said = program.get(f"/api/v1/predictions/{prediction.pk}/").json()
    assert said["quality"]["head_circumference_mm"] == 180.0
    assert said["quality"]["biparietal_mm"] == 50.0


def test_without_a_scale_nothing_is_said(case, alice, client_of, small_scan, tmp_path):
    answers.active_version(tmp_path)
    scan = small_scan(case, alice, shape=(1, 64, 80))
    answers.answer(Job.objects.get(image=scan.image))
    assert "Head circumference" not in client_of(alice).get(f"/cases/{case.pk}/").content.decode()
    assert biometry_of([None], 140) is None


def test_ultrasound_is_asked_with_the_age_its_case_states(case, alice, small_scan, tmp_path):
    answers.active_version(tmp_path)
    stated(case, 22)
    case.refresh_from_db()
    scan = small_scan(case, alice)
    assert Job.objects.get(image=scan.image).parameters == {"gestational_age_days": 154}
    assert [job.parameters for job in services.submit_scan(scan, by=alice, frames=[0])] == [
        {"frames": [0], "gestational_age_days": 154}
    ]
