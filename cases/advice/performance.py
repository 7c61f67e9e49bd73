"""How advice on the next acquisition has performed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import QuerySet

from cases.models import Advice, AdviceAnswer, Case, FollowUp


@dataclass(frozen=True)
class Performance:
    """Of one action: how often it was advised and done, and what its follow-up scans brought.

    mended: follow-ups in which everything that was named is within its limit again. bits: mean drop in
    entropy of the leading answer; expected: what the advice had promised, for the same follow-ups.
    """

    action: str
    given: int = 0
    done: int = 0
    not_done: int = 0
    followed: int = 0
    mended: int = 0
    bits: float | None = None
    expected: float | None = None


def performance(cases: QuerySet[Case]) -> list[Performance]:
    """Of every action that was advised in these cases, the commonest first."""
    found: dict[str, Performance] = {}
    for suggestions in Advice.objects.filter(case__in=cases).values_list("suggestions", flat=True):
        for one in suggestions:
            own = found.setdefault(one["action"], Performance(one["action"]))
            found[one["action"]] = replace(own, given=own.given + 1)
    drops: dict[str, list[tuple[float, float]]] = {}
    answers = AdviceAnswer.objects.filter(advice__case__in=cases).select_related(
        "advice", "effect", "follow_up__withdrawal"
    )
    for given in answers:
        own, done = found[given.key[0]], given.outcome == AdviceAnswer.Outcome.DONE
        own = replace(own, done=own.done + done, not_done=own.not_done + (not done))
        if effect := _effect(given):
            own = replace(own, followed=own.followed + 1, mended=own.mended + _is_mended(given, effect))
            drops.setdefault(own.action, []).extend(_drop(given, effect))
        found[own.action] = own
    told = [_with_bits(own, drops.get(own.action, [])) for own in found.values()]
    return sorted(told, key=lambda own: (-own.given, own.action))


def _effect(given: AdviceAnswer) -> FollowUp | None:
    """None where nothing followed, or where the scan that followed was withdrawn."""
    if given.follow_up is None or given.follow_up.is_withdrawn:
        return None
    return getattr(given, "effect", None)


def _is_mended(given: AdviceAnswer, effect: FollowUp) -> bool:
    after: dict[str, float] = effect.after.get("checks", {})
    named: Any = given.suggestion["why"]
    limits = {reason["name"]: reason["threshold"] for reason in named if reason["name"] in after}
    return bool(limits) and all(after[name] < limit for name, limit in limits.items())


def _drop(given: AdviceAnswer, effect: FollowUp) -> list[tuple[float, float]]:
    """(observed, expected) in bits, where both are known."""
    before, after = effect.before.get("bits"), effect.after.get("bits")
    expected: Any = given.suggestion["expected_bits"]
    if before is None or after is None or expected is None:
        return []
    return [(before - after, expected)]


def _with_bits(own: Performance, drops: Sequence[tuple[float, float]]) -> Performance:
    if not drops:
        return own
    observed, expected = (sum(column) / len(drops) for column in zip(*drops, strict=True))
    return replace(own, bits=observed, expected=expected)
