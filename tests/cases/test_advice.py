"""Advice on the next acquisition: given once for a state, answered once, and never told to a blind reader."""

import numpy as np
import pytest
from django.utils import timezone
from refused import refused

from audit.models import Event
from cases import verification
from cases.advice import service as advice_service
from cases.advice.performance import performance
from cases.advice.service import action_words
from cases.case_page.summary import summarise
from cases.models import Advice, AdviceAnswer, Advised, Case, FollowUp, ReadingRules
from cases.review.panel import review_panel
from inference.models import Image, Prediction, Quality
from inference.phantom import Defects, render, sample_spec
from inference.results import verify as images

pytestmark = pytest.mark.django_db
SPEC = sample_spec(np.random.default_rng(4), label="ventriculomegaly")


def spoiled_png(seed: int = 2, **defects: float) -> bytes:
    return render(SPEC, "ultrasound", seed=seed, defects=Defects(**defects)).png()


def advice_on(case, user) -> Advice:
    advice_service.give(case)
    found = advice_service.current_advice(review_panel(case, user), summarise(case))
    assert found is not None
    return found


@pytest.fixture
def blurred(case, alice, add_scan, run_jobs):
    """Alice's case with one blurred scan, answered."""
    scan = add_scan(case, alice, content=spoiled_png(blur=1.0))
    run_jobs(lime=False)
    Image.objects.filter(pk=scan.image_id).update(
        row_spacing=0.5, column_spacing=0.5, pixel_spacing_source="PixelSpacing"
    )
    # LIME would only tell more about the same answer; a case is advised on once nothing is at work
    scan.image.jobs.filter(state="queued").update(state="cancelled")
    return case


def test_a_blurred_scan_is_advised_to_be_repeated_with_its_value_limit_rule_and_source(blurred, alice):
    found = advice_on(blurred, alice)
    suggestion = next(one for one in found.suggestions if one["action"] == "mend_plane")
    why = {one["name"]: one for one in suggestion["why"]}["blur"]
    assert why["value"] >= why["threshold"]
    assert (why["rule"], why["source"], why["scan"], why["frame"]) == ("us-blur", "local setting", 1, 0)
    assert why["checker"].startswith("picture ")
    assert suggestion["seconds"] == 25
    assert found.rules_sha256 == advice_service.rules().sha256


def test_the_same_state_gets_the_same_advice_and_one_line_in_the_audit(blurred, alice, client_of):
    client = client_of(alice)
    assert "Next acquisition" not in client.get(blurred.get_absolute_url()).content.decode()
    assert not Advice.objects.exists(), "looking gives none"
    for _ in range(2):
        advice_service.catch_up()
        page = client.get(blurred.get_absolute_url())
        assert page.status_code == 200
    assert Advice.objects.filter(is_informed=True).count() == 1
    assert Event.objects.filter(verb="advice.given").count() == 1
    said = page.content.decode()
    assert "Next acquisition" in said
    assert "it commands no scanner and changes no answer" in said


def test_nothing_is_advised_while_a_scan_is_being_read_or_once_the_case_is_empty(case, alice, add_scan):
    assert advice_service.current_advice(review_panel(case, alice), summarise(case)) is None
    add_scan(case, alice)
    assert advice_service.current_advice(review_panel(case, alice), summarise(case)) is None


def test_a_blind_reader_is_advised_without_what_the_models_said(blurred, alice, client_of, department):
    informed = advice_on(blurred, alice)
    ReadingRules.objects.filter(department=department).update(mode=ReadingRules.Mode.READER_FIRST)
    blind = advice_on(blurred, alice)
    assert (informed.is_informed, blind.is_informed) == (True, False)
    assert all(one["probability"] is None for one in blind.before.values())
    names = {why["name"] for one in blind.suggestions for why in one["why"]}
    assert names <= {"blur", "smear", "noise", "saturation", "cut_off", "no_spacing"}
    answered = client_of(alice).post(f"/advice/{informed.pk}/answer/", {"place": 0, "outcome": "done"})
    assert answered.status_code == 404
    assert not AdviceAnswer.objects.exists()


def test_whoever_does_not_follow_says_why_and_answers_once(blurred, alice, client_of):
    found, client = advice_on(blurred, alice), client_of(alice)
    address = f"/advice/{found.pk}/answer/"
    client.post(address, {"place": 0, "outcome": "declined"})
    assert not AdviceAnswer.objects.exists()
    client.post(address, {"place": 0, "outcome": "declined", "reason": "The mother is tired."})
    client.post(address, {"place": 0, "outcome": "done"})
    given = AdviceAnswer.objects.get()
    assert (given.outcome, given.reason) == ("declined", "The mother is tired.")
    assert given.key not in {(one["action"], one["scan"]) for one in advice_on(blurred, alice).suggestions}
    told = [entry.more for entry in client.get(blurred.get_absolute_url()).context["timeline"]]
    assert f"{action_words(given.key[0])}: Declined: The mother is tired." in told
    assert not any(code in more for more in told for code in ("mend_plane", "repeat_plane", "nothing_helps"))


@pytest.fixture
def followed(blurred, alice, add_scan, run_jobs):
    """The blurred scan was repeated as advised, and the case was looked at again."""
    found = advice_on(blurred, alice)
    place = [one["action"] for one in found.suggestions].index("mend_plane")
    second = add_scan(blurred, alice, content=spoiled_png(seed=3))
    run_jobs(lime=False)
    second.image.jobs.filter(state="queued").update(state="cancelled")
    advice_service.answer(found, place, by=alice, outcome="done", follow_up=second)
    advice_on(blurred, alice)
    return blurred


def test_a_follow_up_is_linked_and_what_it_brought_is_kept(followed, alice):
    effect = FollowUp.objects.get()
    assert effect.before["checks"]["blur"] > effect.after["checks"]["blur"]
    assert effect.before["bits"] is not None
    assert effect.after["bits"] is not None
    now = {why["scan"] for one in advice_on(followed, alice).suggestions for why in one["why"]}
    assert 1 not in now, "what was wrong with a replaced scan is no news"
    assert not list(verification.faults())


def test_advice_changes_no_prediction_and_hides_no_positive(blurred, alice, client_of):
    before = list(Prediction.objects.order_by("pk").values())
    found = advice_on(blurred, alice)
    advice_service.answer(found, 0, by=alice, outcome="not_possible", reason="No more time.")
    page = client_of(alice).get(blurred.get_absolute_url()).content.decode()
    assert list(Prediction.objects.order_by("pk").values()) == before
    for row in before:
        if row["label"] == "ventriculomegaly":
            assert "Ventriculomegaly" in page


def test_missing_data_is_named_and_never_guessed(case, alice, small_scan, models):
    small_scan(case, alice, look="mri", shape=(1, 8, 10))
    Image.objects.get().jobs.update(state="cancelled")
    found = advice_on(case, alice)
    assert {one["name"] for one in found.not_assessable} == {"picture", "planes_missing", "thick_slices"}
    assert [one["action"] for one in found.suggestions] == ["export_with_scale"]


def test_advice_is_due_after_work_has_ended_and_after_whatever_a_person_writes(
    blurred, alice, add_scan, run_jobs
):
    assert advice_service.catch_up() == 1
    Advised.objects.update(at=timezone.now())
    assert advice_service.catch_up() == 0
    scan = add_scan(blurred, alice, content=spoiled_png(seed=3))
    assert advice_service.catch_up() == 1
    Advised.objects.update(at=timezone.now())
    run_jobs(lime=False)
    scan.image.jobs.filter(state="queued").update(state="cancelled")
    assert advice_service.catch_up() == 1
    assert {why["scan"] for why in advice_on(blurred, alice).suggestions[0]["why"]} == {1}


def test_a_program_reads_and_answers_advice_and_strangers_find_none(blurred, alice, charlie, api):
    advice_service.give(blurred)
    program = api(alice)
    said = program.get(f"/api/v1/cases/{blurred.pk}/advice/").json()["advice"]
    assert said["suggestions"][0]["why"][0]["source"]
    address = f"/api/v1/advice/{said['id']}/answers/"
    other = api(charlie)
    assert other.get(f"/api/v1/cases/{blurred.pk}/advice/").status_code == 404
    assert (
        other.post(address, {"place": 0, "outcome": "done"}, content_type="application/json").status_code
        == 404
    )
    done = {"place": 0, "outcome": "done"}
    assert program.post(address, done, content_type="application/json").status_code == 201
    again = program.post(address, done, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (422, "advice_answered")
    beyond = program.post(address, done | {"place": 9}, content_type="application/json")
    assert (beyond.status_code, beyond.json()["code"]) == (422, "no_such_suggestion")
    elsewhere = program.post(address, done | {"follow_up": 9}, content_type="application/json")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (422, "no_such_suggestion")


def test_changed_advice_and_changed_checks_are_found(blurred, alice, intruder):

    advice_on(blurred, alice)
    intruder("UPDATE cases_advice SET stop = 'refer'")
    intruder("UPDATE inference_quality SET version = '9.9'")
    assert any("advice" in fault for fault in verification.faults())
    assert any("quality" in fault for fault in images.faults())


def test_a_scan_is_checked_once_however_many_models_answer(blurred):
    assert Prediction.objects.count() == 2
    row = Quality.objects.get()
    assert {one["name"] for one in row.checks} == {"blur", "smear", "noise", "saturation", "cut_off"}
    assert Event.objects.filter(verb="quality.measured", subject_id=row.pk).count() == 1


@pytest.mark.usefixtures("followed")
def test_how_advice_has_performed_is_counted():
    told = {one.action: one for one in performance(Case.objects.all())}["mend_plane"]
    assert (told.done, told.not_done, told.followed, told.mended) == (1, 0, 1, 1)
    assert told.bits is not None


def test_once_the_case_is_signed_nothing_is_advised_or_answered(blurred, alice):
    found = advice_on(blurred, alice)
    Case.objects.filter(pk=blurred.pk).update(stage=Case.Stage.SIGNED)
    blurred.refresh_from_db()
    assert advice_service.current_advice(review_panel(blurred, alice), summarise(blurred)) is None
    with refused("case_signed"):
        advice_service.answer(found, 0, by=alice, outcome="done")
