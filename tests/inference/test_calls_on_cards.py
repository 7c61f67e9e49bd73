"""What a card says of its calls: how often undecided, wrong and right; counts, never 100 %."""

import re
from math import erf, sqrt

import answers
import numpy as np
import pytest

from inference.engine import catalogue
from inference.engine.records import LABELS
from inference.engine.uncertainty.test_time_augmentation import VIEWS
from inference.engine.uncertainty.undecided import Limits, Said, doubts_about
from inference.registry import cards
from inference.registry.call_figures import call_figures
from inference.training.cards.card_page import markdown
from inference.training.cli.options import parser
from inference.training.cli.results import beside
from inference.training.evaluation.calls import count_words, right_calls, shown_share, undecided
from inference.training.evaluation.figures import wilson

RECORDS = [one.record for one in catalogue.shipped()]
NEVER = re.compile(r"\b100 ?%|\b1\.0+\b|\b1[,.]00\b")


def card(odds: list[float], truth: list[int], spread: float = 0.0) -> dict:
    """Held-out answers by their log-odds; every second view of each lies `spread` to the other side."""
    views = [[one - spread * np.sign(one) * (n % 2) for n in range(len(VIEWS))] for one in odds]
    chances = [1 / (1 + np.exp(-one)) for one in odds]
    return {
        "held_out_odds": [[one, *row] for one, row in zip(odds, views, strict=True)],
        "held_out_answers": [[t, c, n] for n, (t, c) in enumerate(zip(truth, chances, strict=True))],
    }


def test_steady_calls_are_decided_and_unsteady_ones_are_not():
    steady = undecided(card([4.0, -4.0, 4.0], [1, 0, 0]), 0.5, [])
    assert (steady["undecided"]["count"], steady["decided_and_wrong"]["count"]) == (0, 1)
    torn = undecided(card([4.0, -4.0, 4.0], [1, 0, 0], spread=5.0), 0.5, [])
    assert (torn["undecided"]["count"], torn["decided_and_wrong"]["of"]) == (3, 0)
    assert "no" in steady["rests_on"]


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: one.name)
def test_a_shipped_card_says_whose_pictures_it_learnt_from(record):
    """An ensemble's says which cards do."""
    nameless = parser().get_default("about")[0]
    said = record.card["data"]
    assert nameless not in said
    assert nameless not in record.card["training"]["command"]
    assert record.members or re.search(r"et al\. \d{4}, CC|\(Roboflow Universe, CC BY 4\.0", said)


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: one.name)
def test_a_card_counts_by_the_rule_that_calls_a_case(record):
    """Counted here once more, picture by picture, with the other shipped versions of the modality."""
    pictures = [truth for truth, *_ in record.card["held_out_answers"]]
    others = [
        one
        for one in beside(record, RECORDS)
        if [truth for truth, *_ in one.card["held_out_answers"]] == pictures
    ]
    found = undecided(record.card, record.threshold, others)
    limit = np.log(record.threshold / (1 - record.threshold))
    open_ = wrong = 0
    for n, row in enumerate(record.card["held_out_odds"]):
        label = "ventriculomegaly" if row[0] >= limit else "normal"
        against = [
            LABELS[int(one.card["held_out_odds"][n][0] >= np.log(one.threshold / (1 - one.threshold)))]
            for one in others
        ]
        chances = 1 / (1 + np.exp(-np.array(row)))
        spread = np.sqrt(np.mean((np.array(row[1:]) - row[0]) ** 2) + 0.4**2)
        doubt = 0.5 * (1 + erf(-abs(row[0] - limit) / spread / sqrt(2)))
        said = Said(label, record.threshold, float(chances.min()), float(chances.max()), doubt)
        if doubts_about(said, against, Limits()):
            open_ += 1
        elif (label == "ventriculomegaly") != bool(record.card["held_out_answers"][n][0]):
            wrong += 1
    assert (found["undecided"]["count"], found["decided_and_wrong"]["count"]) == (open_, wrong)
    assert found["decided_and_wrong"]["of"] == len(record.card["held_out_odds"]) - open_
    assert found["decided_and_wrong"]["count"] <= found["wrong_without_the_rule"]["count"]
    assert [f"{one.network} {one.version}" for one in others] == found["others"]


def test_a_card_that_keeps_too_little_says_nothing():
    assert undecided({"held_out": {}}, 0.5, []) == {}
    assert undecided({"held_out_answers": [[1, 0.7, 0]]}, 0.5, []) == {}
    assert right_calls({}) == {}


@pytest.mark.parametrize("record", RECORDS, ids=lambda one: one.name)
def test_counts_of_right_calls_are_those_of_the_card(record):
    held, right = record.card["held_out"], right_calls(record.card["held_out"])
    assert sum(one["of"] for one in right.values()) == held["accuracy"]["count"]
    share = sum(one["count"] for one in right.values()) / held["accuracy"]["count"]
    assert share == pytest.approx(held["accuracy"]["value"])


@pytest.mark.parametrize(
    ("hits", "of", "words"),
    [
        (41, 43, "41 of 43; 95 % interval 0.84 to 0.99"),
        (43, 43, "43 of 43; 95 % interval from 0.91 on"),
        (0, 43, "0 of 43; 95 % interval up to 0.09"),
    ],
)
def test_all_of_few_is_not_certainty(hits, of, words):
    held = {
        "sensitivity": {"value": hits / of, "count": of},
        "specificity": {"value": 1.0, "count": 5},
    }
    found = right_calls(held)
    assert (found["ventriculomegaly"]["count"], found["normal"]["of"]) == (hits, 5 + of - hits)
    figure = wilson(hits, of)
    counted = {"count": hits, "of": of, "low": figure.low, "high": figure.high}
    assert count_words(counted) == words
    assert "1.00" not in shown_share(counted)


@pytest.mark.django_db
@pytest.mark.parametrize("record", RECORDS, ids=lambda one: one.name)
def test_no_page_of_a_card_says_100_percent_or_a_predictive_value(record, tmp_path, client_of, alice):
    """On the page of a registered version, and on that of docs/models."""
    version = answers.active_version(tmp_path, modality=record.modality, card=dict(record.card))
    told = call_figures(version)
    assert len(told) == 5
    assert not any(NEVER.search(sentence) for sentence in told)
    page = client_of(alice).get(f"/models/{version.pk}/").content.decode()
    assert "What its calls are worth" in page
    assert all(sentence in page for sentence in told)
    assert "redictive value" not in page
    text = markdown(record, beside(record, RECORDS))
    assert "redictive value" not in text
    assert "When it leads, it is [undecided]" in text


def test_predictive_values_of_older_cards_are_not_shown():
    old = {
        "predictive_values": [{"prevalence": 0.01, "negative_predictive_value": 1.0}],
        "figures": {"positive_predictive_value": {"value": 1.0, "low": 0.9, "high": 1.0, "count": 40}},
        "data": "x" * 90,
    }
    assert [section.title for section in cards.sections(old)] == ["Data"]


@pytest.mark.parametrize("version", catalogue.all_shipped(), ids=lambda version: version.record.name)
def test_a_card_as_a_page_prints_nothing_that_only_a_program_would_read(version):
    for section in cards.sections(version.record.card):
        printed = [*section.paragraphs, *section.items, *(fact for _, fact in section.facts)]
        assert [one for one in printed if sum(letter.isdigit() for letter in one) > 100] == [], section.title
