"""Several networks as one: made of the very weights of its members, and measured on the same pictures."""

import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
from django.core.management import CommandError, call_command
from engine_models import packed, record_of

from digests import sha256_hex
from inference.engine import catalogue, versions
from inference.engine.backends import with_onnxruntime
from inference.engine.measuring.width_evidence import MEMBER, WIDTH_LOG_ODDS, member_part, width_log_odds
from inference.engine.predict import predict
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.engine.uncertainty.steadiness import log_odds
from inference.engine.weights.ensemble_file import ENSEMBLE, MembersDiffer, composed
from inference.engine.weights.loaded_model import WeightsMismatch, load
from inference.formats.stack import PictureStack
from inference.models import Job, ModelVersion, Prediction
from inference.phantom import render, sample_spec
from inference.registry import service as registry
from inference.training.cards.combined import combined
from inference.training.cli.combine import main
from inference.training.evaluation.calibrate import Target

TARGET = Target("sensitivity", 0.9)


@pytest.fixture(scope="module")
def members():
    """Two networks with random weights and temperatures of their own."""
    contents = {network: packed(network) for network in ("cnn", "modified_cnn")}
    return [
        (record_of(content, network, temperature=temperature), content)
        for (network, content), temperature in zip(contents.items(), (0.5, 2.0), strict=True)
    ]


@pytest.fixture
def scan():
    return render(sample_spec(np.random.default_rng(1)), "ultrasound", seed=1).stack()


def loaded(members, content=None):
    content = content or composed(members)
    return load(record_of(content, "cnn", network=ENSEMBLE, temperature=1.0), content)


def test_an_ensemble_says_the_mean_of_how_convinced_its_members_are(members, scan):
    (said,) = predict(loaded(members), [scan])
    alone = [predict(load(record, content), [scan])[0] for record, content in members]
    odds = [
        log_odds(np.array(answer.logits), record.temperature)
        for answer, (record, _) in zip(alone, members, strict=True)
    ]
    assert log_odds(np.array(said.logits), 1.0) == pytest.approx(np.mean(odds), abs=1e-5)
    assert said.input_sha256 == alone[0].input_sha256, "all read the same picture"


@pytest.mark.parametrize(
    "change",
    [
        {"stray": np.zeros(2, np.float32)},
        {"temperatures": np.ones(5, np.float32)},
        {"members.cnn.stray": np.zeros(2, np.float32)},
    ],
)
def test_a_file_that_holds_anything_else_beside_its_members_is_refused(members, change):
    tensors = safetensors.numpy.load(composed(members)) | change
    with pytest.raises(WeightsMismatch, match="do not fit"):
        loaded(members, safetensors.numpy.save(tensors))


def test_an_ensemble_runs_no_network_that_was_just_asked_about_the_same_pictures(members, scan):
    pictures = prepare(scan, RECIPES["ultrasound-outline-2-128"]).tensor
    alone = [load(record, content) for record, content in members]
    said = [model.passed(pictures) for model in alone]
    runs = len(with_onnxruntime.remembered)
    loaded(members).passed(pictures)
    assert len(with_onnxruntime.remembered) == runs
    assert all(model.passed(pictures) is known for model, known in zip(alone, said, strict=True))
    assert not any(known.logits.flags.writeable for known in said), "shared by whoever asks again"


def test_its_file_does_not_depend_on_the_order_in_which_members_are_named(members):
    assert composed(members) == composed(members[::-1])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda m: m[:1], "at least two"),
        (lambda m: [m[0], (replace(m[1][0], modality="mri"), m[1][1])], "different modalities"),
        (lambda m: [m[0], (replace(m[1][0], preprocessing_sha256="0"), m[1][1])], "do not prepare"),
        (lambda m: [m[0], (replace(m[1][0], network="cnn"), m[1][1])], "versions of the same network"),
        (lambda m: [m[0], (replace(m[1][0], network=ENSEMBLE), m[1][1])], "member of another"),
        (
            lambda m: [
                (replace(one, network=n), c) for n, (one, c) in zip(("atrium", "ventricles"), m, strict=True)
            ],
            "name a network",
        ),
    ],
)
def test_versions_that_cannot_answer_as_one_are_refused_with_the_reason(members, spoil, said):
    with pytest.raises(MembersDiffer, match=said):
        composed(spoil(members))


def test_members_without_answers_on_the_same_pictures_are_refused(members):
    with pytest.raises(MembersDiffer, match="keeps no held-out answers"):
        combined([record for record, _ in members], "", version="1.0", target=TARGET, command="")
    ours = catalogue.named("cnn-ultrasound-3.1").record
    other = catalogue.named("modified_cnn-ultrasound-3.1").record
    fewer = replace(other, card={**other.card, "held_out_answers": other.card["held_out_answers"][1:]})
    with pytest.raises(MembersDiffer, match="not measured on the same pictures"):
        combined([ours, fewer], "", version="1.0", target=TARGET, command="")


@pytest.fixture(scope="module")
def measuring():
    """The shipped version that measures ultrasound, at the preparation of the random networks."""
    shipped = catalogue.newest("atrium", "ultrasound")
    return shipped.record, shipped.content()


def with_widths(members, measuring):
    content = composed([*members, measuring])
    card = {MEMBER: member_part(measuring[0])}
    return versions.load(record_of(content, "cnn", network=ENSEMBLE, temperature=1.0, card=card), content)


def head(scale: float = 1.0) -> PictureStack:
    """26 weeks; its file says that everything is so much larger."""
    spec = sample_spec(np.random.default_rng(11), label="normal", gestational_age_days=182)
    stack = render(spec, "ultrasound", seed=11, size=384).stack()
    return replace(stack, pixel_spacing=tuple(scale * mm for mm in stack.pixel_spacing))


def test_a_measured_width_moves_the_answer_and_its_views_by_what_it_is_worth(members, measuring):
    plain, measured = loaded(members), with_widths(members, measuring)
    alone = versions.load(*measuring)
    for stack in (head(), head(1.5)):
        (without,), (said,) = versions.predict(plain, [stack]), versions.predict(measured, [stack])
        (width,) = versions.predict(alone, [stack])
        added = width_log_odds(width.probability)
        assert added > 0
        assert said.quality[WIDTH_LOG_ODDS] == added
        assert log_odds(np.array(said.logits)) == pytest.approx(log_odds(np.array(without.logits)) + added)
        for mine, theirs in (
            (said.probability_low, without.probability_low),
            (said.probability, without.probability),
        ):
            assert odds_of(mine) == pytest.approx(odds_of(theirs) + added, abs=1e-6)


def odds_of(chance: float) -> float:
    return float(np.log(chance / (1 - chance)))


def test_where_nothing_is_measured_the_networks_decide_alone(members, measuring):
    stack = replace(head(), pixel_spacing=None)
    (without,), (said,) = (
        versions.predict(loaded(members), [stack]),
        versions.predict(with_widths(members, measuring), [stack]),
    )
    assert said.logits == without.logits
    assert WIDTH_LOG_ODDS not in said.quality


def test_a_width_adds_from_nothing_to_one_voice_in_three():
    assert width_log_odds(None) == width_log_odds(0.0) == 0.0
    assert width_log_odds(0.5) == pytest.approx(1.0)
    assert width_log_odds(1.0) == pytest.approx(2.0)
    steps = [width_log_odds(p) for p in np.linspace(0, 1, 50)]
    assert steps == sorted(steps)


def test_an_ensemble_that_measures_answers_only_with_what_measures(members, measuring, scan):
    content = composed([*members, measuring])
    record = record_of(
        content, "cnn", network=ENSEMBLE, temperature=1.0, card={MEMBER: member_part(measuring[0])}
    )
    with pytest.raises(ValueError, match="open it by"):
        predict(load(record, content), [scan])
    with pytest.raises(WeightsMismatch, match="settled"):
        versions.load(replace(record, card={}), content)


def test_a_measuring_member_must_have_been_asked_of_the_same_pictures(measuring):
    networks = [catalogue.named(f"{name}-ultrasound-3.1").record for name in ("cnn", "modified_cnn")]
    record = measuring[0]
    for chances, said in (
        (None, "keeps no held-out answers"),
        ({"another.png": 0.5}, "not measured on the same pictures"),
    ):
        evaluation = {**record.card["evaluation"], "chances": chances}
        changed = replace(record, card={**record.card, "evaluation": evaluation})
        with pytest.raises(MembersDiffer, match=said):
            combined([*networks, changed], "", version="1.0", target=TARGET, command="")


def test_a_file_with_a_member_that_nobody_knows_is_refused(members):
    tensors = safetensors.torch.load(composed(members))
    renamed = {name.replace("members.cnn.", "members.transformer."): t for name, t in tensors.items()}
    content = safetensors.torch.save(renamed)
    with pytest.raises(WeightsMismatch, match="transformer"):
        loaded(members, content)


def figures(record: str) -> dict:
    """A record without what the order of sums on one kind of CPU leaves in the last digits."""
    return json.loads(record, parse_float=lambda number: float(f"{float(number):.9g}"))


def test_the_shipped_ensemble_of_mri_holds_its_members_and_stands_on_the_answers_of_its_card():
    shipped = catalogue.newest(ENSEMBLE, "mri").record
    members = [(one.record, one.content()) for one in catalogue.members_of(shipped)]
    assert sha256_hex(composed(members)) == shipped.weights_sha256
    again = combined(
        [record for record, _ in members], shipped.weights_sha256, version="9", target=TARGET, command=""
    )
    assert again.temperature == pytest.approx(shipped.temperature, rel=1e-6)
    assert again.card["data"] == shipped.card["data"]
    assert again.card["held_out"]["auc"] == pytest.approx(shipped.card["held_out"]["auc"], rel=1e-6)
    odds = [one.card["evaluation"]["widened"] for one, _ in members]
    for row, *rows in zip(shipped.card["evaluation"]["widened"], *odds, strict=True):
        assert all(other[:3] == row[:3] for other in rows)
        assert row[3] == pytest.approx(np.mean([other[3] for other in rows]) / shipped.temperature, abs=2e-3)


@pytest.mark.parametrize("modality", ["ultrasound"])
def test_the_shipped_ensembles_are_made_again_by_the_command_on_their_card(modality, tmp_path):
    shipped = catalogue.newest(ENSEMBLE, modality).record
    words = shipped.card["training"]["command"].replace("DIR", str(tmp_path)).split()
    assert main(words[3:], StringIO()) == 0
    again = figures((tmp_path / f"{shipped.name}.json").read_text())
    kept = figures(shipped.to_json())
    for name in ("held_out", "confound", "counts", "selective"):
        assert again["card"][name] == kept["card"][name], name
    for name in ("weights_sha256", "temperature", "threshold", "members"):
        assert again[name] == kept[name], name


@pytest.mark.django_db
def test_registered_versions_become_an_ensemble_that_answers_nobody_yet(models):
    atrium = catalogue.newest("atrium", "ultrasound")
    registry.register(atrium.record, atrium.content, by=None)
    said = StringIO()
    asked = ["cnn:3.1", "modified_cnn:3.1", "atrium:1.1", "--modality", "ultrasound", "--version", "7.0"]
    call_command("combine", *asked, stdout=said)
    made = ModelVersion.objects.get(network=ENSEMBLE, version="7.0")
    assert made.state == ModelVersion.State.EVALUATED
    assert "AUC on held-out groups" in said.getvalue()
    assert made not in registry.active_versions("ultrasound")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["cnn:3.1", "cnn:9.9"], "No version cnn:9.9"),
        (["cnn:3.1"], "at least two"),
        (["cnn:3.1", "modified_cnn:3.1", "--target", "much"], "A target is"),
    ],
)
def test_what_cannot_be_combined_is_said_in_one_sentence(models, asked, said):
    with pytest.raises(CommandError, match=said):
        call_command("combine", *asked, "--modality", "ultrasound", "--version", "7.0")


@pytest.mark.django_db
def test_an_active_ensemble_answers_like_any_version_and_is_explained_by_its_members(
    models, case, alice, add_scan, run_jobs
):
    shipped = catalogue.newest(ENSEMBLE, "ultrasound")
    version = registry.register(shipped.record, shipped.content, by=None)
    registry.activate(version, by=None, reason="a test")
    scan = add_scan(case, alice)
    run_jobs(lime=False)
    (said,) = Prediction.objects.filter(image=scan.image, model_version=version)
    assert said.analysable
    assert said.weights_sha256 == shipped.record.weights_sha256
    assert not Job.objects.filter(kind=Job.Kind.EXPLAIN, model_version=version).exists()
