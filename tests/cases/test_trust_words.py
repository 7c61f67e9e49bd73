"""What a reader is told about how far to trust a map, out of what was stored with it."""

import pytest

from cases.words import trust
from inference.models import Explanation

HIDDEN = {"chance_whole": 0.33, "chance_hidden": 0.014, "chance_hidden_elsewhere": 0.27}
GOES = "goes from 0.33 to 0.01; without a fifth elsewhere, to 0.27."
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


@pytest.mark.parametrize(
    ("frames", "told"), [([0], f"normal {GOES}"), ([6, 7, 8], f"normal in frame 8 {GOES}")]
)
def test_of_a_volume_the_frame_is_named_that_hiding_was_asked_of(frames: list[int], told: str) -> None:
    made = Explanation(method="gradcam", class_label="normal", frames=frames, metrics=HIDDEN)
    (sentence,) = trust(made).sentences
    assert sentence.endswith(told)
