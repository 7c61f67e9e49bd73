"""Which shipped versions a start puts into use: those that meet the rule, or what comes nearest, marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inference.engine.catalogue import Shipped, all_shipped, newest
from inference.engine.fitness.rule import Fitness, fitness_of
from inference.engine.records import WeightsRecord
from inference.engine.weights.ensemble_file import ENSEMBLE
from inference.formats.stack import MODALITIES, Modality

WORTH_SHOWING = 0.7
"""Lower end of the AUC's interval on held-out groups; a weaker version comes into use by a person only."""


@dataclass(frozen=True)
class Seat:
    """A shipped version that answers from the start. Experimental where it does not meet the rule."""

    shipped: Shipped
    fitness: Fitness

    @property
    def record(self) -> WeightsRecord:
        """Of the version."""
        return self.shipped.record


def seats_of(modality: Modality) -> Sequence[Seat]:
    """The newest version of each network that meets the rule, the combined one first.

    Where none of the modality does: those worth showing, all of them experimental.
    """
    judged = [Seat(one, fitness_of(one.record)) for one in _newest_of_each(modality)]
    fit = [seat for seat in judged if seat.fitness.holds]
    chosen = fit or [seat for seat in judged if _is_worth_showing(seat.record.card)]
    return sorted(chosen, key=lambda seat: (seat.record.network != ENSEMBLE, seat.record.network))


def all_seats() -> Sequence[Seat]:
    """Of every modality."""
    return [seat for modality in MODALITIES for seat in seats_of(modality)]


def _newest_of_each(modality: Modality) -> list[Shipped]:
    networks = sorted({one.record.network for one in all_shipped() if one.record.modality == modality})
    return [found for network in networks if (found := newest(network, modality))]


def _is_worth_showing(card: Any) -> bool:
    low = card.get("held_out", {}).get("auc", {}).get("low")
    return low is not None and low >= WORTH_SHOWING
