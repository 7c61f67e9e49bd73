"""Numbers in words."""

import pytest

from language import numbers


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "< 0.01"),
        (0.0049, "< 0.01"),
        (0.005, "0.01"),
        (0.5, "0.50"),
        (0.995, "0.99"),
        (0.9951, "> 0.99"),
    ],
)
def test_a_probability_is_never_a_certainty(value, shown):
    assert numbers.probability(value) == shown
