"""When the answers about a scan decide nothing: an unsteady answer, or versions that contradict each other.

One rule stands behind the call of a case (cases.review.calls) and the figures on a card
(inference.training.evaluation.calls): what is measured is what is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

UNDECIDED = "undecided"
Reason = Literal["turns", "doubt", "opposed", "refused"]
"""The leading interval crosses its threshold, another view would turn it, others contradict it, or it
is a refusal."""


@dataclass(frozen=True)
class Limits:
    """From when on nothing is decided. A department sets them; the defaults are those of the cards.

    turns: an interval that crosses the threshold is enough. doubt: chance, 0 to 0.5, that another view of the
    picture turns the call. opposed: share of the other versions that say the opposite.
    """

    turns: bool = True
    doubt: float = 0.25
    opposed: float = 0.5


NO_LIMITS = Limits(turns=False, doubt=1.0, opposed=1.01)
"""Out of reach: the leading answer alone decides, and of a tie ventriculomegaly; as without limits."""


@dataclass(frozen=True)
class Said:
    """One version's answer. label: "" for a refusal. low, high, doubt: None where nobody measured them."""

    label: str
    threshold: float
    low: float | None = None
    high: float | None = None
    doubt: float | None = None

    @property
    def turns(self) -> bool:
        """Whether slightly changed views of the picture fall on both sides of the threshold."""
        return self.low is not None and self.high is not None and self.low < self.threshold <= self.high


def doubts_about(leading: Said, others: Sequence[str], limits: Limits) -> tuple[Reason, ...]:
    """Why the leading answer decides nothing; empty where it decides. others: labels, "" for a refusal."""
    if not leading.label:
        return ("refused",)
    voices = [label for label in others if label]
    against = sum(label != leading.label for label in voices)
    found: list[tuple[Reason, bool]] = [
        ("turns", limits.turns and leading.turns),
        ("doubt", leading.doubt is not None and leading.doubt >= limits.doubt),
        ("opposed", against > 0 and against >= limits.opposed * len(voices)),
    ]
    return tuple(name for name, holds in found if holds)
