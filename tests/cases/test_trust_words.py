"""What a reader is told about how far to trust a map, out of what was stored with it."""

import pytest

from cases.words import trust
from inference.models import Explanation

COMPUTED_AGAIN = "Foretelling its answers did not do well enough (agreement 0.31), so the rest were computed."
FORETOLD = (
    "Most of its answers were foretold from computed ones; where both were made, they agree to 0.94 "
    "(1 is wholly, 0 not at all)."
)


@pytest.mark.parametrize(("agreement", "sentence"), [(0.94, FORETOLD), (0.31, COMPUTED_AGAIN)])
def test_the_reader_is_told_how_far_foretold_answers_agree_with_computed_ones(
    agreement: float, sentence: str
) -> None:
    made = Explanation(method="lime", metrics={"foretold_agreement": agreement})
    assert sentence in trust(made).sentences


def test_nothing_is_said_of_foretelling_where_every_answer_was_computed() -> None:
    assert not [
        said for said in trust(Explanation(method="lime", metrics={})).sentences if "foretold" in said
    ]
