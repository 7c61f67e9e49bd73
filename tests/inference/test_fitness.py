"""Only what holds may be relied on: what a card and the gate's record say to the rule, without Django."""

import io
import json

import pytest

from inference.engine import catalogue, command
from inference.engine.fitness import RULES, figures_of, fitness, fitness_of, gates
from inference.engine.fitness.__main__ import main as say_how_versions_stand
from inference.engine.fitness.seating import seats_of
from inference.engine.preprocessing.prepare import RECIPES
from inference.engine.records import WeightsRecord

OUTLINE = "ultrasound-outline-2-128"


def figure(source: str, value: float, label: str = "normal", **more) -> dict:
    usual = {
        "measure": "specificity" if label == "normal" else "sensitivity",
        "low": max(0.0, value - 0.1), "high": min(1.0, value + 0.1), "count": 40, "unit": "picture",
        "learnt_from": False, "shown_only": False,
    }  # fmt: skip
    return {"source": source, "label": label, "value": value, **usual, **more}


WIDE = figure("ultrasound", 0.9, "ventriculomegaly")


def card(*figures: dict) -> dict:
    return {"evaluation": {"by_source": list(figures)}}


@pytest.fixture
def good_gate(monkeypatch) -> None:
    """A gate that turns away few heads and nearly everything else."""
    good = gates.GateFigures(gates.GateFigure("a hospital", 0.02, 100), gates.GateFigure("", 0.99, 200))
    monkeypatch.setattr("inference.engine.fitness.rule.gate_figures", lambda _: good)


def states(*figures: dict, modality: str = "ultrasound", **card_more) -> dict[str, str]:
    found = fitness({**card(*figures), **card_more}, modality, OUTLINE)
    return {one.code: one.state for one in found.conditions}


def test_a_version_meets_the_rule_when_every_condition_holds(good_gate):
    found = fitness(card(figure("hc18", 0.9), WIDE), "ultrasound", OUTLINE)
    assert found.holds
    assert found.lacking == ()
    codes = ["specificity", "sensitivity", "gate_heads", "gate_others"]
    assert [one.code for one in found.conditions] == codes


def test_the_worst_source_that_was_left_out_decides(good_gate):
    found = fitness(card(figure("a", 0.99), figure("b", 0.59), WIDE), "ultrasound", OUTLINE)
    (lacking,) = found.lacking
    assert (lacking.code, lacking.state, lacking.parameters["source"]) == ("specificity", "fails", "b")
    assert lacking.detail == (
        "Of normals of b, from which it learnt nothing, 0.590 (0.490 to 0.690) are not alarmed; at least "
        "0.85 are asked for."
    )


@pytest.mark.parametrize(
    "figures",
    [
        (),
        (figure("known", 0.99, learnt_from=True),),
        (figure("few", 1.0, count=3),),
    ],
)
def test_what_nobody_measured_does_not_hold(figures, good_gate):
    held = {"held_out": {"specificity": {"value": 1.0, "low": 0.9, "high": 1.0, "count": 90}}}
    found = states(*figures, WIDE, **held)
    assert found["specificity"] == "unknown"
    assert not fitness({**card(*figures, WIDE), **held}, "ultrasound", OUTLINE).holds


def test_cases_that_show_a_wide_ventricle_count_before_everything_else_of_their_source(good_gate):
    every = figure("ultrasound", 0.5, "ventriculomegaly")
    shown = figure("ultrasound", 0.85, "ventriculomegaly", shown_only=True, unit="case", count=7)
    found = fitness(card(figure("hc18", 0.9), every, shown), "ultrasound", OUTLINE)
    assert found.holds
    assert "that shows" in found.conditions[1].detail
    assert found.conditions[1].sentences[1:] == ("No other source was tried.",)


def test_where_only_one_source_is_at_hand_held_out_figures_count_and_that_is_said(good_gate):
    held = {
        name: {"value": value, "low": 0.9, "high": 1.0, "count": 64}
        for name, value in (("specificity", 0.95), ("sensitivity", 0.93))
    }
    found = fitness({"held_out": held}, "mri", "mri-square-128")
    assert found.holds
    for one in found.conditions[:2]:
        assert one.parameters["one_source"]
        assert one.sentences[-1] == "No other source was tried."


def test_figures_measured_later_on_another_source_count_too(good_gate):
    told = card(figure("hc18", 0.9), WIDE)
    assert fitness(told, "ultrasound", OUTLINE).holds
    assert not fitness(told, "ultrasound", OUTLINE, [figure("here", 0.7)]).holds


@pytest.mark.parametrize(
    "evaluation",
    [
        None,
        "good",
        {"by_source": "good"},
        {"by_source": [None, {}, {"source": "a"}]},
        {"by_source": [{**figure("a", 1.0), "value": 7}]},
        {"by_source": [{**figure("a", 1.0), "value": None}]},
        {"by_source": [{**figure("a", 1.0), "measure": "luck"}]},
    ],
)
def test_a_card_from_anywhere_is_read_without_trust(evaluation):
    assert figures_of(evaluation) == []


def test_figures_come_back_as_they_were_written():
    figures = [figure("a", 0.5), WIDE]
    assert figures_of(json.loads(json.dumps({"by_source": figures}))) == figures


def test_an_unknown_preparation_has_no_known_gate():
    found = fitness(card(figure("hc18", 0.9), WIDE), "ultrasound", "of-tomorrow-1")
    assert [one.state for one in found.conditions[2:]] == ["unknown", "unknown"]


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_preparation_is_judged_by_the_gate_that_it_asks(recipe):
    asked = "gate" in dict(RECIPES[recipe].steps)
    record = next(gates.GATES[start][0] for start in gates.GATES if recipe.startswith(start))
    assert asked == record.startswith("shipped_input_gate")
    found = gates.gate_figures(recipe)
    assert found.heads
    assert found.heads.count >= gates.LEAST_COUNT
    assert found.others


@pytest.mark.parametrize("modality", RULES)
def test_a_start_seats_what_meets_the_rule_or_what_comes_nearest(modality):
    seats = seats_of(modality)
    assert seats
    assert len({seat.fitness.holds for seat in seats}) == 1
    shipped = [one for one in catalogue.all_shipped() if one.record.modality == modality]
    if not seats[0].fitness.holds:
        assert not any(fitness_of(one.record).holds for one in shipped)


def test_where_one_version_meets_the_rule_no_other_is_seated(monkeypatch, good_gate):
    told = {"cnn": card(figure("hc18", 0.9), WIDE), "vgg16": card(figure("hc18", 0.6), WIDE)}
    monkeypatch.setattr(
        "inference.engine.fitness.seating.all_shipped",
        lambda: [catalogue.Shipped(_record(network, one), None) for network, one in told.items()],
    )
    monkeypatch.setattr(
        "inference.engine.fitness.seating.newest",
        lambda network, _: catalogue.Shipped(_record(network, told[network]), None),
    )
    assert [seat.record.network for seat in seats_of("ultrasound")] == ["cnn"]


def _record(network: str, told: dict) -> WeightsRecord:
    return WeightsRecord(network, "1.0", "ultrasound", "0" * 64, OUTLINE, "0" * 64, 0.5, "", 1.0, card=told)


def test_the_command_answers_with_what_a_start_would_put_into_use(tmp_path, phantom_png):
    file = tmp_path / "head.png"
    file.write_bytes(phantom_png())
    out = io.StringIO()
    assert command.main([str(file), "--model", "active", "--modality", "ultrasound", "--json"], out) == 0
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    seats = seats_of("ultrasound")
    assert [(one["model"], one["version"]) for one in lines] == [
        (seat.record.network, seat.record.version) for seat in seats
    ]
    for line, seat in zip(lines, seats, strict=True):
        assert line["experimental"] is not seat.fitness.holds
        assert line["experimental_because"] == [one.as_json() for one in seat.fitness.lacking]


def test_the_command_says_in_its_table_what_is_experimental(tmp_path, phantom_png):
    file = tmp_path / "head.png"
    file.write_bytes(phantom_png())
    out = io.StringIO()
    command.main([str(file), "--model", "cnn", "--modality", "ultrasound"], out)
    record = catalogue.newest("cnn", "ultrasound").record
    assert ("experimental: do not rely on it" in out.getvalue()) is not fitness_of(record).holds


def test_the_rules_command_says_of_every_shipped_version_how_it_stands():
    out = io.StringIO()
    status = say_how_versions_stand(out)
    told = out.getvalue()
    for one in catalogue.all_shipped():
        assert f"{one.record.name}: answers" in told
    every = [seat for modality in RULES for seat in seats_of(modality)]
    assert status == int(not all(seat.fitness.holds for seat in every))
    assert told.count("experimental") == sum(not seat.fitness.holds for seat in every)
