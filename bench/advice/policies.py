"""Who decides what is acquired next in the simulator: advice, a fixed protocol, chance, or one who knows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from advice.decisions import Judge, limit, probability, within
from advice.table import AGAIN, MEND
from cases.advice.findings import Finding
from cases.advice.rank import advise
from cases.advice.rulebook import Rulebook
from cases.advice.values import Values
from inference.training.synthesis.acquisitions import REPEATS, Acquisition, Pool


@dataclass(frozen=True)
class World:
    """What every policy shares."""

    judge: Judge
    rules: Rulebook
    values: Values


@dataclass(frozen=True)
class Course:
    """What one policy did with one head. steps: seconds and acquisitions seen after each, from the first."""

    pool: Pool
    steps: tuple[tuple[float, tuple[Acquisition, ...]], ...]

    def at(self, seconds: float) -> tuple[float, tuple[Acquisition, ...]]:
        """The last step that was over by then."""
        return [step for step in self.steps if step[0] <= seconds][-1]


Next = Callable[[Pool, tuple[Acquisition, ...], float], str]
"""The action that a policy chooses after these acquisitions and seconds; "" to stop."""


def course(pool: Pool, world: World, choose: Next, most: int = REPEATS) -> Course:
    """Let a policy acquire until it stops."""
    first = seconds_of(world, AGAIN[pool.modality])
    steps = [(first, (pool.first,))]
    names = [""]
    while len(steps) <= most and (action := choose(pool, steps[-1][1], steps[-1][0] - first)):
        seen = (*steps[-1][1], _taken(pool, action, names))
        steps.append((steps[-1][0] + seconds_of(world, action.partition(":")[0]), seen))
        names.append(action)
    return Course(pool, tuple(steps))


def _taken(pool: Pool, action: str, before: Sequence[str]) -> Acquisition:
    """An aimed repetition mends the fault it names; aimed at another it is a plain one. None comes twice."""
    aimed = [_is_aimed(pool, one) for one in before if one]
    return pool.mended[sum(aimed)] if _is_aimed(pool, action) else pool.again[len(aimed) - sum(aimed)]


def _is_aimed(pool: Pool, action: str) -> bool:
    return action.endswith(f":{pool.fault}") and bool(pool.fault)


def seconds_of(world: World, action: str) -> float:
    """What the rules say it costs."""
    return next(rule.action.seconds for rule in world.rules.rules if rule.action.id == action)


def advised(
    world: World,
    *,
    quality: bool = True,
    risk: bool = True,
    told: Callable[[Pool, tuple[Acquisition, ...]], tuple[Pool, tuple[Acquisition, ...]]] | None = None,
) -> Next:
    """The shipped rules and table. told: whose scores the advice gets to see, for the negative control."""

    def choose(pool: Pool, seen: tuple[Acquisition, ...], spent: float) -> str:
        _, scored = told(pool, seen) if told else (pool, seen)
        findings = list(_findings(pool, scored, world, quality=quality, risk=risk))
        odds = world.judge.odds(scored, world.rules)
        counsel = advise(
            findings, world.rules, world.values, probability=probability(odds), spent_seconds=spent
        )
        if not counsel.suggestions:
            return ""
        best = counsel.suggestions[0]
        is_aimed = best.action.id in MEND.values()
        return f"{best.action.id}:{best.reasons[0].finding.name}" if is_aimed else best.action.id

    return choose


def _findings(
    pool: Pool, seen: Sequence[Acquisition], world: World, *, quality: bool, risk: bool
) -> Iterator[Finding]:
    """Of what counts: a faulted acquisition that a better one has replaced is no news."""
    if quality:
        newest = within(seen, world.rules)[-1]
        ranked = sorted(
            newest.checks.items(), key=lambda item: -item[1] / limit(world.rules, item[0], pool.modality)
        )
        for name, value in ranked[:1]:
            yield Finding(name, value, pool.modality, "simulated", scan=1)
    if risk:
        yield Finding(
            "doubt", world.judge.doubt(seen, world.rules), pool.modality, "simulated", scan=1, is_telling=True
        )


def fixed(_: World) -> Next:
    """The protocol that every head gets: one repetition after another to the end."""
    return lambda pool, _seen, _spent: AGAIN[pool.modality]


def by_chance(world: World, seed: int = 0) -> Next:
    """An action, or the end, by lot."""
    del world

    def choose(pool: Pool, seen: tuple[Acquisition, ...], _spent: float) -> str:
        rng = np.random.default_rng([seed, pool.head, len(seen)])
        aims = [f"{MEND[pool.modality]}:{name}" for name in pool.first.checks]
        return str(rng.choice(["", AGAIN[pool.modality], *aims]))

    return choose


def oracle(world: World) -> Next:
    """Knows the truth: acquires only where some sequence ends right, and takes the shortest of them."""

    def choose(pool: Pool, seen: tuple[Acquisition, ...], _spent: float) -> str:
        if is_right(pool, seen, world):
            return ""
        plan = _shortest(pool, seen, world)
        return plan[0] if plan else ""

    return choose


def _shortest(pool: Pool, seen: tuple[Acquisition, ...], world: World) -> list[str]:
    """Breadth first over plain and aimed repetitions; what was taken already is known by identity."""
    frontier: list[tuple[list[str], tuple[Acquisition, ...]]] = [([], seen)]
    for _ in range(REPEATS + 1 - len(seen)):
        grown = []
        for plan, had in frontier:
            for action, took in _choices(pool, had):
                now = (*had, took)
                if is_right(pool, now, world):
                    return [*plan, action]
                grown.append(([*plan, action], now))
        frontier = grown
    return []


def _choices(pool: Pool, had: Sequence[Acquisition]) -> Iterator[tuple[str, Acquisition]]:
    plain = [one for one in pool.again if not any(one is other for other in had)]
    aimed = [one for one in pool.mended if not any(one is other for other in had)]
    if plain:
        yield AGAIN[pool.modality], plain[0]
    if pool.fault and aimed:
        yield f"{MEND[pool.modality]}:{pool.fault}", aimed[0]


def is_right(pool: Pool, seen: Sequence[Acquisition], world: World) -> bool:
    """Whether the call is the truth."""
    return (world.judge.odds(seen, world.rules) >= 0) == pool.positive


def shuffled(pools: Sequence[Pool]) -> Callable[..., tuple[Pool, tuple[Acquisition, ...]]]:
    """Scores of another head of the same modality, for the negative control."""
    order = {pool.head: other for pool, other in zip(pools, [*pools[7:], *pools[:7]], strict=True)}

    def told(pool: Pool, seen: tuple[Acquisition, ...]) -> tuple[Pool, tuple[Acquisition, ...]]:
        other = order[pool.head]
        return other, (other.first, *other.again)[: len(seen)]

    return told
