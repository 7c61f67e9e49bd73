"""Measuring a finished version: refusals are counted, curves are right, the result stays with it."""

import csv
import json
import re
from io import StringIO
from pathlib import Path

import engine_models
import numpy as np
import pytest
from conftest import PLAIN_HEADS
from django.core.management import CommandError, call_command
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from audit.models import Event
from inference.charts import card_plots as plots
from inference.charts import svg as charts
from inference.engine import catalogue
from inference.models import Evaluation, ModelVersion
from inference.phantom import render, sample_spec
from inference.registry import service as registry
from inference.training.cards.card_page import markdown
from inference.training.cli.evaluate import main
from inference.training.cli.results import (
    BEGIN,
    CARDS,
    END,
    README,
    beside,
    difference,
    table,
    with_table,
)
from inference.training.data.groups import GroupLeak
from inference.training.evaluation.curves import answers, precision_recall, reliability, roc
from inference.training.evaluation.external_validation import listed
from inference.training.evaluation.figures import auc, average_precision, shares

RNG = np.random.default_rng(0)
TRUTH = np.repeat([0, 1], 40)
CHANCES = np.round(np.clip(RNG.normal(0.35 + 0.3 * TRUTH, 0.2), 0, 1), 2)
GROUPS = np.array([f"g{n // 2}" for n in range(80)])


def test_areas_agree_with_scikit_learn_ties_included():
    assert auc(TRUTH, CHANCES) == pytest.approx(roc_auc_score(TRUTH, CHANCES))
    assert average_precision(TRUTH, CHANCES) == pytest.approx(average_precision_score(TRUTH, CHANCES))


def test_the_roc_curve_passes_through_scikit_learns_corners():
    found = roc(TRUTH, CHANCES, GROUPS)
    x, y, _ = roc_curve(TRUTH, CHANCES, drop_intermediate=False)
    assert found.y == pytest.approx(np.interp(found.x, x, y), abs=0.02)
    assert (found.low <= found.y + 1e-9).all()
    assert (found.y <= found.high + 1e-9).all()


def test_precision_is_the_best_one_with_at_least_that_sensitivity():
    found = precision_recall(TRUTH, CHANCES, GROUPS)
    precision, recall, _ = precision_recall_curve(TRUTH, CHANCES)
    wanted = [precision[:-1][recall[:-1] >= x - 1e-9].max() for x in found.x]
    assert found.y == pytest.approx(np.array(wanted))


def test_reliability_puts_every_answer_into_one_part():
    parts = reliability(TRUTH, CHANCES)
    assert sum(part.found.count for part in parts) == len(TRUTH)
    assert sum(part.found.value * part.found.count for part in parts) == pytest.approx(TRUTH.sum())


def test_swapping_the_classes_swaps_sensitivity_and_specificity():
    called = CHANCES >= 0.5
    one, other = shares(TRUTH, called), shares(1 - TRUTH, ~called)
    assert one["sensitivity"] == other["specificity"]
    assert one["positive_predictive_value"] == other["negative_predictive_value"]


def test_a_model_beats_a_worse_one_and_does_not_beat_itself():
    worse = RNG.permutation(CHANCES)
    assert difference(TRUTH, CHANCES, worse, GROUPS).low > 0
    same = difference(TRUTH, CHANCES, CHANCES, GROUPS)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_charts_have_a_name_words_and_the_numbers_behind_them():
    stored = [[int(t), float(c), n // 2] for n, (t, c) in enumerate(zip(TRUTH, CHANCES, strict=True))]
    figure = {"value": 0.8, "low": 0.7, "high": 0.9, "count": 40}
    drawn = plots.charts(
        {"held_out_answers": stored, "held_out": {"sensitivity": figure, "specificity": figure}}
    )
    assert [chart.title for chart in drawn] == ["ROC", "Precision and recall", "Reliability"]
    for chart in drawn:
        assert chart.svg.startswith("<svg")
        assert 'role="img" aria-label="' in chart.svg
        assert "style=" not in chart.svg, "the page's content policy allows no inline style"
        assert chart.rows
        assert "<style>" in charts.standalone(chart)
    assert plots.charts({}) == []
    truth, chances, _ = answers(stored)
    assert (truth == TRUTH).all()
    assert chances == pytest.approx(CHANCES)


def test_the_readmes_table_is_what_the_cards_say():
    text = README.read_text()
    assert with_table(text, table()) == text, "python -m inference.training.cli.results --write"
    assert text.count(BEGIN) == text.count(END) == 1


def test_every_ultrasound_card_says_what_the_answer_loses_without_the_pictures_border():
    cards = [one.record.card for one in catalogue.shipped() if one.record.modality == "ultrasound"]
    assert cards
    for card in cards:
        checks = card["confound"]
        lost = checks["border_removed_minus_whole"]
        whole, removed = card["held_out"]["auc"]["value"], checks["auc_border_removed"]["value"]
        if "measured_member" in card:
            assert any("of its networks alone" in said for said in card["limits"])
        else:
            assert lost["value"] == pytest.approx(removed - whole, abs=1e-3)
        assert lost["low"] <= lost["value"] <= lost["high"]


def test_every_shipped_card_says_how_it_does_beside_the_baseline_and_has_its_page():
    records = [one.record for one in catalogue.shipped()]
    for record in records:
        page = CARDS / f"{record.name}.md"
        others = beside(record, records)
        assert page.read_text() == markdown(record, others), (
            "python -m inference.training.cli.results --write"
        )
        said = record.card["against_baseline"]
        assert said.endswith(
            ("beats it.", "is beaten.", "not settled.", "are compared with.", "comparable: other pictures.")
        ), said


def test_a_cards_page_writes_small_learning_rates_out():
    vgg16 = catalogue.newest("vgg16", "ultrasound").record
    assert vgg16.card["training"]["rate"] == 1e-4
    assert "| rate | 0.0001 |" in markdown(vgg16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Six phantoms, a blank frame called normal, a file that is no picture, one scan of neither class."""
    folder = tmp_path_factory.mktemp("labelled")
    rows = []
    for number in range(6):
        label = ("normal", "ventriculomegaly")[number % 2]
        spec = sample_spec(np.random.default_rng(PLAIN_HEADS[number]), label=label)
        (folder / f"{number}.png").write_bytes(render(spec, "ultrasound", seed=PLAIN_HEADS[number]).png())
        rows.append({"file": f"{number}.png", "label": label, "group": f"patient-{number}"})
    rows[1] |= {"group": "mild-22", "severity": "mild"}
    blank = render(sample_spec(np.random.default_rng(0)), "ultrasound", seed=0)
    object.__setattr__(blank, "pixels", np.zeros_like(blank.pixels))
    (folder / "blank.png").write_bytes(blank.png())
    (folder / "text.png").write_bytes(b"no picture")
    (folder / "other.png").write_bytes((folder / "0.png").read_bytes())
    rows += [
        {"file": "blank.png", "label": "normal", "group": "b"},
        {"file": "text.png", "label": "normal", "group": "t"},
        {"file": "other.png", "label": "cyst", "group": "o"},
    ]
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["file", "label", "group", "severity"])
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture
def weights(tmp_path) -> Path:
    """A weights file with its record, as training lays them down."""
    content = engine_models.packed("modified_cnn")
    path = tmp_path / "modified_cnn-ultrasound-0.0.safetensors"
    path.write_bytes(content)
    path.with_suffix(".json").write_bytes(engine_models.record_of(content, "modified_cnn").to_json())
    return path


def test_what_the_engine_refuses_is_counted_and_never_dropped_in_silence(folder, weights, tmp_path):
    said = StringIO()
    arguments = [str(weights), "--data", str(folder), "--json", str(tmp_path / "found.json")]
    assert main([*arguments, "--plots", str(tmp_path / "plots")], said) == 0
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["counts"]["refused"] == {"blank": 1, "unsupported_type": 1}
    assert (found["counts"]["scans"], found["counts"]["answered"]) == (9, 7)
    assert found["figures"]["auc"]["count"] == 6
    assert set(found["by_severity"]) == {"mild"}
    assert set(found["by_week"]) == {"22"}
    assert {"auc_border_only", "auc_border_removed", "auc_against_other_anomalies"} <= set(found["confound"])
    assert "AUC" in said.getvalue()
    assert "predictive" not in said.getvalue() + json.dumps(found)
    for label, one in found["calls"].items():
        shown = rf"right calls of {label}, in this folder +{one['count']} of {one['of']}; 95 % interval"
        assert re.search(shown, said.getvalue()), "counts, which promise nothing for another folder"
    assert found["calls"].keys() == {"normal", "ventriculomegaly"}
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {
        "roc.svg", "precision-and-recall.svg", "reliability.svg"
    }  # fmt: skip


def test_one_folder_for_each_class_does_without_a_table(tmp_path, folder):
    for label, name in (("normal", "Patient001_a.png"), ("normal", "Patient001_b.png"), ("cyst", "x.png")):
        (tmp_path / label).mkdir(exist_ok=True)
        (tmp_path / label / name).write_bytes((folder / "0.png").read_bytes())
    found = {scan.file: (scan.label, scan.group) for scan in listed(tmp_path)}
    assert found == {
        "normal/Patient001_a.png": ("normal", "patient-1"),
        "normal/Patient001_b.png": ("normal", "patient-1"),
        "cyst/x.png": ("cyst", "cyst/x.png"),
    }


def test_a_scan_in_two_groups_is_refused(tmp_path):
    (tmp_path / "labels.csv").write_text("file,label,group\na.png,normal,p1\na.png,normal,p2\n")
    with pytest.raises(GroupLeak):
        listed(tmp_path)


@pytest.mark.parametrize(
    ("model", "said"), [("cnn:77.0", "No version cnn:77.0"), ("nothing.safetensors", "No such")]
)
def test_a_model_that_is_not_there_is_named(model, said, folder):
    out = StringIO()
    assert main([model, "--data", str(folder)], out) == 2
    assert said in out.getvalue()


@pytest.fixture
def draft(db, weights) -> ModelVersion:
    record = engine_models.record_of(weights.read_bytes(), "modified_cnn")
    return registry.register(record, weights.read_bytes, by=None)


def test_a_stored_evaluation_lets_a_draft_be_put_into_use(draft, folder, manager):
    said = StringIO()
    call_command("evaluate", "modified_cnn:0.0", data=folder, store="six phantoms", stdout=said)
    evaluation = Evaluation.objects.get(model_version=draft)
    assert evaluation.figures["counts"]["scans"] == 9
    assert Event.objects.filter(verb="model.evaluated", subject_id=str(draft.pk)).exists()
    registry.activate(draft, by=manager, reason="measured on phantoms")


def test_a_version_whose_file_has_changed_is_quarantined_before_it_is_read(draft, folder, settings):
    root = Path(settings.STORAGES["blobs"]["OPTIONS"]["location"])
    path = root / draft.weights_sha256[:2] / draft.weights_sha256[2:4] / draft.weights_sha256
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CommandError, match="has changed"):
        call_command("evaluate", "modified_cnn:0.0", data=folder)
    assert ModelVersion.objects.get(pk=draft.pk).state == "quarantined"
