"""The atrium is measured in millimetres with a stated error, and how its networks are taught."""

import json
import math
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from conftest import source_of
from PIL import Image

from inference.engine.atrium import grids
from inference.engine.atrium.measure import AtriumMismatch, load_measurer, measure, shipped_measurer
from inference.engine.atrium.records import LIMIT_MM, Atria, AtrialWidth
from inference.engine.atrium.scale import expected_circumference_mm, scale_from_age, stated_scale
from inference.engine.atrium.scan import measure_scan
from inference.engine.atrium.search import Networks
from inference.engine.command import main as engine
from inference.engine.head.biometry import circumference
from inference.engine.head.ellipse import Ellipse
from inference.engine.head.shipped import find_outlined
from inference.formats import read
from inference.phantom import render, sample_spec
from inference.training.atrium import material
from inference.training.atrium.command import main
from inference.training.atrium.dilate import dilation, painted
from inference.training.atrium.draw import Shelf, drawn, mirrored
from inference.training.atrium.material import kept_apart, marks, phantom_heads
from refusals import Refusal

UNSEEN = 9_000_001
"""A seed whose phantoms were never learnt from."""


@pytest.fixture(scope="module")
def phantoms() -> list[material.Head]:
    return phantom_heads(16, UNSEEN, processes=1)


def width_of(width: float, error: float = 1.0, side: str = "far", chance: float = 0.95) -> AtrialWidth:
    return AtrialWidth((0, 0), (0, width), side, width, error, chance, 0.1)


def test_the_expected_head_follows_the_published_table():
    table = {14: 9.7, 16: 12.4, 18: 15.1, 20: 17.7, 22: 20.1, 24: 22.4, 26: 24.6, 28: 26.6}
    table |= {30: 28.4, 32: 30.1, 34: 31.5, 36: 32.8, 38: 33.8, 40: 34.6}
    for weeks, centimetres in table.items():
        assert expected_circumference_mm(weeks) / 10 == pytest.approx(centimetres, abs=0.06), weeks
    with pytest.raises(ValueError, match="14 to 42 weeks"):
        expected_circumference_mm(12)


def test_an_age_gives_an_estimated_scale_and_says_how_wrong_it_may_be():
    head = Ellipse(100, 100, 90, 70, 0.3)
    scale = scale_from_age(24, head)
    assert scale is not None
    assert scale.mm_per_pixel * circumference(head) == pytest.approx(expected_circumference_mm(24))
    assert scale.estimated
    assert scale.error > 0.05
    assert scale_from_age(11, head) is None
    assert not stated_scale(0.2).estimated


@pytest.mark.parametrize(("width", "low", "high"), [(6.0, 0.0, 0.01), (10.0, 0.5, 0.5), (14.0, 0.99, 1.0)])
def test_the_probability_is_that_of_the_limit_under_the_stated_error(width, low, high):
    mm = width_of(width / 0.2, error=2.0).millimetres(stated_scale(0.2))
    assert mm.width == pytest.approx(width)
    assert low <= mm.probability <= high


def test_an_estimated_scale_makes_the_same_width_less_sure():
    width = width_of(12 / 0.2, error=2.0)
    known = width.millimetres(stated_scale(0.2))
    guessed = width.millimetres(replace(stated_scale(0.2), error=0.06, source="gestational_age"))
    assert guessed.width == known.width > LIMIT_MM
    assert guessed.error > known.error
    assert 0.5 < guessed.probability < known.probability
    assert guessed.estimated


def test_without_a_scale_or_without_an_atrium_there_is_no_probability():
    found = Atria((width_of(60.0),), 0.95)
    assert found.probability(None) is None
    assert found.probability(stated_scale(0.2)) is not None
    assert Atria((), 0.1).probability(stated_scale(0.2)) is None
    assert not Atria((), 0.1).measurable


def test_the_wider_atrium_decides():
    both = Atria((width_of(30.0), width_of(70.0, side="near")), 0.95)
    assert both.probability(stated_scale(0.2)) == width_of(70.0).millimetres(stated_scale(0.2)).probability


def test_a_crop_leads_back_to_the_frame():
    head = Ellipse(310.5, 207.25, 141, 103, 1.9)
    pose, places = grids.pose(head), np.array([[12.0, 300.0], [199.5, 159.5]])
    assert np.allclose(pose.to_crop(pose.to_frame(places)), places)
    assert np.allclose(pose.to_frame(grids.MIDDLE), (head.x, head.y))
    rows, columns = np.mgrid[:420, :620].astype(np.float32)
    for coordinate, plane in ((0, columns), (1, rows)):
        crop = grids.upright(plane, head)
        at = pose.to_frame(np.array([150.0, 140.0]))
        assert crop[140, 150] == pytest.approx(at[coordinate], abs=0.6)
    grid = grids.Grid(2.0, np.array([180.0, 120.0]), 0.7, -1.0)
    assert np.allclose(grid.from_map(grid.to_map(places)), places)


def test_a_dilated_atrium_is_as_wide_as_it_says(phantoms):
    """A line of brightness painted on each wall lies where the new caliper ends."""
    head, rng = phantoms[0], np.random.default_rng(3)
    assert head.far is not None
    before = float(np.hypot(*(head.far[1] - head.far[0])))
    for wanted in (0.6 * before, 1.3 * before, 60.0):
        change = dilation(head.far, head.aspect, wanted, rng)
        assert change.width <= max(wanted, before) + 1e-6
        ends = change.caliper
        assert float(np.hypot(*(ends[1] - ends[0]))) == pytest.approx(change.width)
        lay = change.layout(ends[None])
        assert np.allclose(lay.source[0], head.far, atol=0.5)


def test_skull_and_midline_stay_when_an_atrium_is_dilated(phantoms):
    head, rng = phantoms[1], np.random.default_rng(4)
    assert head.far is not None
    change = dilation(head.far, head.aspect, 60.0, rng)
    ring, _ = Ellipse(*grids.MIDDLE, grids.HEAD / 2, grids.HEAD / 2 * head.aspect, 0.0).ring(64)
    lay = change.layout(ring.T[None])
    assert np.abs(lay.source[0] - ring.T).max() < 0.03 * grids.HEAD
    seen = painted(
        head.floats, change.layout(np.stack(np.meshgrid(np.arange(400.0), np.arange(320.0)), -1)), change, rng
    )
    assert seen.shape == head.crop.shape
    assert np.isfinite(seen).all()


def test_pictures_are_drawn_alike_and_mirrored_with_what_they_say(phantoms):
    shelf = Shelf(marked=phantoms, boxed=[], empty=[], phantoms=phantoms)
    for step in ("place", "width"):
        one, other = (drawn(step, shelf, 6, 5) for _ in range(2))
        assert bool((one.pictures == other.pictures).all())
        whole = mirrored(one, one.there > -2)
        again = mirrored(whole, one.there > -2)
        assert np.allclose(again.ends, one.ends, atol=1e-4)
        assert np.allclose(whole.width, one.width)
        assert np.allclose(whole.maps.flip(-1), one.maps)


def test_no_mark_lies_on_an_abnormal_picture_and_some_patients_are_never_learnt_from():
    known = marks()
    assert len(known) > 200
    assert all(file.startswith(("hc18/", "lateral_ventricle/", "fetal_planes/brain/")) for file in known)
    share = np.mean([kept_apart(f"patient-{number:05d}") for number in range(2000)])
    assert share == pytest.approx(material.APART, abs=0.03)


def test_the_shipped_networks_are_what_their_record_says(tmp_path):
    measurer = shipped_measurer()
    assert 0 < measurer.least_chance < 1
    assert measurer.error_factor > 0
    folder = Path(load_measurer.__code__.co_filename).parent.parent / "shipped_atrium"
    (tmp_path / "atrium.json").write_bytes((folder / "atrium.json").read_bytes())
    (tmp_path / "atrium.safetensors").write_bytes((folder / "atrium.safetensors").read_bytes()[:-1] + b"\1")
    with pytest.raises(AtriumMismatch):
        load_measurer(tmp_path)


def test_atria_of_unseen_phantoms_are_measured_within_a_millimetre_and_a_half():
    """The published figure is in docs/measurement.md; this keeps it from rotting."""
    measurer, wrong = shipped_measurer(), []
    for head in phantom_heads(12, UNSEEN, processes=1):
        assert head.mm is not None
        frame = head.floats
        lie = Ellipse(*grids.MIDDLE, grids.HEAD / 2, grids.HEAD / 2 * head.aspect, 0.0)
        for width in measure(measurer, frame, lie).widths[:1]:
            known = [ends for ends in (head.far, head.near) if ends is not None]
            nearest = min(known, key=lambda ends: abs(ends.mean(axis=0) - _middle(width)).sum())
            wrong.append(abs(width.width - float(np.hypot(*(nearest[1] - nearest[0])))) * head.mm)
    assert len(wrong) >= 8
    assert float(np.median(wrong)) < 1.5


def test_a_head_upside_down_has_the_same_widths(phantoms):
    """Far and near change their names, nothing else does."""
    measurer = shipped_measurer()
    lie = Ellipse(*grids.MIDDLE, grids.HEAD / 2, grids.HEAD / 2 * phantoms[2].aspect, 0.0)
    frame = phantoms[2].floats
    upright, turned = (
        measure(measurer, frame, lie),
        measure(measurer, np.ascontiguousarray(frame[::-1, ::-1]), lie),
    )
    assert upright.chance == pytest.approx(turned.chance, abs=0.02)
    for one in upright.widths:
        other = next(width for width in turned.widths if width.side != one.side)
        assert one.width == pytest.approx(other.width, rel=0.03)


def test_a_blank_head_cannot_be_measured():
    measurer = shipped_measurer()
    rng = np.random.default_rng(1)
    frame = rng.gamma(2.0, 10.0, (320, 400)).astype(np.float32)
    lie = Ellipse(*grids.MIDDLE, grids.HEAD / 2, grids.HEAD / 2 * 0.78, 0.0)
    assert not measure(measurer, frame, lie).measurable


@pytest.mark.training
def test_a_killed_training_ends_with_the_same_weights(tmp_path, monkeypatch, data_dir):
    """Both networks, a few steps: at once, and one after the other in two processes' order."""
    monkeypatch.setattr("inference.training.atrium.learn.EVERY", 2)
    monkeypatch.setattr("inference.training.atrium.command.settle", lambda *_: {"least_chance": 0.5})
    asked = ["--data", str(data_dir), "--steps", "4", "--pictures", "24", "--phantoms", "4"]
    few = [one for one in material.normal_heads(data_dir) if one.file in marks()][:6]
    monkeypatch.setattr("inference.training.atrium.command.normal_heads", lambda _: few)
    contents = []
    for name, parts in (("whole", [[]]), ("parts", [["--step", "width"], ["--step", "place"], []])):
        for part in parts:
            assert main([*asked, "--out", str(tmp_path / name), *part], StringIO()) == 0
        contents.append((tmp_path / name / "atrium.safetensors").read_bytes())
        assert not (tmp_path / name / "checkpoints").exists()
    assert contents[0] == contents[1]


def _middle(width: AtrialWidth) -> np.ndarray:
    return (np.array(width.inner) + np.array(width.outer)) / 2


def test_networks_are_asked_for_nothing_but_pictures(phantoms):
    """Whatever a network answers, calipers lie in the frame's pixels and have their width."""

    def place(pictures):
        maps = np.zeros((len(pictures), 1, 48, 48), np.float32)
        maps[:, 0, 34, 14] = 20
        return maps, np.tile(np.array([5.0, 1.0, 0.0, 0.0], np.float32), (len(pictures), 1))

    def width(pictures):
        maps = np.zeros((len(pictures), 2, 48, 48), np.float32)
        maps[:, 0, 18, 24], maps[:, 1, 30, 24] = 20, 20
        return maps, np.tile(np.array([5.0, 1.0, 0.0, 0.0], np.float32), (len(pictures), 1))

    measurer = replace(shipped_measurer(), networks=Networks(place, width), least_chance=0.5)
    head = Ellipse(500.0, 300.0, 200.0, 150.0, 0.2)
    found = measure(measurer, np.zeros((700, 1000), np.float32), head)
    assert [one.side for one in found.widths] == ["far", "near"]
    for one in found.widths:
        assert math.dist(one.inner, one.outer) == pytest.approx(one.width)
        assert one.width == pytest.approx(12 * 2 * grids.WIDTH_STEP * grids.pose(head).pixel, rel=0.03)
        assert one.over_bpd == pytest.approx(one.width / 300.0)


def measured_by_command(folder: Path, *more: str) -> dict[str, Any]:
    out = StringIO()
    command = [str(folder / "head.png"), "--modality", "ultrasound", "--model", "cnn", "--measure", "--json"]
    assert engine(command + list(more), out) == 0
    line: dict[str, Any] = json.loads(out.getvalue())
    assert line["analysable"], line
    return cast(dict[str, Any], line["measurement"])


def test_the_engines_command_proposes_calipers_in_millimetres(tmp_path):
    """A phantom's file states its scale; the same pixels without it have an age's, or none and no call."""
    drawn = render(sample_spec(np.random.default_rng(7)), "ultrasound", seed=7, size=384)
    (tmp_path / "head.png").write_bytes(drawn.png())
    stated = measured_by_command(tmp_path)
    assert stated["scale"]["source"] == "file"
    assert stated["measurable"]
    for one in stated["atria"]:
        assert one["width_mm"] == pytest.approx(one["width_px"] * stated["scale"]["mm_per_pixel"], rel=0.01)
        assert not one["estimated"]
    Image.fromarray(drawn.pixels).resize((384, 384)).save(tmp_path / "head.png")
    bare = measured_by_command(tmp_path)
    assert bare["scale"] is None
    assert bare["probability"] is None
    assert all("width_mm" not in one and one["over_bpd"] > 0 for one in bare["atria"])
    aged = measured_by_command(tmp_path, "--gestational-age-days", str(drawn.gestational_age_days))
    assert aged["scale"]["source"] == "gestational_age"
    assert all(one["estimated"] for one in aged["atria"])


def test_a_file_that_is_not_square_has_its_calipers_on_its_own_pixels():
    """Squeezed columns with the spacing that says so: the same millimetres, the same places."""
    drawn = render(sample_spec(np.random.default_rng(11)), "ultrasound", seed=11, size=384).stack()
    down, across = drawn.pixel_spacing
    wide = np.asarray(Image.fromarray(drawn.pixels[0]).resize((384, round(384 * down / across * 1.5))))
    narrow = replace(drawn, pixels=wide[None], pixel_spacing=(across / 1.5, across))
    one, other = (measure_scan(shipped_measurer(), stack) for stack in (drawn, narrow))
    assert one.atria.measurable
    assert other.atria.measurable
    first, second = one.atria.widths[0], other.atria.widths[0]
    assert first.millimetres(one.scale).width == pytest.approx(
        second.millimetres(other.scale).width, rel=0.08
    )
    assert second.inner[0] == pytest.approx(first.inner[0], abs=5)
    assert second.inner[1] == pytest.approx(first.inner[1] * wide.shape[0] / 384, abs=8)


def test_calipers_are_not_proposed_on_mri():
    drawn = render(sample_spec(np.random.default_rng(7)), "mri", seed=7).stack()
    with pytest.raises(Refusal) as refused:
        measure_scan(shipped_measurer(), drawn)
    assert refused.value.code == "wrong_modality"


def test_normals_of_a_hospital_have_normal_widths(data_dir):
    """Every fiftieth HC18 head from about 18 weeks on; all of them: bench/answers.py."""
    rows = material.table(source_of(data_dir, "hc18") / "labels.csv")
    late = [row for row in rows if float(row["head_circumference_mm"]) >= 150][::50]
    widths, alarms = [], 0
    for row in late:
        frame = material.picture(data_dir, f"hc18/{row['file']}")
        head = find_outlined(frame)
        assert head is not None
        scale = stated_scale(float(row["pixel_mm"]))
        atria = measure(shipped_measurer(), frame, head.ellipse)
        alarms += (atria.probability(scale) or 0) >= 0.5
        widths += [one.millimetres(scale).width for one in atria.widths[:1]]
    assert len(widths) >= 0.85 * len(late)
    assert 4.5 < float(np.median(widths)) < 7.5
    assert alarms <= 0.25 * len(late)


def test_atria_lie_in_their_boxes(data_dir):
    rows = material.table(source_of(data_dir, "lateral_ventricle") / "labels.csv")[::6]
    near = 0
    for row in rows:
        frame = material.picture(data_dir, f"lateral_ventricle/{row['file']}")
        head = find_outlined(frame)
        assert head is not None
        x0, y0, x1, y1 = (float(number) for number in row["lateral_ventricle_box"].split())
        middles = [_middle(one) for one in measure(shipped_measurer(), frame, head.ellipse).widths]
        off = [np.hypot(*(middle - [(x0 + x1) / 2, (y0 + y1) / 2])) for middle in middles]
        near += min(off, default=math.inf) < 0.1 * 2 * head.ellipse.long
    assert near >= 0.85 * len(rows)


def test_no_calipers_on_an_abdomen_or_before_eighteen_weeks(data_dir):
    abdomen = next((source_of(data_dir, "fetal_planes") / "abdomen").glob("*.jpg"))
    rows = material.table(source_of(data_dir, "hc18") / "labels.csv")
    early = next(row for row in rows if float(row["head_circumference_mm"]) < 100)
    late = next(row for row in rows if float(row["head_circumference_mm"]) > 200)
    for path, days, code in (
        (abdomen, 150, "not_a_head"),
        (source_of(data_dir, "hc18") / early["file"], None, "too_early"),
        (source_of(data_dir, "hc18") / late["file"], 100, "too_early"),
    ):
        stack = read(path, modality="ultrasound", file_name=path.name)
        with pytest.raises(Refusal) as refused:
            measure_scan(shipped_measurer(), stack, gestational_age_days=days)
        assert refused.value.code == code
