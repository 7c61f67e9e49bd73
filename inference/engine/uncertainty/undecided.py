"""When the answers about a scan decide nothing: an unsteady answer, versions that contradict each other, or
slices too thick to say that nothing is wide.

One rule stands behind the call of a case (cases.review.calls) and the figures on a card
(inference.training.evaluation.calls): what is measured is what is shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from inference.engine.records import POSITIVE

UNDECIDED = "undecided"
Reason = Literal["turns", "doubt", "opposed", "coarse", "refused"]
"""The leading interval crosses its threshold, another view would turn it, others contradict it, thick slices
may hide what it does not see, or it is a refusal."""
SURE_ACROSS = 24
"""Slices of another plane that a head must span for a normal to count: of made stacks with fewer, wide
ventricles of small heads were called normal, without doubt (docs/decisions/0051)."""


@dataclass(frozen=True)
class Limits:
    """From when on nothing is decided. A department sets them; the defaults are those of the cards.

    turns: an interval that crosses the threshold is enough. doubt: chance, 0 to 0.5, that another view of the
    picture turns the call. opposed: share of the other versions that say the opposite. coarse: a normal of
    thick slices decides nothing.
    """

    turns: bool = True
    doubt: float = 0.25
    opposed: float = 0.5
    coarse: bool = True


NO_LIMITS = Limits(turns=False, doubt=1.0, opposed=1.01, coarse=False)
"""Out of reach: the leading answer alone decides, and of a tie ventriculomegaly; as without limits."""


@dataclass(frozen=True)
class Said:
    """One version's answer. label: "" for a refusal. low, high, doubt: None where nobody measured them.

    slices_across: how many slices the head spans, of a stack of another plane; None of any other scan.
    """

    label: str
    threshold: float
    low: float | None = None
    high: float | None = None
    doubt: float | None = None
    slices_across: float | None = None

    @property
    def turns(self) -> bool:
        """Whether slightly changed views of the picture fall on both sides of the threshold."""
        return self.low is not None and self.high is not None and self.low < self.threshold <= self.high

    @property
    def coarse(self) -> bool:
        """Whether it says normal of slices so thick that a wide ventricle may not show."""
        return self.label != POSITIVE and self.slices_across is not None and self.slices_across < SURE_ACROSS


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
        ("coarse", limits.coarse and leading.coarse),
    ]
    return tuple(name for name, holds in found if holds)
