"""The version that measures: registered, seated and asked like the others, its calipers stored."""

import io
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch
from conftest import seat_shipped
from django.core.management import call_command

from audit.rows import faults
from cases.verification import KEPT
from inference.engine import catalogue, versions
from inference.engine.records import ATRIUM, WeightsRecord
from inference.engine.weights import smoke
from inference.engine.weights.loaded_model import WeightsMismatch
from inference.formats.spacing import CALIBRATED
from inference.jobs import loaded_models
from inference.models import Explanation, Job, ModelVersion, Prediction
from inference.phantom import render, sample_spec
from inference.registry import weights_upload
from inference.results import reproduce as reproduction
from inference.results import store as results
from inference.results import verify as verification
from inference.training.cli.measuring_card import main as measuring_card
from inference.training.evaluation.external_validation import evaluate, listed
from refusals import Refusal

SEED = 11


@pytest.fixture(scope="module")
def shipped() -> catalogue.Shipped:
    found = catalogue.newest(ATRIUM, "ultrasound")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def model(shipped):
    return versions.load(shipped.record, shipped.content())


@pytest.fixture(scope="module")
def head():
    """26 weeks, with its spacing."""
    spec = sample_spec(np.random.default_rng(SEED), label="normal", gestational_age_days=182)
    return render(spec, "ultrasound", seed=SEED, size=384)


def said(model, stack, age_days: int | None = 182):
    (answer,) = versions.predict(model, [stack], ages_days=[age_days])
    return answer


def test_the_shipped_record_is_that_of_the_shipped_weights_with_the_figures_of_the_page():
    told = io.StringIO()
    assert measuring_card([], told) == 0, (
        f"{told.getvalue()}: python -m inference.training.cli.measuring_card --write"
    )


def test_a_file_with_its_scale_is_measured_and_called_in_millimetres(model, head):
    stack = head.stack()
    answer = said(model, stack, None)
    assert answer.analysable
    first = answer.measurement["atria"][0]
    assert answer.measurement["scale"]["source"] == "file"
    assert (first["estimated"], answer.frames) == (False, (0,))
    assert answer.probability == pytest.approx(answer.measurement["probability"], abs=1e-4)
    assert answer.label == ("ventriculomegaly" if answer.probability >= 0.5 else "normal")
    assert answer.doubt == min(answer.probability, 1 - answer.probability)
    assert answer.quality["head_circumference_mm"] > 150
    assert answer.input_sha256


def test_an_age_estimates_the_millimetres_and_says_so(model, head):
    answer = said(model, replace(head.stack(), pixel_spacing=None, pixel_spacing_source=""))
    assert answer.measurement["scale"]["source"] == "gestational_age"
    assert answer.measurement["atria"][0]["estimated"]
    assert answer.analysable


def test_a_scale_that_a_reader_calibrated_comes_between_that_of_the_file_and_the_age(model, head):
    """A little off on purpose: what is measured in millimetres goes by it, and says so."""
    stack = head.stack()
    rows, columns = (1.1 * mm for mm in stack.pixel_spacing)
    by_file = said(model, stack).measurement["atria"][0]
    answer = said(model, replace(stack, pixel_spacing=(rows, columns), pixel_spacing_source=CALIBRATED))
    first = answer.measurement["atria"][0]
    assert answer.measurement["scale"] == {
        "mm_per_pixel": pytest.approx(min(rows, columns), abs=1e-5),
        "relative_error": 0.02,
        "source": "calibration",
    }
    assert first["width_px"] == by_file["width_px"]
    assert first["width_mm"] == pytest.approx(1.1 * by_file["width_mm"], abs=0.02)
    assert not first["estimated"]
    assert answer.quality["head_circumference_mm"] > 150, "the head is measured by it too"


def test_without_scale_or_age_the_share_of_the_head_is_given_and_nothing_is_called(model, head):
    answer = said(model, replace(head.stack(), pixel_spacing=None, pixel_spacing_source=""), None)
    assert (answer.analysable, answer.label, answer.probability) == (False, None, None)
    assert answer.refusal.code == "no_scale"
    first = answer.measurement["atria"][0]
    assert 0 < first["over_bpd"] < 1
    assert "width_mm" not in first


def test_what_the_gate_refuses_is_refused_by_its_code(model, head):
    assert said(model, head.stack(), 98).refusal.code == "too_early"
    other = render(sample_spec(np.random.default_rng(3)), "mri", seed=3).stack()
    assert said(model, other).refusal.code == "wrong_modality"


def test_a_head_without_an_atrium_says_so(shipped, head):
    card = {**shipped.record.card, "measuring": {"least_chance": 2.0, "error_factor": 1.5}}
    strict = versions.load(replace(shipped.record, card=card), shipped.content())
    answer = said(strict, head.stack())
    assert answer.refusal.code == "atrium_not_measurable"
    assert answer.measurement["atria"] == []
    assert answer.quality["head_circumference_mm"] > 150, "the head was measured all the same"


@pytest.mark.parametrize(
    "changes",
    [
        {"weights_sha256": "0" * 64},
        {"preprocessing_sha256": "0" * 64},
        {"card": {}},
        {"card": {"measuring": {"least_chance": "much", "error_factor": 1}}},
    ],
)
def test_a_record_that_does_not_fit_its_weights_is_refused(shipped, changes):
    with pytest.raises(WeightsMismatch):
        versions.load(replace(shipped.record, **changes), shipped.content())


@pytest.fixture
def retrained(shipped, tmp_path) -> catalogue.Shipped:
    """Weights of a training elsewhere, with the record that is made for an upload."""
    for name in ("atrium.json", "atrium.safetensors"):
        (tmp_path / name).write_bytes((catalogue.measuring_folder(ATRIUM) / name).read_bytes())
    told = io.StringIO()
    assert measuring_card(["--folder", str(tmp_path), "--version", "7.1", "--write"], told) == 0
    path = tmp_path / "atrium-ultrasound-7.1.json"
    record = WeightsRecord.from_json(path.read_text())
    assert "held_out" not in record.card, "figures are those of the shipped weights"
    return catalogue.Shipped(record, tmp_path / "atrium.safetensors")


@pytest.mark.django_db
def test_a_retrained_one_is_uploaded_as_a_draft_until_it_is_measured(retrained, manager, run_jobs):
    record = retrained.record.to_json()
    job = weights_upload.submit(ATRIUM, "ultrasound", "7.1", retrained.content(), record, by=manager)
    run_jobs()
    job.refresh_from_db()
    version = job.model_version
    assert (job.state, version.state, version.network) == ("succeeded", "draft", ATRIUM)
    assert version.card["measuring"] == retrained.record.card["measuring"]


@pytest.mark.django_db
def test_what_cannot_measure_is_refused(retrained, manager):
    with pytest.raises(Refusal, match="needs its record"):
        weights_upload.submit(ATRIUM, "ultrasound", "7.1", retrained.content(), b"", by=manager)
    for changed, modality, code in (
        (lambda tensors: tensors.pop("place.maps.bias"), "ultrasound", "wrong_names"),
        (lambda tensors: tensors.update({"width.maps.bias": torch.zeros(9)}), "ultrasound", "wrong_shape"),
        (lambda tensors: tensors["width.maps.bias"].fill_(torch.nan), "ultrasound", "not_finite"),
        (dict.items, "mri", "wrong_modality"),
    ):
        tensors = safetensors.torch.load(retrained.content())
        changed(tensors)
        with pytest.raises(Refusal) as refused:
            smoke.first_measurement(safetensors.torch.save(tensors), ATRIUM, modality)
        assert refused.value.code == code


def test_it_is_measured_on_a_labelled_folder_like_the_others(model, tmp_path):
    for label in ("normal", "ventriculomegaly"):
        (tmp_path / label).mkdir()
        for seed in (1, 2):
            spec = sample_spec(np.random.default_rng(seed), label=label, gestational_age_days=182)
            picture = render(spec, "ultrasound", seed=seed).png()
            (tmp_path / label / f"case-{label[0]}{seed}.png").write_bytes(picture)
    found = evaluate(model, tmp_path, listed(tmp_path))
    assert found["model"] == {"network": ATRIUM, "version": model.record.version}
    assert found["counts"]["answered"] + sum(found["counts"]["refused"].values()) == 4
    assert set(found["figures"]) >= {"sensitivity", "specificity"}


@pytest.mark.django_db
def test_every_start_registers_it_with_the_others():
    call_command("register_shipped", stdout=io.StringIO(), stderr=io.StringIO())
    version = ModelVersion.objects.get(network=ATRIUM)
    assert (version.modality, version.threshold) == ("ultrasound", 0.5)
    assert version.state in {"evaluated", "active"}


@pytest.fixture
def answered(case, alice, add_scan, run_jobs, head) -> Prediction:
    """One scan that the measuring version alone has answered, by the worker's own way."""
    ModelVersion.objects.filter(state="active").update(state="retired")
    seat_shipped({ATRIUM})
    scan = add_scan(case, alice, content=head.png())
    for job in Job.objects.exclude(model_version__network=ATRIUM):
        Job.objects.filter(pk=job.pk).update(state="cancelled", finished_at=job.created_at)
    run_jobs()
    return Prediction.objects.get(image=scan.image)


@pytest.mark.django_db
def test_a_worker_answers_with_it_and_its_calipers_are_part_of_the_row(answered, intruder):
    assert answered.measurement["atria"], answered.refusal_code
    assert answered.measurement["scale"]["source"] == "file"
    assert not Job.objects.filter(kind=Job.Kind.EXPLAIN).exists()
    assert not Explanation.objects.exists()
    assert results.answer_of(answered).measurement == answered.measurement
    assert not [one for one in verification.faults() if "prediction" in one]
    moved = {**answered.measurement, "probability": 0.0}
    before = results.digest(answered)
    answered.measurement = moved
    assert results.digest(answered) != before
    intruder(
        "UPDATE inference_prediction SET measurement = jsonb_set(measurement, '{probability}', '0.0') "
        "WHERE id = %s",
        [answered.pk],
    )
    named = [f"prediction {answered.pk}" in one for one in (*verification.faults(), *faults(KEPT))]
    assert sum(named) == 2, "the audit line and the row's digest both know it"


@pytest.mark.django_db
def test_it_is_run_again_and_comes_out_the_same(answered):
    loaded_models.forget_models()
    assert [one.verdict for one in reproduction.repeated(answered)] == ["identical"]
    stored = results.answer_of(answered)
    atria = [{**one, "width_px": one["width_px"] + 1} for one in stored.measurement["atria"]]
    other = replace(stored, measurement={**stored.measurement, "atria": atria})
    assert reproduction._answers(other, stored).verdict == "different"
    fewer = replace(stored, measurement={**stored.measurement, "atria": []})
    assert reproduction._answers(fewer, stored).first == "the calipers"
