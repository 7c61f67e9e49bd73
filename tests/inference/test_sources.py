"""Learning from several sources: whose picture it is, and that a hospital that is left out is left out."""

import csv
import json
import math
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from engine_models import random_model

from digests import canonical_json
from inference.engine.fitness.by_source import least
from inference.engine.head.ellipse import from_region
from inference.engine.records import WeightsRecord
from inference.engine.weights.ensemble_file import MembersDiffer
from inference.formats.stack import PictureStack
from inference.phantom import render, sample_spec
from inference.registry import cards
from inference.training.cards.combined import combined
from inference.training.cli.evaluate_by_source import measured
from inference.training.cli.train import main
from inference.training.data.examples import Examples
from inference.training.data.fold_data import away_names, filled
from inference.training.data.folders import modality_of
from inference.training.data.material import Making, Material, material
from inference.training.data.sources import BARCELONA, NIJMEGEN, entries, heads, square_pixels
from inference.training.evaluation import by_source
from inference.training.evaluation.calibrate import Target
from inference.training.fitting.loop import evenness
from inference.training.fitting.plan import Plan
from inference.training.fitting.session import NOTHING_KEPT, Course
from inference.training.synthesis.augment import other_probes
from inference.training.synthesis.dilated import dilated_stack

OUTLINE = "ultrasound-outline-2-128"


def written(folder: Path, rows: list[dict[str, object]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def pictured(path: Path, number: int, label: str = "normal") -> dict[str, float]:
    """A phantom as a picture; the ellipse of its head as HC18 states one."""
    spec = sample_spec(np.random.default_rng(number), label=label)
    phantom = render(spec, "ultrasound", seed=number, size=160)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(phantom.png())
    head = from_region(phantom.head)
    return {
        "ellipse_x": head.x, "ellipse_y": head.y, "semi_long": head.long, "semi_short": head.short,
        "angle_deg": math.degrees(head.angle),
    }  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Four sources in their layouts, of phantoms. One patient and one frame stand in two of them."""
    data = tmp_path_factory.mktemp("sources") / "data"
    rows = []
    for n, around in enumerate((210, 240, 100)):
        seen = pictured(data / "hc18" / f"{n}.png", 10 + n)
        rows.append(
            {
                "file": f"{n}.png",
                "group": f"hc18-{n}",
                "pixel_mm": 0.5,
                "head_circumference_mm": around,
                **seen,
            }
        )
    written(data / "hc18", rows)
    planes = [("brain", "p1"), ("brain", "p2"), ("femur", "p3")]
    for n, (plane, _) in enumerate(planes):
        pictured(data / "fetal_planes" / plane / f"f{n}.png", 20 + n)
    written(
        data / "fetal_planes",
        [
            {"file": f"{plane}/f{n}.png", "plane": plane, "group": group}
            for n, (plane, group) in enumerate(planes)
        ],
    )
    for n, name in enumerate(("f1", "other")):
        pictured(data / "lateral_ventricle" / f"{name}.png", 21 + 9 * n)
    written(
        data / "lateral_ventricle",
        [{"file": "f1.png", "group": "p2", "lateral_ventricle_box": "10 10 20 20"},
         {"file": "other.png", "group": "p1", "lateral_ventricle_box": "10 10 20 20"}],
    )  # fmt: skip
    labels = ["normal", "ventriculomegaly", "ventriculomegaly", "other"]
    for n, label in enumerate(labels):
        pictured(data / "ultrasound" / label / f"u{n}.png", 40 + n, label if "v" in label else "normal")
    written(
        data / "ultrasound",
        [
            {"file": f"{label}/u{n}.png", "label": label, "severity": "", "group": f"u-{n}"}
            for n, label in enumerate(labels)
        ],
    )
    written(
        data / "ultrasound_640",
        [{"file": "ventriculomegaly/u1.png", "view_by_a_lay_eye": "axial_wide_ventricle_visible"}],
    )
    return data


def test_every_head_is_read_once_with_its_hospital_and_what_it_shows(data) -> None:
    assert modality_of(data) == "ultrasound"
    found = {one.file: (one.shows, one.hospital) for one in heads(data)}
    assert found["hc18/0.png"] == ("normal", NIJMEGEN)
    assert found["hc18/2.png"] == ("early", NIJMEGEN), "100 mm around is before about 18 weeks"
    assert found["lateral_ventricle/f1.png"] == ("normal", BARCELONA)
    assert "fetal_planes/brain/f1.png" not in found, "the same frame stands in lateral_ventricle"
    assert "fetal_planes/femur/f2.png" not in found
    assert found["ultrasound/ventriculomegaly/u1.png"] == ("ventriculomegaly", "collection")
    assert len(found) == 3 + 1 + 2 + 4


def test_outlines_have_the_stated_circumference_and_stretched_frames_are_drawn_out(data) -> None:
    first = next(entries(data, "hc18"))
    assert first.outline is not None
    assert (first.mm, first.circumference_mm) == (0.5, 210)
    stretched = square_pixels(data, "fetal_planes/brain/f0.png")
    assert stretched.shape == (160, round(160 * 959 / 661))
    assert square_pixels(data, "hc18/0.png").shape == (160, 160)


@pytest.fixture(scope="module")
def found(data, prepared_pictures) -> Material:
    making = Making(phantoms=5, seed=1, variants=1, headless=True)
    return material("ultrasound", data, OUTLINE, making, cache=prepared_pictures)


def test_early_heads_and_other_anomalies_are_neither_class_and_kept_apart(found) -> None:
    assert found.early.names == ("hc18/2.png",)
    assert set(found.other.names) <= {"ultrasound/other/u3.png"}
    assert not any("hc18/2" in name for name in found.taught.names)
    assert found.shown == {"ultrasound/ventriculomegaly/u1.png"}


def test_a_fold_without_a_hospital_sees_no_patient_of_it_and_borrows_none_of_its_looks(found) -> None:
    assert away_names([found]) == (BARCELONA, NIJMEGEN)
    course = Course(Plan("cnn", folds=2), NOTHING_KEPT, lambda _: None, None, extra=2)
    (shelf,) = filled(course, [found], None)
    for number, hospital in enumerate(away_names([found]), start=len(shelf.folds)):
        hidden = set(shelf.hidden(number))
        of_there = {"hc18-0", "hc18-1"} if hospital == NIJMEGEN else {"p1", "p2", "u-0"}
        assert hidden >= of_there & set(found.labelled.groups)
        for bank, rows in shelf.banks(number)[:2]:
            learnt = set(bank.examples.groups[rows])
            assert learnt
            assert not learnt & hidden
        lent = shelf.banks(number)[0][0].styles
        assert len(lent) == (~np.isin(shelf.styles.groups, list(hidden))).sum()
    assert not len(shelf.hidden(None))


def test_what_is_said_to_be_left_out_is_not_learnt_from_and_still_measures(data, prepared_pictures) -> None:
    making = Making(phantoms=5, seed=1, variants=1, without=("hc18",))
    without = material("ultrasound", data, OUTLINE, making, cache=prepared_pictures)
    assert not any(name.startswith("hc18/") for name in without.taught.names)
    assert any(name.startswith("hc18/") for name in without.labelled.names)
    assert away_names([without]) == (), "one hospital alone cannot be left out"


def test_in_a_class_hospitals_and_ways_of_making_weigh_the_same_whatever_their_size() -> None:
    names = ["hc18/a.png#normal-0"] * 6 + [
        "fetal_planes/b.png#normal-0",
        "fetal_planes/b.png#normal-dilated-0",
    ]
    examples = Examples(
        np.zeros((8, 1, 2, 2), np.float32),
        np.zeros(8, np.int64),
        np.array([*"abcdef", "g", "g"], np.str_),
        tuple(names),
        {},
        np.full(8, "", np.str_),
    )
    weights = evenness(examples, np.arange(8))
    assert weights[:6] == pytest.approx(1 / 18)
    assert weights[6:] == pytest.approx(1 / 3)


def phantom_with_caliper(number: int) -> tuple[PictureStack, np.ndarray]:
    spec = sample_spec(np.random.default_rng(number), label="normal")
    phantom = render(spec, "ultrasound", seed=number, size=256)
    lower = max(phantom.calipers, key=lambda one: one.inner[0])
    stack = replace(phantom.stack(), pixel_spacing=None)
    return stack, np.array([[x, y] for y, x in (lower.inner, lower.outer)], np.float64)


def test_a_dilated_head_is_the_same_twice_and_darker_where_its_ventricle_is_wider() -> None:
    stack, caliper = phantom_with_caliper(3)
    made = partial(dilated_stack, lambda: stack, caliper)
    assert np.array_equal(made("ventriculomegaly", 5).pixels, made("ventriculomegaly", 5).pixels)
    wide = [made("ventriculomegaly", seed).pixels[0] for seed in range(4)]
    assert all(one.shape[0] == 320 for one in wide)
    bare = made("normal", 5, bare=True).pixels[0]
    assert (bare[0] == 0).all()
    assert (bare[:, 0] == 0).all()


def asked(**changes: object) -> by_source.Asked:
    """Four normals of either hospital, two cases of ventriculomegaly, an early head and another anomaly."""
    names = [f"hc18/{n}.png" for n in range(4)] + [f"fetal_planes/brain/{n}.png" for n in range(4)]
    names += [f"ultrasound/ventriculomegaly/{n}.png" for n in range(3)] + [
        "hc18/early.png",
        "ultrasound/other/o.png",
    ]
    shows = ["normal"] * 8 + ["ventriculomegaly"] * 3 + ["early", "other"]
    groups = [*(f"g{n}" for n in range(8)), "mild-18", "mild-18", "severe-20", "e", "o"]
    usual = by_source.Asked(
        tuple(names),
        np.array(groups, np.str_),
        np.array(shows, np.str_),
        np.full(13, "", np.str_),
        np.array([False] * 8 + [True, False, True, False, False]),
        np.array([-3, -3, -3, 1, -3, -3, -3, -3, 2, -2, 3, 2, -1], np.float64),
        {
            NIJMEGEN: np.array([-1, -1, -1, 1.5, *[-3] * 4, 2, -2, 3, 2, -1], np.float64),
            BARCELONA: np.array([*[-3] * 4, -2, -2, -2, 0, 2, -2, 3, 2, -1], np.float64),
        },
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


ALL = Target("specificity", 0.99)


def test_the_threshold_is_what_the_worst_left_out_source_asks_for() -> None:
    worst = by_source.worst_threshold(asked(), ALL)
    assert worst == pytest.approx(1 / (1 + math.exp(-1.5)))
    assert by_source.worst_threshold(asked(), ALL, but=NIJMEGEN) == pytest.approx(0.5)
    assert by_source.worst_threshold(asked(), Target("sensitivity", 0.9)) is None
    assert by_source.worst_threshold(asked(away={}), ALL) is None


def test_a_left_out_source_is_called_at_a_threshold_that_none_of_its_pictures_chose() -> None:
    card = {"evaluation": by_source.evaluation(asked(), 0.9, ALL)}
    row = least(card, "specificity", label="normal")
    assert row is not None
    assert (row["source"], row["value"], row["count"]) == ("hc18", 0.75, 4), "alarmed at the others' 0.5"
    learnt = least(card, "specificity", label="normal", learnt_from=True)
    assert learnt is not None
    assert learnt["value"] == 1.0, "at the threshold in use"


def test_ventriculomegaly_is_counted_by_case_and_a_refused_picture_is_missed() -> None:
    card = {"evaluation": by_source.evaluation(asked(), 0.8, ALL)}
    found = least(card, "sensitivity", label="ventriculomegaly", unit="case")
    pictures = least(card, "sensitivity", label="ventriculomegaly", unit="picture")
    assert found is not None
    assert pictures is not None
    assert (found["value"], found["count"]) == (1.0, 2), "a case is found by one of its pictures"
    assert (round(pictures["value"], 2), pictures["count"]) == (0.67, 3)
    codes = asked().codes.copy()
    codes[[0, 10]] = "off_plane"
    refused = {"evaluation": by_source.evaluation(asked(codes=codes), 0.8, ALL)}
    missed = least(refused, "sensitivity", label="ventriculomegaly", unit="case")
    left = least(refused, "specificity", label="normal")
    assert missed is not None
    assert left is not None
    assert (missed["value"], missed["refused"]) == (0.5, 1)
    assert (left["count"], left["refused"]) == (3, 1), "a refused normal counts nowhere"


def test_the_answers_on_a_card_give_its_rows_again() -> None:
    kept = by_source.evaluation(asked(), 0.8, ALL)
    again = by_source.Asked.from_json(kept["answers"])
    assert by_source.evaluation(again, 0.8, ALL) == kept
    twice = by_source.together([again, again])
    assert by_source.evaluation(twice, 0.8, ALL)["by_source"] == kept["by_source"]


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory, prepared_pictures) -> Path:
    """A version that was trained on all sources, with its page."""
    out, said = tmp_path_factory.mktemp("trained"), StringIO()
    small = ["--phantoms=5", "--variants=1", "--phantom-epochs=1", "--epochs=1", "--steps=1", "--folds=2"]
    given = ["--network", "cnn", "--data", f"ultrasound={data}", "--preprocessing", OUTLINE, "--explained=0"]
    where = ["--out", str(out), "--cache", str(prepared_pictures), "--target", "specificity=0.85"]
    assert main([*given, *small, *where], said) == 0, said.getvalue()
    return out / "cnn-ultrasound-1.0.json"


@pytest.mark.training
def test_a_training_on_several_sources_puts_the_rows_on_its_card(trained) -> None:
    record = WeightsRecord.from_json(trained.read_text())
    assert record.preprocessing == OUTLINE
    assert record.threshold_target == "specificity 85% on the worst source left out of training"
    assert f"--preprocessing {OUTLINE}" in record.card["training"]["command"]
    row = least(record.card, "specificity", label="normal")
    assert row is not None
    assert not row["learnt_from"]
    assert "the only source of its kind" in trained.with_suffix(".md").read_text()


def rows_of(record: WeightsRecord) -> list[str]:
    """What was measured, without the values: a card's JSON has no word for what is no number."""
    rows = json.loads(record.to_json(), parse_constant=pytest.fail)["card"]["evaluation"]["by_source"]
    values = {"value": 0, "low": 0, "high": 0}
    return sorted(canonical_json({**row, **values}).decode() for row in rows)


@pytest.mark.training
def test_an_ensemble_is_measured_by_source_as_its_members_are(trained) -> None:
    one = WeightsRecord.from_json(trained.read_text())
    other = replace(one, network="modified_cnn")
    both = combined([one, other], "", version="1.0", target=Target("specificity", 0.85), command="")
    assert both.threshold_target == one.threshold_target
    assert rows_of(both) == rows_of(one)
    fewer = {**one.card["evaluation"], "answers": {**one.card["evaluation"]["answers"], "names_sha256": "0"}}
    with pytest.raises(MembersDiffer, match="same pictures"):
        combined(
            [one, replace(other, card={**one.card, "evaluation": fewer})],
            "",
            version="1.0",
            target=Target("specificity", 0.85),
            command="",
        )


def test_a_finished_version_is_asked_of_every_source_through_its_own_door(data) -> None:
    rows = measured(random_model("cnn"), data, never_learnt=(NIJMEGEN,))
    normals = {row["source"]: row["learnt_from"] for row in rows if row["label"] == "normal"}
    assert normals["hc18"] is False
    assert normals["lateral_ventricle"] is True
    early = [row for row in rows if "before 18 weeks" in row["source"]]
    assert [(row["source"], row["count"]) for row in early] == [("hc18, before 18 weeks", 1)]


def test_another_probe_changes_the_head_alone_and_by_chance_alone() -> None:
    pictures = torch.zeros(6, 1, 64, 64)
    pictures[:, :, 16:48, 16:48] = torch.randn(6, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    once, again = (other_probes(pictures, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(once, again)
    assert not once[pictures == 0].any()
    assert not torch.allclose(once, pictures, atol=0.05)


def test_the_cards_page_shows_the_rows_in_words_and_keeps_the_answers_for_the_file() -> None:
    card = {"evaluation": by_source.evaluation(asked(), 0.8, ALL)}
    (shown,) = [section for section in cards.sections(card) if section.title == "By source"]
    (table,) = shown.tables
    assert table.columns == ("Source", "Of", "Measure", "Figure", "Units", "Refused")
    assert table.rows[0][:3] == (
        "hc18, before 18 weeks, never learnt from",
        "pictures of neither class",
        "not alarmed",
    )
    assert not any(section.title == "Answers" for section in cards.sections(card))
