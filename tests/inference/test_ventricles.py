"""On MRI the ventricles are painted and their atria measured in mm, both sides, in the guideline's plane."""

import json
import math
from dataclasses import replace
from io import StringIO
from pathlib import Path

import nibabel
import numpy as np
import pytest
from conftest import source_of

from inference.engine.atrium.scan import as_json
from inference.engine.command import main as engine
from inference.engine.input_gate.admission import LEAST_LIKELY
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.engine.ventricles.anatomy import is_brain
from inference.engine.ventricles.calipers import Painted, atrial_plane
from inference.engine.ventricles.grids import SIDE
from inference.engine.ventricles.painter import (
    Painter,
    VentriclesMismatch,
    load_painter,
    shipped_painter,
)
from inference.engine.ventricles.scan import measure_volume
from inference.formats.stack import PictureStack
from inference.phantom import render, sample_spec
from inference.phantom.volume import volume
from inference.training.evaluation.widened import widened
from inference.training.ventricles.command import main
from inference.training.ventricles.measure import stack_of
from inference.training.ventricles.volumes import Made, made_volumes
from refusals import Refusal

UNSEEN = 9_200_001
"""A seed whose phantoms nothing was learnt from."""


def ellipse(rows, columns, middle, long, short, angle=0.0):
    """A filled ellipse (x, y middle; long axis turned from y), soft over a pixel."""
    y, x = np.mgrid[:rows, :columns].astype(float)
    u, v = x - middle[0], y - middle[1]
    along, across = u * math.sin(angle) + v * math.cos(angle), u * math.cos(angle) - v * math.sin(angle)
    inside = 1 - np.hypot(along / long, across / short)
    return np.clip(0.5 + inside * short, 0, 1).astype(np.float32)


def slice_with(width_mm, *, lean=0.0, turn=0.0, deep=1.0, mm=1.0):
    """A brain turned by `turn` whose ventricles lean outwards by `lean` and are `width_mm` wide."""
    c, s = math.cos(turn), math.sin(turn)
    spread = np.zeros((SIDE, SIDE), np.float32)
    for side in (-1, 1):
        across, back = side * 14.0, 14.0
        at = 63.5 + across * c - back * s, 63.5 + across * s + back * c
        one = ellipse(SIDE, SIDE, at, 18.0, width_mm / mm / 2, side * lean - turn)
        spread = np.maximum(spread, one)
    brain = ellipse(SIDE, SIDE, (63.5, 63.5), 48.0, 36.0, -turn)
    grey = ellipse(SIDE, SIDE, (63.5, 63.5), 9 * deep, 7 * deep) if deep else np.zeros_like(brain)
    return Painted(spread, brain, grey, mm)


@pytest.mark.parametrize(("lean", "turn"), [(0.0, 0.0), (0.35, 0.0), (0.2, 0.4), (-0.1, -0.4)])
@pytest.mark.parametrize("width", [6.0, 10.0, 15.0])
def test_a_caliper_runs_perpendicular_to_the_ventricle_from_wall_to_wall(width, lean, turn):
    plane = atrial_plane([slice_with(width, lean=lean, turn=turn)])
    assert plane is not None
    assert [one.side for one in plane.calipers] == ["right", "left"]
    for one in plane.calipers:
        assert one.width_mm == pytest.approx(width, abs=0.4)
        assert math.dist(one.inner, one.outer) == pytest.approx(one.width_mm, rel=0.01)
        near = [np.hypot(*(np.array(end) - 63.5)) for end in (one.inner, one.outer)]
        assert near[0] < near[1]


def test_the_plane_is_the_widest_through_the_thalami():
    slices = [slice_with(6.0), slice_with(9.0), slice_with(7.0), slice_with(16.0, deep=0.3)]
    plane = atrial_plane(slices)
    assert plane is not None
    assert plane.index == 1


def test_where_no_ventricle_or_no_brain_shows_nothing_is_measured():
    there = slice_with(8.0)
    assert atrial_plane([]) is None
    assert atrial_plane([replace(there, ventricle=np.zeros_like(there.ventricle))]) is None
    assert atrial_plane([replace(there, brain=np.zeros_like(there.brain))]) is None


def test_anatomy_is_a_brains_only_where_every_part_answers():
    def shown(one: Painted) -> bool:
        plane = atrial_plane([one])
        return plane is not None and is_brain([one], plane)

    there = slice_with(8.0)
    assert shown(there)
    assert shown(slice_with(12.0, lean=0.2, turn=0.3))
    nothing = np.zeros_like(there.brain)
    half = there.ventricle.copy()
    half[:, :64] = 0
    doubtful = there.ventricle * np.float32(0.6)
    aside = np.roll(there.deep_grey, 30, axis=0)
    for change in (
        {"deep_grey": nothing},
        {"deep_grey": aside},
        {"ventricle": half},
        {"ventricle": doubtful},
        {"brain": np.where(np.add(*np.indices((SIDE, SIDE))) % 40 < 14, 0, there.brain).astype(np.float32)},
        {"mm": 0.3},
        {"mm": 3.0},
    ):
        assert not shown(replace(there, **change)), change.keys()


def test_only_axial_mri_with_a_scale_is_measured():
    painter = Painter(lambda shown: np.zeros((len(shown), 3, SIDE, SIDE), np.float32), 0.5, 0.1, 0.5, {})
    drawn = volume(sample_spec(np.random.default_rng(UNSEEN)), seed=UNSEEN).stack()
    for stack, code in (
        (replace(drawn, modality="ultrasound"), "wrong_modality"),
        (replace(drawn, pixel_spacing=None), "no_scale"),
        (replace(drawn, plane="coronal"), "not_axial"),
    ):
        with pytest.raises(Refusal) as refused:
            measure_volume(painter, stack)
        assert refused.value.code == code
    found = measure_volume(painter, drawn, gate=False)
    assert not found.atria.measurable
    assert as_json(found)["measurable"] is False


def test_thicker_slices_are_stated_to_be_less_sure():
    painter = Painter(lambda shown: shown, 0.5, 0.1, 0.5, {})
    assert painter.error(0.8) < painter.error(4.0)


def test_the_shipped_network_is_what_its_record_says(tmp_path):
    painter = shipped_painter()
    assert 0 < painter.error_mm < 2
    assert painter.record["figures"]["all"]["count"] > 0
    folder = Path(load_painter.__code__.co_filename).parent.parent / "shipped_ventricles"
    (tmp_path / "ventricles.json").write_bytes((folder / "ventricles.json").read_bytes())
    (tmp_path / "ventricles.safetensors").write_bytes(
        (folder / "ventricles.safetensors").read_bytes()[:-1] + b"\1"
    )
    with pytest.raises(VentriclesMismatch):
        load_painter(tmp_path)


@pytest.fixture(scope="module")
def real_volume(data_dir) -> PictureStack:
    """The first real volume as it was acquired, with its labels' widths."""
    made = next(iter(made_volumes(source_of(data_dir, "mri"), 1, quick=True)))
    assert isinstance(made, Made)
    return made  # type: ignore[return-value]


def test_both_atria_of_a_volume_are_measured_in_every_thickness(real_volume):
    """It was learnt from; figures of volumes left out are in the record."""
    for axis in (None, 0):
        found = measure_volume(shipped_painter(), stack_of(real_volume, axis, None), gate=False)
        widths = {one.side: one.millimetres(found.scale) for one in found.atria.widths}
        assert set(widths) == {"left", "right"}
        for side, true in zip(("right", "left"), real_volume.widths, strict=True):
            assert widths[side].width == pytest.approx(true, abs=3.0)
            assert not widths[side].estimated


def test_calipers_lie_on_the_walls_in_the_scans_own_pixels(real_volume):
    found = measure_volume(shipped_painter(), stack_of(real_volume, 0, None), gate=False)
    thick, thin = stack_of(real_volume, 0, None).pixel_spacing
    for one in found.atria.widths:
        across = np.array(one.outer) - np.array(one.inner)
        assert math.hypot(across[0] * thin, across[1] * thick) == pytest.approx(
            one.millimetres(found.scale).width, rel=0.02
        )
        assert (one.inner[0] < one.outer[0]) == (one.side == "left")


def test_the_engines_command_measures_a_volume_as_it_measures_ultrasound(tmp_path, real_volume):
    stack = stack_of(real_volume, None, None)
    turned = stack.pixels.transpose(2, 1, 0)[::-1, ::-1, :].astype(np.int32)
    path = tmp_path / "volume.nii.gz"
    nibabel.save(nibabel.Nifti1Image(turned, np.diag([0.8, 0.8, 0.8, 1.0])), path)
    out = StringIO()
    assert (
        engine([str(path), "--modality", "mri", "--model", "modified_cnn", "--measure", "--json"], out) == 0
    )
    line = json.loads(out.getvalue())
    said = line["measurement"]
    assert said["measurable"], line
    assert said["scale"]["source"] == "file"
    assert {one["side"] for one in said["atria"]} == {"left", "right"}
    assert set(said) == {"frame", "measurable", "chance", "scale", "probability", "atria"}
    for one in said["atria"]:
        assert one["width_mm"] == pytest.approx(max(real_volume.widths), abs=3.0)
        assert one["error_mm"] >= 0.5


def test_ultrasound_is_still_measured_by_its_own_networks():
    drawn = render(sample_spec(np.random.default_rng(7)), "ultrasound", seed=7).stack()
    with pytest.raises(Refusal) as refused:
        measure_volume(shipped_painter(), drawn)
    assert refused.value.code == "wrong_modality"


@pytest.mark.training
def test_a_stopped_training_ends_with_the_same_weights(tmp_path, monkeypatch, data_dir):
    monkeypatch.setattr("inference.training.ventricles.learn.EVERY", 1)
    two = tmp_path / "data" / "mri"
    two.mkdir(parents=True)
    for path in sorted(source_of(data_dir, "mri").glob("*/"))[:2]:
        (two / path.name).symlink_to(path)
    asked = ["--data", str(tmp_path / "data"), "--pictures", "12", "--steps", "2", "--folds", "2", "--quick"]
    contents = []
    for name in ("once", "again"):
        out = tmp_path / name
        if name == "again":
            monkeypatch.setattr("inference.training.ventricles.command.measured", _stopped)
            with pytest.raises(KeyboardInterrupt):
                main([*asked, "--out", str(out)], StringIO())
            monkeypatch.undo()
        monkeypatch.setattr("inference.training.ventricles.command.measured", lambda *_: iter(()))
        assert main([*asked, "--out", str(out)], StringIO()) == 0
        contents.append((out / "ventricles.safetensors").read_bytes())
    assert contents[0] == contents[1]


def _stopped(*_):
    raise KeyboardInterrupt


def test_a_brain_that_the_gate_does_not_know_is_let_in_by_its_anatomy_and_only_where_that_is_asked(
    tmp_path, data_dir
):
    """A made late brain as another machine might show it; a preparation from before refuses it as it did."""
    name = "fetal_SB_atlas_GA28_operated"
    (tmp_path / name).symlink_to(source_of(data_dir, "mri") / name)
    made = next(one for one in made_volumes(tmp_path, 1) if one.kind == "wide, late")
    seed = [1, *made.group.encode(), *made.kind.encode(), *b"another machine"]
    stack = widened(np.random.default_rng(seed), made, "another machine")
    with pytest.raises(Refusal) as refused:
        prepare(stack, RECIPES["mri-square-128"])
    assert refused.value.code == "not_a_head"
    prepared = prepare(stack, RECIPES["mri-anatomy-128"])
    assert LEAST_LIKELY <= prepared.quality["head_likelihood"] < 0.7
    no_scale = replace(stack, pixel_spacing=None, slice_spacing=None)
    with pytest.raises(Refusal, match="head"):
        prepare(no_scale, RECIPES["mri-anatomy-128"])


def test_a_brain_that_the_gate_knows_is_prepared_alike_with_and_without_the_second_key():
    drawn = volume(sample_spec(np.random.default_rng(UNSEEN)), seed=UNSEEN).stack()
    prepared = [prepare(drawn, RECIPES[name]) for name in ("mri-square-128", "mri-anatomy-128")]
    assert prepared[0].sha256 == prepared[1].sha256
