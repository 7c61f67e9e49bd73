"""A stored answer and its explanations, run again: identical here, else the first difference is named."""

import json
from io import StringIO
from uuid import uuid4

import answers
import pytest
from django.core.management import CommandError, call_command

from audit.models import Event
from inference.engine.explain.lime import REVISION
from inference.models import Job, Prediction, Repetition
from inference.results import verify as verification
from inference.results.reproduce import reproduce

pytestmark = pytest.mark.django_db


@pytest.fixture
def prediction(case, alice, add_scan, run_jobs) -> Prediction:
    """One answer of Alice's scan with Grad-CAM and LIME."""
    scan = add_scan(case, alice)
    run_jobs()
    return Prediction.objects.get(image=scan.image, model_version__network="modified_cnn")


def changed(prediction: Prediction, intruder, **values) -> Prediction:
    for name, value in values.items():
        intruder(f"UPDATE inference_prediction SET {name} = %s WHERE id = %s", [value, str(prediction.pk)])
    return Prediction.objects.get(pk=prediction.pk)


def test_on_the_same_machine_everything_is_identical_to_the_byte(prediction, alice):
    row = reproduce(prediction, by=alice)
    found = {one["subject"]: (one["verdict"], one["first"]) for one in row.verdicts}
    label = prediction.label
    assert found == {
        "answer": ("identical", ""),
        f"gradcam of {label}": ("identical", ""),
        f"lime of {label}": ("identical", ""),
    }
    line = Event.objects.get(verb="prediction.reproduced")
    assert line.subject_id == str(row.pk)
    assert line.thread == prediction.job.thread
    assert row.verdict == "identical"
    assert list(verification.faults()) == []


def test_the_command_says_so_line_by_line(prediction):
    said = StringIO()
    call_command("reproduce", str(prediction.pk), stdout=said)
    assert said.getvalue().splitlines()[0] == "answer: identical"
    assert len(said.getvalue().splitlines()) == 3


def test_an_answer_that_nobody_gave_is_said_in_one_sentence(db):
    with pytest.raises(CommandError, match="There is no answer"):
        call_command("reproduce", str(uuid4()))


@pytest.mark.parametrize(
    ("values", "verdict", "first"),
    [
        ({"probability": 0.123}, "different", "the numbers alone"),
        ({"input_sha256": "0" * 64, "probability": 0.123}, "different", "input: 000000000000 before"),
        ({"backend": "torch"}, "within tolerance", "library onnxruntime"),
    ],
)
def test_the_first_thing_that_differs_is_named(prediction, intruder, values, verdict, first):
    answer, *_ = reproduce(changed(prediction, intruder, **values), by=None).verdicts
    assert answer["verdict"] == verdict
    assert first in answer["first"]


@pytest.mark.parametrize(
    ("before", "first"),
    [({}, "the map"), ({"revision": 1}, f"the method: revision 1 before, {REVISION} now")],
)
def test_a_map_made_by_an_earlier_revision_of_its_method_says_so(prediction, intruder, before, first):
    fewer = json.dumps({"samples": 96, **before})
    intruder("UPDATE inference_explanation SET parameters = parameters || %s::jsonb", [fewer])
    row = reproduce(prediction, by=None)
    found = {one["subject"]: (one["verdict"], one["first"]) for one in row.verdicts}
    assert found[f"lime of {prediction.label}"] == ("different", first)


def test_damaged_pixels_are_named_before_anything_is_run(prediction):
    answers.damage(prediction.image.pixels_id)
    row = reproduce(prediction, by=None)
    assert row.verdict == "different"
    assert "not what it was" in row.first


def test_a_verdict_that_was_changed_afterwards_is_found(prediction, intruder):
    row = reproduce(prediction, by=None)
    intruder("UPDATE inference_repetition SET machine = 'another' WHERE id = %s", [str(row.pk)])
    assert list(verification.faults()) == [f"repetition {row.pk} was changed after it was published"]


def test_the_button_on_the_case_page_runs_it_again_and_shows_the_verdict(
    prediction, case, auditor, client_of, run_jobs
):
    client = client_of(auditor)
    page = client.get(case.get_absolute_url()).content.decode()
    assert f"/answers/{prediction.pk}/run-again/" in page
    client.post(f"/answers/{prediction.pk}/run-again/")
    run_jobs()
    row = Repetition.objects.get(prediction=prediction)
    assert (row.verdict, row.job.requested_by) == ("identical", auditor)
    assert "identical" in client.get(case.get_absolute_url()).content.decode()


def test_nobody_from_elsewhere_can_ask_for_it(prediction, charlie, client_of):
    assert client_of(charlie).post(f"/answers/{prediction.pk}/run-again/").status_code == 404
    assert not Job.objects.filter(kind=Job.Kind.REPEAT).exists()


def test_the_api_asks_for_it_and_lists_what_came_of_it(prediction, alice, api, run_jobs):
    client = api(alice)
    asked = client.post(f"/api/v1/predictions/{prediction.pk}/repetitions/")
    assert asked.status_code == 202
    assert asked.json()["kind"] == "repeat"
    run_jobs()
    (found,) = client.get(f"/api/v1/predictions/{prediction.pk}/").json()["repetitions"]
    assert found["verdict"] == "identical"
    assert found["verdicts"][0]["subject"] == "answer"
