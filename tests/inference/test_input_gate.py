"""What an ultrasound frame shows: heads in a plane with ventricles, from about 18 weeks on, are judged."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import PLAIN_HEADS
from PIL import Image

from inference.engine.head.biometry import measured
from inference.engine.head.by_network import SURENESS
from inference.engine.head.by_skull import Head
from inference.engine.head.ellipse import Ellipse
from inference.engine.head.shipped import find_outlined, finder_name
from inference.engine.input_gate import sononet_gate as gates
from inference.engine.input_gate.look import COLUMNS, ROWS, crop, zones
from inference.engine.input_gate.sononet_gate import (
    GateMismatch,
    InputVerdict,
    hold_to,
    load_input_gate,
    refuse_early,
)
from inference.engine.preprocessing.prepare import FIRST_GATE, RECIPES, prepare
from inference.formats import PictureStack, read
from inference.phantom import render, sample_spec
from inference.phantom.others import other_stack
from refusals import Refusal

RECIPE = RECIPES["ultrasound-outline-2-128"]


SEEN = next(iter(PLAIN_HEADS))
"""A phantom that every gate knows."""


def phantom(seed: int) -> PictureStack:
    return render(sample_spec(np.random.default_rng(seed)), "ultrasound", seed=seed).stack()


def code_of(stack: PictureStack, **more) -> str:
    try:
        prepare(stack, RECIPE, **more)
    except Refusal as refused:
        return refused.code
    return ""


@pytest.fixture(scope="module")
def gate():
    return gates.shipped_input_gate()


SMALL, LARGE = (measured(Ellipse(0, 0, r, 0.8 * r, 0.0), 0.1) for r in (200, 400))


@pytest.mark.parametrize(
    ("seen", "age_days", "head", "code"),
    [
        (InputVerdict(0.0, 1.0, 0.0), 160, LARGE, "not_a_head"),
        (InputVerdict(1.0, 0.0, 0.0), 160, LARGE, "off_plane"),
        (InputVerdict(1.0, 1.0, 1.0), None, None, "too_early"),
        (InputVerdict(1.0, 1.0, 0.0), None, None, ""),
        (InputVerdict(1.0, 1.0, 1.0), None, LARGE, ""),
        (InputVerdict(1.0, 1.0, 0.0), None, SMALL, "too_early"),
        (InputVerdict(1.0, 1.0, 1.0), 160, SMALL, ""),
        (InputVerdict(1.0, 1.0, 0.0), 120, LARGE, "too_early"),
    ],
)
def test_a_stated_age_counts_before_the_heads_size_and_that_before_its_look(gate, seen, age_days, head, code):
    try:
        hold_to(gate, seen)
        refuse_early(gate, seen, age_days, head)
        said = ""
    except Refusal as refused:
        said = refused.code
    assert said == code


def test_a_plane_without_ventricles_is_answered_with_advice(gate):
    with pytest.raises(Refusal) as caught:
        hold_to(gate, InputVerdict(1.0, 0.0, 0.0))
    assert "cannot be measured in this plane" in caught.value.detail
    assert "Acquire an axial plane" in caught.value.detail


@pytest.mark.parametrize(
    ("age_days", "head", "because"),
    [(100, None, "stated gestational age"), (None, SMALL, "mm around"), (None, None, "looks younger")],
)
def test_too_early_says_by_what(gate, age_days, head, because):
    with pytest.raises(Refusal) as caught:
        refuse_early(gate, InputVerdict(1.0, 1.0, 1.0), age_days, head)
    assert because in caught.value.detail


def test_most_phantoms_are_read_and_other_pictures_are_not():
    heads = [code_of(phantom(seed)) for seed in range(100, 112)]
    assert heads.count("") >= 9, heads
    kinds = ("femur", "limbs", "document", "photo", "screen", "placenta", "sac", "spine")
    refused = [code_of(other_stack(kind, seed=900 + n)) for n, kind in enumerate(kinds)]
    assert refused.count("") <= 2, refused


def test_an_early_case_is_too_early_whatever_its_picture_shows():
    seed = next(seed for seed in range(100, 130) if not code_of(phantom(seed), age_days=160))
    assert code_of(phantom(seed), age_days=100) == "too_early"


def test_a_head_of_known_scale_is_measured():
    seed = next(seed for seed in range(100, 130) if not code_of(phantom(seed), age_days=160))
    spec = sample_spec(np.random.default_rng(seed))
    found = prepare(phantom(seed), RECIPE, age_days=160).quality
    assert found["biparietal_mm"] == pytest.approx(spec.biparietal_mm, rel=0.06)
    assert found["occipitofrontal_mm"] == pytest.approx(spec.occipitofrontal_mm, rel=0.1)
    bare = replace(phantom(seed), pixel_spacing=None)
    assert "biparietal_mm" not in prepare(bare, RECIPE, age_days=160).quality


def test_the_gate_looks_at_the_head_as_the_probe_shows_it():
    picture = np.zeros((200, 200), np.float32)
    tall = Ellipse(100.0, 100.0, 60.0, 30.0, np.pi / 2)
    picture[tall.mask(picture.shape)] = 1.0
    seen = crop(picture, tall)
    assert seen.shape == (ROWS, COLUMNS)
    assert seen[:, COLUMNS // 2].mean() > 0.8
    assert seen[ROWS // 2].mean() < 0.6


@pytest.mark.parametrize("aspect", [0.3, 0.6, 0.8, 1.0])
def test_every_head_has_an_inside_and_a_skull(aspect):
    core, ring = zones(aspect, 0.5)
    assert core.sum() >= 4
    assert ring.sum() >= 4
    assert not (core & ring).any()


@pytest.mark.parametrize(
    "recipe", [recipe for recipe in RECIPES.values() if "gate" in dict(recipe.steps)], ids=lambda one: one.id
)
def test_every_preparation_asks_the_gate_that_it_names_however_old(recipe):
    name = str(dict(recipe.steps)["gate"]["gate"])
    named = gates.shipped_input_gate(name)
    assert named.name == name
    others = {gates.gate_name(), FIRST_GATE} - {name}
    head = prepare(phantom(SEEN), recipe, scope=False).ellipses[0]
    assert head.long > 0
    seen = prepare(phantom(SEEN), recipe, age_days=160).quality["head_likelihood"]
    frame = phantom(SEEN).pixels[0].astype(np.float32)
    found = find_outlined(frame)
    assert seen == pytest.approx(gates.verdict(named, frame, found).head)
    for other in others:
        assert gates.verdict(gates.shipped_input_gate(other), frame, found).head != seen


def test_a_gate_that_does_not_come_with_this_release_is_refused():
    with pytest.raises(GateMismatch):
        gates.shipped_input_gate("0" * 12)


def test_the_finder_says_how_sure_it_was():
    found = find_outlined(phantom(SEEN).pixels[0].astype(np.float32))
    sure = dict(zip(SURENESS, found.sureness, strict=True))
    noise = np.random.default_rng(1).normal(90, 30, (300, 400)).clip(0, 255).astype(np.float32)
    noise[60:240, 100:300] += 80
    other = find_outlined(noise)
    assert sure["paint inside"] > 0.9
    assert sure["unsure paint"] < 0.5
    assert (
        other is None
        or dict(zip(SURENESS, other.sureness, strict=True))["unsure paint"] > sure["unsure paint"]
    )


def test_other_weights_than_the_record_names_are_refused(tmp_path):
    for path in filter(Path.is_file, gates.SHIPPED.iterdir()):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    record = json.loads((tmp_path / "input_gate.json").read_text())
    (tmp_path / "input_gate.json").write_text(json.dumps(record | {"stem_sha256": "0" * 64}))
    with pytest.raises(GateMismatch):
        load_input_gate(tmp_path)


def test_the_recipe_names_the_finder_and_the_gate():
    steps = dict(RECIPE.steps)
    assert steps["outline"]["finder"] == finder_name()
    assert steps["gate"]["gate"] == gates.gate_name()


@pytest.mark.data
def test_real_planes_other_than_the_head_are_refused_and_heads_are_not(data_dir):
    with (data_dir / "fetal_planes" / "labels.csv").open() as file:
        entries = list(csv.DictReader(file))
    names = [e["file"] for e in entries if e["plane"] in {"abdomen", "thorax", "femur"}][::30]
    codes = [
        code_of(read(data_dir / "fetal_planes" / n, modality="ultrasound", file_name="a.jpg")) for n in names
    ]
    assert codes.count("") <= len(codes) / 10, codes
    names = [path.name for path in sorted((data_dir / "hc18").glob("*.jpg"))][200:700:40]
    codes = [code_of(read(data_dir / "hc18" / n, modality="ultrasound", file_name=n)) for n in names]
    assert sum(code in ("no_head", "not_a_head", "off_plane") for code in codes) <= 1, codes


@pytest.mark.data
def test_a_full_screen_with_marks_is_read_as_its_picture_is(data_dir):
    path = sorted((data_dir / "lateral_ventricle").glob("*.jpg"))[5]
    picture = np.asarray(Image.open(path).convert("L"))
    screen = np.full((1000, 1500), 12, np.uint8)
    screen[200 : 200 + picture.shape[0], 300 : 300 + picture.shape[1]] = picture
    screen[30:60, 100:700:7] = 255
    whole = find_outlined(screen.astype(np.float32))
    alone = find_outlined(picture.astype(np.float32))
    assert isinstance(whole, Head)
    assert whole.ellipse.x - 300 == pytest.approx(alone.ellipse.x, abs=0.05 * alone.ellipse.long)
    stack = PictureStack(screen[None], "ultrasound", "", "png")
    assert code_of(stack, age_days=160) in ("", "off_plane")
