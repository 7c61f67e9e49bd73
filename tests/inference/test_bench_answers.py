"""The table of figures to reach: rows with goals, what failed beside what went on, a run that is kept."""

import argparse
import json
import math

import numpy as np
import pytest

from bench import answers
from bench.answering import networks
from bench.answering.pictures import Shown
from bench.answering.prepared import seen, stated
from bench.answering.table import Row, as_json, separation, share
from inference.engine import catalogue, versions
from inference.engine.measuring.width_evidence import WIDTH_LOG_ODDS
from inference.phantom import render, sample_spec


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


def test_a_combined_version_says_what_its_members_make_it_say(tmp_path):
    """Networks and the width that is measured on a picture whose scale is stated."""
    head = render(
        sample_spec(np.random.default_rng(11), gestational_age_days=182), "ultrasound", seed=11, size=384
    )
    (tmp_path / "head.png").write_bytes(head.png())
    picture = Shown(
        tmp_path / "head.png", "hc18", "brain", "1", {"pixel_mm": str(head.stack().pixel_spacing[0])}
    )
    shipped = catalogue.newest("ensemble", "ultrasound")
    model = versions.load(shipped.record, shipped.content(), backend="torch")
    (answer,) = versions.predict(model, [stated(picture)])
    assert WIDTH_LOG_ODDS in answer.quality
    group = (seen(picture, shipped.record.preprocessing, scaled=True),)
    assert networks._chances(shipped.record, group) == pytest.approx([answer.probability], abs=1e-4)
