"""The table of figures to reach: rows with goals, what failed beside what went on, a run that is kept."""

import argparse
import json
import math

import numpy as np
import pytest

from bench import answers
from bench.answering import networks
from bench.answering.prepared import Seen
from bench.answering.table import Row, as_json, separation, share
from inference.engine import catalogue
from inference.engine.predict import calibrated, frame_logits
from inference.engine.weights.loaded_model import load


def test_a_row_without_anything_measured_has_neither_reached_nor_missed_its_goal():
    nothing = share("normal: not alarmed", "a hospital", [], least=0.85)
    assert nothing.has_goal
    assert nothing.reached is None
    assert as_json([nothing])[0]["value"] is None
    assert math.isnan(separation("AUC", "a hospital", [], [0.5]).value)


def test_a_group_that_fails_is_named_and_the_others_go_on(tmp_path, monkeypatch, capsys):
    def broken(data, every):
        raise OSError("no such picture")

    row = Row("normal: not alarmed", "a hospital", 0.9, 0.8, 1.0, 10, least=0.85)
    monkeypatch.setattr(answers, "GROUPS", {"broken": broken, "whole": lambda *_: [row]})
    out = tmp_path / "kept.json"
    options = argparse.Namespace(
        data=tmp_path, every=1, rows=["broken", "whole"], sheet=None, out=out, json=True
    )
    told = answers.measured(options)
    assert told == json.loads(out.read_text())
    assert list(told["failed"]) == ["broken"]
    (reached,) = told["figures_to_reach"]
    assert reached["reached"] is True
    assert "| normal: not alarmed | a hospital |" in capsys.readouterr().err


@pytest.mark.parametrize("modality", ["ultrasound"])
def test_a_combined_version_says_what_its_members_make_it_say(modality):
    shipped = catalogue.newest("ensemble", modality)
    tensor = np.random.default_rng(1).random((2, 1, 128, 128)).astype(np.float32)
    group = tuple(Seen(None, "", tensor[row : row + 1]) for row in range(2))
    model = load(shipped.record, shipped.content(), backend="torch")
    expected = calibrated(frame_logits(model, tensor), shipped.record.temperature)[:, 1]
    assert networks._chances(shipped.record, group) == pytest.approx(expected, abs=1e-5)
