"""MRI has its version that measures: asked, stored, run again and confirmed as that of ultrasound is."""

from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
from conftest import seat_shipped
from django.core.files.base import ContentFile

from cases import intake
from cases.models import Measurement
from cases.review.measurements import CHECKLIST
from inference.engine import catalogue, versions
from inference.engine.records import ATRIUM, MEASURING_NETWORKS, VENTRICLES
from inference.engine.weights import smoke
from inference.engine.weights.ensemble_file import MembersDiffer, refuse_unlike
from inference.engine.weights.loaded_model import WeightsMismatch
from inference.jobs import loaded_models
from inference.models import Explanation, Job, ModelVersion, Prediction
from inference.phantom import sample_spec
from inference.phantom.volume import volume
from inference.registry import weights_upload
from inference.results import reproduce as reproduction
from inference.results import verify as verification
from refusals import Refusal

SEED = 9_300_001


@pytest.fixture(scope="module")
def shipped() -> catalogue.Shipped:
    found = catalogue.newest(VENTRICLES, "mri")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def model(shipped):
    return versions.load(shipped.record, shipped.content())


@pytest.fixture(scope="module")
def head():
    """A normal head of 28 weeks in slices of 3 mm."""
    spec = sample_spec(np.random.default_rng(SEED), label="normal", gestational_age_days=196)
    return volume(spec, seed=SEED)


def said(model, stack):
    (answer,) = versions.predict(model, [stack])
    return answer


def test_both_atria_are_measured_by_the_files_own_scale_and_called_by_ten_millimetres(model, head):
    answer = said(model, head.stack())
    assert answer.analysable, answer.refusal
    atria = answer.measurement["atria"]
    assert [one["side"] for one in atria] == ["right", "left"]
    assert answer.measurement["scale"]["source"] == "file"
    assert not any(one["estimated"] for one in atria)
    assert answer.probability == pytest.approx(max(one["probability"] for one in atria), abs=1e-4)
    assert answer.label == ("ventriculomegaly" if answer.probability >= 0.5 else "normal")
    assert answer.frames == (answer.measurement["frame"],)
    assert answer.frame_rule == "the slice through the thalami whose atria are widest"
    assert answer.logits is None
    assert answer.input_sha256


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"pixel_spacing": None, "slice_spacing": None}, "no_scale"),
        ({"plane": "coronal"}, "not_axial"),
        ({"modality": "ultrasound"}, "wrong_modality"),
    ],
)
def test_what_it_cannot_measure_is_refused_by_name(model, head, change, code):
    answer = said(model, replace(head.stack(), **change))
    assert (answer.analysable, answer.refusal.code, answer.measurement) == (False, code, None)


def test_a_volume_without_an_atrium_says_so(shipped, head):
    settled = {**shipped.record.card["measuring"], "least_chance": 2.0}
    strict = versions.load(
        replace(shipped.record, card={**shipped.record.card, "measuring": settled}), shipped.content()
    )
    answer = said(strict, head.stack())
    assert answer.refusal.code == "atrium_not_measurable"
    assert answer.measurement["atria"] == []


def test_each_measuring_network_reads_one_modality_and_needs_what_was_settled_with_it(shipped):
    assert {one.record.network: one.record.modality for one in catalogue.measuring()} == {
        name: known.modality for name, known in MEASURING_NETWORKS.items()
    }
    other = catalogue.newest(ATRIUM, "ultrasound").record.card
    for changes in ({"card": {}}, {"card": other}, {"weights_sha256": "0" * 64}):
        with pytest.raises(WeightsMismatch):
            versions.load(replace(shipped.record, **changes), shipped.content())
    with pytest.raises(MembersDiffer, match="name a network"):
        refuse_unlike([shipped.record, replace(shipped.record, network=ATRIUM)])


def test_weights_from_outside_are_tried_on_a_phantom_of_their_modality(shipped):
    content = shipped.content()
    run = smoke.first_measurement(content, VENTRICLES, "mri")
    assert run["preprocessing_sha256"] == shipped.record.preprocessing_sha256
    tensors = safetensors.torch.load(content)
    for changed, modality, code in (
        ({}, "ultrasound", "wrong_modality"),
        ({"maps.weight": tensors["maps.weight"] * float("nan")}, "mri", "not_finite"),
        ({"maps.bias": tensors["maps.bias"][:3].clone()}, "mri", "wrong_shape"),
    ):
        with pytest.raises(Refusal) as refused:
            smoke.first_measurement(safetensors.torch.save({**tensors, **changed}), VENTRICLES, modality)
        assert refused.value.code == code


@pytest.mark.django_db
def test_retrained_weights_become_a_draft_with_what_was_settled_with_them(shipped, manager, run_jobs):
    with pytest.raises(Refusal, match="needs its record"):
        weights_upload.submit(VENTRICLES, "mri", "7.1", shipped.content(), b"", by=manager)
    stated = replace(shipped.record, version="7.1").to_json()
    job = weights_upload.submit(VENTRICLES, "mri", "7.1", shipped.content(), stated, by=manager)
    run_jobs()
    job.refresh_from_db()
    assert (job.state, job.model_version.network) == ("succeeded", VENTRICLES)
    assert job.model_version.card["measuring"] == shipped.record.card["measuring"]


@pytest.fixture
def answered(case, alice, models, run_jobs, head) -> Prediction:
    """A volume that the measuring version alone has answered, by the worker's own way."""
    ModelVersion.objects.filter(state="active").update(state="retired")
    seat_shipped({VENTRICLES})
    file = ContentFile(head.nifti(), name="head.nii")
    scan, _ = intake.receive(case, file, modality="mri", by=alice, file_name="head.nii")
    for job in Job.objects.exclude(model_version__network=VENTRICLES):
        Job.objects.filter(pk=job.pk).update(state="cancelled", finished_at=job.created_at)
    run_jobs()
    return Prediction.objects.get(image=scan.image)


@pytest.mark.django_db
def test_its_calipers_are_stored_drawn_run_again_and_confirmed_or_moved(answered, case, alice, client_of):
    assert [one["side"] for one in answered.measurement["atria"]] == ["right", "left"], answered.refusal_code
    assert not Job.objects.filter(kind=Job.Kind.EXPLAIN).exists()
    assert not Explanation.objects.exists()
    loaded_models.forget_models()
    assert [one.verdict for one in reproduction.repeated(answered)] == ["identical"]

    client = client_of(alice)
    page = client.get(case.get_absolute_url())
    marks = page.context["proposals"]
    assert [mark["frame"] for mark in marks] == [answered.measurement["frame"]] * 2
    said = page.content.decode()
    assert "Atrium on the left of the picture" in said
    assert "scale: stated by the file" in said
    assert "Explain by" not in said, "the calipers are its explanation"

    scan = case.scans.get(image=answered.image)
    for mark, moved in zip(marks, (0.0, 1.0), strict=True):
        (row, column), (end_row, end_column) = mark["start"], mark["end"]
        side = answered.measurement["atria"][mark["atrium"]]["side"]
        body = {
            "tool": "atrial_width", "side": side, "frame": mark["frame"], "checklist": list(CHECKLIST),
            "start_row": row, "start_column": column, "end_row": end_row, "end_column": end_column + moved,
            "proposal": mark["prediction"], "proposal_atrium": mark["atrium"],
        }  # fmt: skip
        assert client.post(f"/scans/{scan.pk}/measurements/", body).status_code == 201
    confirmed, moved_one = Measurement.objects.order_by("created_at")
    proposed = answered.measurement["atria"]
    assert confirmed.length_mm == pytest.approx(proposed[0]["width_mm"], abs=0.1)
    assert moved_one.length_mm != pytest.approx(proposed[1]["width_mm"], abs=0.1)
    said = client.get(case.get_absolute_url()).content.decode()
    version = answered.model_version
    assert f"Confirmed as ventricles {version.version} proposed it." in said
    assert f"Confirmed from a proposal of ventricles {version.version}, moved by" in said
    assert not [one for one in verification.faults() if "prediction" in one]
