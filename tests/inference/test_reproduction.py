"""A stored answer and its explanations, run again: identical here, else the first difference is named."""

from io import StringIO
from uuid import uuid4

import answers
import pytest
from django.core.management import CommandError, call_command

from audit.models import Event
from inference import verification
from inference.models import Prediction
from inference.reproduction import reproduce

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
    found = {one.subject: (one.verdict, one.first) for one in reproduce(prediction, by=alice)}
    label = prediction.label
    assert found == {
        "answer": ("identical", ""),
        f"gradcam of {label}": ("identical", ""),
        f"lime of {label}": ("identical", ""),
    }
    line = Event.objects.get(verb="prediction.reproduced")
    assert line.subject_id == str(prediction.pk)
    assert [one["verdict"] for one in line.detail["verdicts"]] == ["identical"] * 3
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
    answer, *_ = reproduce(changed(prediction, intruder, **values), by=None)
    assert answer.verdict == verdict
    assert first in answer.first


def test_damaged_pixels_are_named_before_anything_is_run(prediction):
    answers.damage(prediction.image.pixels_id)
    (only,) = reproduce(prediction, by=None)
    assert only.verdict == "different"
    assert "not what it was" in only.first
