"""Several versions as one: the record and the card of an ensemble, out of its members' held-out answers.

Nothing is trained. The members' calibrated log-odds are averaged with equal weights, and one temperature and
one threshold are fitted on what they said about pictures whose groups they had not seen. A member that
measures adds what its width is worth, where it measured one (inference.engine.measuring.width_evidence).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from inference.engine.measuring.width_evidence import (
    LIMIT,
    MEMBER,
    SHARE,
    chances_by_picture,
    member_part,
    width_log_odds,
)
from inference.engine.records import MEASURING_NETWORKS, WeightsRecord
from inference.engine.uncertainty.steadiness import log_odds
from inference.engine.weights.ensemble_file import ENSEMBLE, MembersDiffer, refuse_unlike
from inference.training.cards.card import INTENDED_USE, LIMITS, SOURCE_LIMITS
from inference.training.data.groups import grouped_folds
from inference.training.evaluation.by_source import (
    Asked,
    cross_fitted,
    evaluation,
    together,
    worst_threshold,
)
from inference.training.evaluation.calibrate import Target, fit_temperature, threshold_for
from inference.training.evaluation.cross_validation import HeldOut, held_out_figures
from inference.training.evaluation.curves import answers
from inference.training.evaluation.figures import Floats
from inference.training.evaluation.source_leakage import CHANGES, Checked, confound_figures

FOLDS, SEED = 4, 1
SPLIT = (
    "each member's answer is that of a network which had seen nothing of the picture's group; the call is "
    "made by a threshold chosen on the other {folds} parts of the groups"
)
DATA = (
    "Made of {members}: what each has learnt stands on its own card. Their calibrated log-odds are averaged "
    "with equal weights; no figure decided the weights."
)
WIDTHS = (
    " Where {member} measures a width, that adds 0 to {most:.0f} to the log-odds: nothing for one that is "
    "surely narrow. How much it adds was chosen among six ways by the figures below."
)
CHECKED_NETWORKS = (
    "Checks of source or anatomy are of its networks alone: the measured width has no part in them."
)
KEPT_COUNTS = ("normal", "ventriculomegaly", "groups", "normal_by_source", "other", "before_18_weeks")


def combined(
    members: Sequence[WeightsRecord], weights_sha256: str, *, version: str, target: Target, command: str
) -> WeightsRecord:
    """The record of an ensemble. weights_sha256: of the file that weights.ensemble_file composes.

    Raises MembersDiffer when the members were not measured on the same pictures.
    """
    refuse_unlike(members)
    ordered = sorted(
        (one for one in members if one.network not in MEASURING_NETWORKS), key=lambda record: record.network
    )
    measuring = next((one for one in members if one.network in MEASURING_NETWORKS), None)
    truth, _, groups = _measured(ordered)
    odds = np.mean([_odds(record) for record in ordered], axis=0)
    widths = _widths(ordered, measuring)
    logits = _as_logits(odds + widths[: len(odds), None])
    temperature = fit_temperature(logits[:, 0], truth)
    held = HeldOut(
        truth, groups, [(a, b) for a, b in ordered[0].card["held_out_kinds"]], log_odds(logits, temperature)
    )
    asked = _asked(ordered, widths, temperature)
    worst = worst_threshold(asked, target) if asked else None
    threshold = threshold_for(held.chances, truth, target) if worst is None else worst
    folds = grouped_folds(truth, groups, FOLDS, SEED)
    called = cross_fitted(asked, folds, target) if asked else None
    found = held_out_figures(held, folds, target, threshold, called)
    by_source = {"evaluation": evaluation(asked, threshold, target)} if asked else {}
    first = ordered[0]
    return WeightsRecord(
        network=ENSEMBLE,
        version=version,
        modality=first.modality,
        weights_sha256=weights_sha256,
        preprocessing=first.preprocessing,
        preprocessing_sha256=first.preprocessing_sha256,
        threshold=threshold,
        threshold_target=str(target) if worst is None else target.on_worst_source,
        temperature=temperature,
        card=_card(ordered, measuring, found | by_source, command) | _checks(ordered),
        members=tuple(record.name for record in (*ordered, *([measuring] if measuring else []))),
    )


def _widths(ordered: Sequence[WeightsRecord], measuring: WeightsRecord | None) -> Floats:
    """What the measured width adds to each picture that the networks' cards keep, in their order.

    Raises MembersDiffer where the measuring version was not asked of all of them.
    """
    kept = (ordered[0].card.get("evaluation") or {}).get("answers")
    if measuring is None:
        return np.zeros(len(kept["names"] if kept else ordered[0].card["held_out_odds"]))
    if not kept:
        raise MembersDiffer("Only networks whose cards keep answers by source take a measured width.")
    chances = chances_by_picture(measuring.card)
    if chances is None:
        raise MembersDiffer(f"The card of {measuring.name} keeps no held-out answers.")
    if not set(kept["names"]) <= chances.keys():
        raise MembersDiffer("The members were not measured on the same pictures.")
    return np.array([width_log_odds(chances[name]) for name in kept["names"]])


def _asked(ordered: Sequence[WeightsRecord], widths: Floats, temperature: float) -> Asked | None:
    """The members' answers by source as one; None where not all have them. Raises MembersDiffer."""
    kept = [(record.card.get("evaluation") or {}).get("answers") for record in ordered]
    if not all(kept):
        return None
    if len({one["names_sha256"] for one in kept if one}) > 1:
        raise MembersDiffer("The members were not measured on the same pictures.")
    return together([Asked.from_json(one) for one in kept if one]).moved(widths).at(temperature)


def _measured(ordered: Sequence[WeightsRecord]) -> Any:
    """Truth, chances and groups of the pictures that all members answered. Raises MembersDiffer."""
    for record in ordered:
        if not record.card.get("held_out_odds"):
            raise MembersDiffer(f"The card of {record.name} keeps no held-out answers.")
    tables = [answers(record.card["held_out_answers"]) for record in ordered]
    kinds = [record.card["held_out_kinds"] for record in ordered]
    for (truth, _, groups), kind in zip(tables[1:], kinds[1:], strict=True):
        same = np.array_equal(truth, tables[0][0]) and np.array_equal(groups, tables[0][2])
        if not same or kind != kinds[0]:
            raise MembersDiffer("The members were not measured on the same pictures.")
    return tables[0]


def _odds(record: WeightsRecord) -> Floats:
    return np.asarray(record.card["held_out_odds"], np.float64)


def _as_logits(odds: Floats) -> Floats:
    return np.stack([-odds / 2, odds / 2], axis=-1)


def _card(
    ordered: Sequence[WeightsRecord], measuring: WeightsRecord | None, found: dict[str, Any], command: str
) -> dict[str, Any]:
    names = [f"{record.network} {record.version}" for record in ordered]
    counts = ordered[0].card["counts"]
    data = DATA.format(members=f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0])
    measured: dict[str, Any] = {}
    if measuring:
        names.append(f"{measuring.network} {measuring.version}")
        data += WIDTHS.format(member=names[-1], most=2 * SHARE * LIMIT)
        measured = {MEMBER: member_part(measuring)}
    return (
        found
        | measured
        | {
            "intended_use": INTENDED_USE,
            "data": data,
            "counts": {name: counts[name] for name in KEPT_COUNTS if name in counts},
            "split": SPLIT.format(folds=FOLDS - 1),
            "training": {"command": command, "members": ", ".join(names)},
            "limits": [
                *LIMITS[ordered[0].modality],
                *(SOURCE_LIMITS if "evaluation" in found else ()),
                *([CHECKED_NETWORKS] if measuring else ()),
            ],
            "licence": "; ".join(dict.fromkeys(record.card["licence"] for record in ordered)),
        }
    )


def _checks(ordered: Sequence[WeightsRecord]) -> dict[str, Any]:
    """The confound checks of the members as one, where each of them kept its own."""
    kept = [record.card.get("confound_odds") for record in ordered]
    if not all(kept):
        return {"confound": {}}

    def mean(name: str) -> Floats:
        parts = [
            np.asarray(odds[name], np.float64) / record.temperature
            for odds, record in zip(kept, ordered, strict=True)
            if odds
        ]
        return np.asarray(np.mean(parts, axis=0))

    first = kept[0] or {}
    checked = Checked(
        {name: mean(name) for name in CHANGES},
        first["answered"],
        mean("other"),
        np.asarray(first["other_groups"], np.int64).astype(np.str_),
    )
    truth, _, groups = answers(ordered[0].card["held_out_answers"])
    whole = np.mean([_odds(record)[:, 0] for record in ordered], axis=0)
    return {"confound": confound_figures(truth, groups, whole, checked)}
