"""A training under way: what it keeps and what it tells after each epoch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from inference.training.fitting.checkpoints import Checkpoints, Memory
from inference.training.fitting.loop import Learner
from inference.training.fitting.plan import Plan

NOTHING_KEPT = Checkpoints(None, "")


@dataclass(frozen=True)
class Step:
    """One epoch is over. values: what to show beside the stage. done, total: units of work, at most."""

    stage: str
    values: Mapping[str, float]
    done: int
    total: int


Report = Callable[[Step], None]


@dataclass
class Course:
    """One training under way: what it keeps and tells after each epoch. `done` counts units of work.

    extra: folds besides those of the plan.
    """

    plan: Plan
    checkpoints: Checkpoints
    report: Report
    cache: Path | None
    done: int = 0
    extra: int = 0
    total: int = field(init=False)

    def __post_init__(self) -> None:
        self.total = self.plan.phantom_epochs + self.plan.epochs * (self.plan.folds + self.extra + 1)

    def resumed(self, phase: str, learners: list[Learner]) -> Memory | None:
        """Put the learners where this phase was left, if it was begun before."""
        memory = self.checkpoints.recall(phase)
        for number, learning in enumerate(learners):
            if memory:
                learning.restore(memory.part(str(number)))
        return memory

    def after(
        self,
        phase: str,
        learners: list[Learner],
        facts: dict[str, Any],
        kept: tuple[nn.Module, ...] = (),
    ) -> None:
        """Keep a phase as it is after a whole epoch."""
        parts = {str(number): learning.state() for number, learning in enumerate(learners)}
        parts |= {f"kept-{number}": module.state_dict() for number, module in enumerate(kept)}
        self.checkpoints.keep(phase, parts, facts)

    def tell(self, stage: str, values: dict[str, float], units: int = 1) -> None:
        """Report an epoch that took so many units of work."""
        self.done += units
        self.report(Step(stage, values, self.done, max(self.total, self.done)))
