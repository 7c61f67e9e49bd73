"""From a queued job to a stored answer, refusal or failure."""

import hashlib

import answers
import numpy as np
import pytest
from django.db import DatabaseError, IntegrityError, transaction

from audit.models import Event
from blobs import store
from inference.jobs import loaded_models, worker
from inference.jobs import state as jobs
from inference.models import Activation, Explanation, Job, ModelVersion, Prediction
from inference.results import images
from inference.results import store as results
from inference.results import verify as verification

pytestmark = pytest.mark.django_db


@pytest.fixture
def answered(case, alice, add_scan, run_jobs):
    """A phantom scan of Alice's case with every answer and its Grad-CAM."""
    scan = add_scan(case, alice)
    run_jobs(lime=False)
    return scan


def test_every_active_version_answers_once(answered):
    said = Prediction.objects.filter(image=answered.image)
    assert sorted(said.values_list("model_version__network", flat=True)) == ["cnn", "modified_cnn"]
    for prediction in said:
        assert prediction.label in {"normal", "ventriculomegaly"}
        assert 0 <= prediction.probability <= 1
        assert (prediction.label == "ventriculomegaly") == (prediction.probability >= prediction.threshold)
        assert prediction.weights_sha256 == prediction.model_version.weights_sha256


def test_one_claim_is_the_whole_reading_of_a_scan(case, alice, add_scan):
    """Every version and its Grad-CAM, from one preparation; LIME is work of its own."""
    scan = add_scan(case, alice)
    worker.work(Job.objects.filter(image=scan.image).first().pk)
    loaded_models.forget_models()
    assert Prediction.objects.filter(image=scan.image).count() == 2
    assert set(Explanation.objects.values_list("method", flat=True)) == {"gradcam"}
    left = Job.objects.exclude(state="succeeded")
    assert {(job.parameters["method"], job.state) for job in left} == {("lime", "queued")}


def test_every_answer_is_explained_by_grad_cam_and_lime(answered, run_jobs):
    run_jobs()
    for prediction in Prediction.objects.filter(image=answered.image):
        assert sorted(prediction.explanations.values_list("method", flat=True)) == ["gradcam", "lime"]
        for explanation in prediction.explanations.all():
            assert explanation.class_label == prediction.label
            heat = images.load_npy(explanation.heatmap_id)
            assert heat.dtype == np.float16
            assert heat.shape == (len(explanation.frames), answered.image.rows, answered.image.columns)
            assert np.isfinite(heat).all()
            assert explanation.signed == (explanation.method == "lime")


def test_everything_done_stands_in_the_cases_thread(answered, case):
    verbs = set(Event.objects.filter(thread=case.thread).values_list("verb", flat=True))
    assert verbs >= {"scan.added", "job.queued", "prediction.published", "explanation.published"}


def test_the_same_scan_gives_the_same_answer_again(answered, alice, run_jobs):
    first = Prediction.objects.filter(image=answered.image).order_by("model_version__network")
    before = [(p.input_sha256, p.probability) for p in first]
    for prediction in list(first):
        jobs.submit(
            Job.Kind.PREDICT, image=answered.image, model_version=prediction.model_version, requested_by=alice
        )
    run_jobs(lime=False)
    again = Prediction.objects.filter(image=answered.image).order_by("model_version__network", "created_at")
    assert again.count() == 4
    assert sorted({(p.input_sha256, p.probability) for p in again}) == sorted(before)


def test_a_blank_frame_is_an_answer_with_a_reason_and_not_a_fault(case, alice, add_scan, run_jobs, blank_png):
    scan = add_scan(case, alice, content=blank_png)
    run_jobs()
    for prediction in Prediction.objects.filter(image=scan.image):
        assert not prediction.analysable
        assert prediction.refusal_reason
        assert prediction.probability is None
        assert prediction.explanations.count() == 0
    assert not Job.objects.exclude(state="succeeded").exists()


@pytest.fixture
def blank_png() -> bytes:
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    Image.new("L", (256, 256), 90).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    "harm",
    [
        lambda _: b"not what it was",
        lambda whole: whole[:-1],
        lambda whole: whole[:100],
        lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
        lambda _: b"",
    ],
    ids=["replaced", "one byte short", "header only", "one bit flipped", "empty"],
)
def test_damaged_weights_are_quarantined_and_never_answer(harm, case, alice, add_scan, run_jobs):
    scan = add_scan(case, alice)
    version = ModelVersion.objects.get(network="cnn", modality="ultrasound")
    answers.damage(version.weights_sha256, harm(store.read(version.weights_sha256)))
    run_jobs()
    version.refresh_from_db()
    assert version.state == "quarantined"
    assert not Activation.objects.filter(model_version=version, ended_at__isnull=True).exists()
    failed = Job.objects.get(model_version=version)
    assert (failed.state, failed.failure_code) == ("failed", "model_integrity")
    assert Prediction.objects.get(image=scan.image).model_version.network == "modified_cnn"


def test_damaged_pixels_fail_the_job_with_their_reason(case, alice, add_scan, run_jobs):
    scan = add_scan(case, alice)
    answers.damage(scan.image.pixels_id)
    run_jobs()
    assert set(Job.objects.values_list("state", "failure_code")) == {("failed", "input_corrupt")}


@pytest.mark.parametrize("field", ["input_sha256", "weights_sha256", "preprocessing_sha256"])
def test_the_database_refuses_an_explanation_of_something_else(answered, field):
    bound = Explanation.objects.filter(method="gradcam").first()
    values = {f.attname: getattr(bound, f.attname) for f in Explanation._meta.concrete_fields}
    values |= {"id": None, "method": "forged", field: hashlib.sha256(b"other").hexdigest()}
    values.pop("id"), values.pop("created_at")
    with pytest.raises(IntegrityError, match="explanation_is_bound"), transaction.atomic():
        Explanation.objects.create(**values)


@pytest.mark.parametrize("table", [Prediction, Explanation])
def test_answers_and_explanations_never_change(answered, table):
    row = table.objects.first()
    with pytest.raises(TypeError):
        row.save()
    with pytest.raises(TypeError):
        row.delete()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        table.objects.filter(pk=row.pk).update(seconds=0)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        table.objects.filter(pk=row.pk)._raw_delete(using="default")


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("prediction", "probability = 0.01"),
        ("prediction", "doubt = 0"),
        ("prediction", "input_sha256 = repeat('0', 64)"),
        ("prediction", "preprocessing_sha256 = repeat('0', 64)"),
        ("explanation", "class_label = 'normal', explains_prediction = not explains_prediction"),
        ("explanation", "weights_sha256 = repeat('0', 64)"),
        ("explanation", "heatmap_id = (SELECT pixels_id FROM inference_image LIMIT 1)"),
    ],
)
def test_a_row_changed_behind_the_triggers_is_named(answered, intruder, table, change):
    assert list(verification.faults()) == []
    row = {"prediction": Prediction, "explanation": Explanation}[table].objects.first()
    intruder(f"UPDATE inference_{table} SET {change} WHERE id = %s", [str(row.pk)])
    assert any(str(row.pk) in fault for fault in verification.faults())


def test_a_row_deleted_behind_the_triggers_is_named(answered, intruder):
    row = Explanation.objects.first()
    intruder("DELETE FROM inference_explanation WHERE id = %s", [str(row.pk)])
    assert f"explanation {row.pk} was published and is gone" in verification.faults()


def test_a_stored_answer_comes_back_as_the_engines_record(answered):
    prediction = Prediction.objects.filter(image=answered.image).first()
    answer = results.answer_of(prediction)
    assert answer.probability == prediction.probability
    assert answer.input_sha256 == prediction.input_sha256
    assert answer.frames == tuple(prediction.frames)


def test_an_unreadable_blob_is_reported_by_the_store(answered):
    answers.damage(answered.image.original_id)
    assert list(store.corrupt()) == [f"blob {answered.image.original_id} has changed"]
