"""Whether doubt tells wrong answers from right ones, against cases whose result is known by hand."""

import numpy as np
import pytest

from inference.training.evaluation.selective import risk_area, selective, selective_curve

WRONG = np.array([0.0, 0.0, 0.0, 1.0])


def test_the_area_is_least_when_the_wrong_answer_is_doubted_most():
    best = risk_area(WRONG, np.array([0.1, 0.2, 0.3, 0.4]))
    worst = risk_area(WRONG, np.array([0.4, 0.3, 0.2, 0.1]))
    assert best == pytest.approx(np.mean([0, 0, 0, 1 / 4]))
    assert worst == pytest.approx(np.mean([1, 1 / 2, 1 / 3, 1 / 4]))


def test_setting_the_doubted_aside_leaves_the_right_answers():
    truth = np.array([0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
    called = truth.copy()
    called[[0, 1]] = 1 - called[[0, 1]]
    doubt = np.array([0.5, 0.49, *np.linspace(0.01, 0.2, 8)])
    found = selective(truth, called, doubt, -doubt * 0, np.arange(10).astype(np.str_))
    assert found["accuracy_of_all"]["value"] == pytest.approx(0.8)
    assert found["accuracy_of_the_surest_80_percent"]["value"] == pytest.approx(1.0)
    assert found["doubt_minus_distance"]["value"] < 0
    curve = selective_curve(truth, called, doubt, -doubt * 0)
    assert curve[-1][0] == 1
    assert curve[-1][1] == curve[-1][2] == pytest.approx(0.2)


def test_nothing_labelled_gives_no_figures():
    none = np.zeros(0)
    assert selective(none.astype(int), none.astype(int), none, none, none.astype(np.str_)) == {}
