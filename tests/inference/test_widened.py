"""Thresholds of MRI versions hold on normals of every kind; a version may own no more than a threshold."""

from dataclasses import replace

import numpy as np
import pytest

from inference.engine import catalogue
from inference.engine.fitness.by_source import by_source, least
from inference.training.cli.rethreshold import SLICES, VOLUMES, next_version, rethresholded, threshold_of
from inference.training.evaluation.widened import LOOKS, widened
from inference.training.ventricles.volumes import Made


def said_of(name: str, odds: dict[tuple[str, str], list[float]]) -> list[dict]:
    """Answers of one version: log-odds for each (kind, look)."""
    label = {"normal": "normal", "normal, late": "normal", "wide, late": "ventriculomegaly"}
    return [
        {
            "group": f"volume-{number}",
            "kind": kind,
            "look": look,
            "label": label[kind],
            "refused": "",
            "logits": {name: (0.0, value)},
        }
        for (kind, look), values in odds.items()
        for number, value in enumerate(values)
    ]


@pytest.fixture
def record():
    found = catalogue.newest("cnn", "mri")
    assert found is not None
    return replace(found.record, temperature=1.0)


def test_a_threshold_lies_as_far_from_normals_as_wide_ventricles_allow(record):
    quiet = np.linspace(-9, -8, 20).tolist()
    said = said_of(
        record.name,
        {("normal", "plain"): quiet, ("wide, late", "another machine"): np.linspace(0.1, 4, 20).tolist()},
    )
    new = rethresholded(record, said)
    assert new.weights_sha256 == record.weights_sha256
    assert (new.version, new.temperature) == (next_version(record.version), record.temperature)
    rows = {(row["source"], row["measure"]): row for row in by_source(new.card)}
    assert rows["made volumes, another machine", "sensitivity"]["value"] >= VOLUMES
    assert new.card["held_out"]["sensitivity"]["value"] >= SLICES
    assert new.threshold > record.threshold


def test_the_worst_kind_of_normal_bounds_the_threshold_from_below(record):
    loud = np.linspace(-2, 5, 20).tolist()
    said = said_of(record.name, {("normal, late", "thick slices"): loud, ("wide, late", "plain"): [1.0] * 8})
    new = rethresholded(record, said)
    chances = 1 / (1 + np.exp(-np.array(loud)))
    assert (chances >= new.threshold).mean() <= 0.1
    rows = {(row["source"], row["measure"]): row for row in by_source(new.card)}
    assert rows["made volumes, thick slices", "specificity"]["value"] >= 0.9
    assert rows["made volumes, thick slices", "specificity"]["learnt_from"]
    worst = least(new.card, "specificity", label="normal")
    assert worst is not None
    assert new.card["held_out"]["specificity"]["value"] == pytest.approx(worst["value"], abs=1e-3)


def test_every_version_in_the_release_for_mri_leaves_widened_normals_in_peace():
    """What the cards say of themselves; the answers that the rows rest on stand there too."""
    for one in catalogue.shipped():
        if one.record.modality != "mri":
            continue
        rows = [row for row in by_source(one.record.card) if row["measure"] == "specificity"]
        assert len(rows) >= 4, one.record.name
        assert all(row["value"] >= 0.9 for row in rows), one.record.name
        assert one.record.card["held_out"]["sensitivity"]["value"] >= 0.8, one.record.name
        assert threshold_of(one.record.card) == pytest.approx(one.record.threshold, abs=1e-3), one.record.name


def test_a_version_that_owns_no_more_than_a_threshold_finds_its_weights_by_their_hash(tmp_path):
    found = catalogue.newest("modified_cnn", "mri")
    assert found is not None
    catalogue.write(found.record, found.content(), tmp_path)
    newer = replace(found.record, version="9.9", threshold=0.5)
    (tmp_path / f"{newer.name}.json").write_bytes(newer.to_json())
    path = catalogue.weights_of(newer, tmp_path)
    assert path.read_bytes() == found.content()
    other = replace(newer, weights_sha256="0" * 64)
    assert not catalogue.weights_of(other, tmp_path).exists()


def test_a_widened_volume_keeps_its_head_and_states_its_spacing():
    z, y, x = np.mgrid[:40, :60, :50].astype(float)
    inside = ((z - 20) / 16) ** 2 + ((y - 30) / 24) ** 2 + ((x - 25) / 19) ** 2 < 1
    made = Made("one", "normal", (inside * 0.6).astype(np.float32), inside.astype(np.int16), (6.0, 6.0))
    for look in LOOKS:
        stack, again = (widened(np.random.default_rng(4), made, look) for _ in range(2))
        assert (stack.pixels == again.pixels).all()
        assert stack.pixel_spacing is not None
        coarsest = max(*stack.pixel_spacing, stack.slice_spacing or 0)
        assert (coarsest > 2) == (look == "thick slices")
        spacing = (stack.slice_spacing or 0, *stack.pixel_spacing)
        sides = [side * mm for side, mm in zip(stack.pixels.shape, spacing, strict=True)]
        assert sides == pytest.approx([32, 48, 40], abs=0.1) if look == "plain" else min(sides) > 240
        head = (stack.pixels > 2000).sum() * np.prod(spacing)
        assert head == pytest.approx(inside.sum() * 0.8**3, rel=0.6)
