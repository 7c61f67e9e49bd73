"""What a measured width adds to what the networks of an ensemble are convinced of. Torch is not needed.

A width that is surely narrow adds nothing, and neither does a picture on which nothing was measured: so both
are called at one threshold, whether or not a scale is known. A width that is surely wide adds as much as one
voice in three. Measured, and what was tried instead: docs/decisions/0054.
"""

import math
from collections.abc import Mapping
from typing import Any

from inference.engine.records import MEASURING, MEASURING_NETWORKS, WeightsRecord

WIDTH_LOG_ODDS = "width_log_odds"
"""In the quality of an ensemble's answer: what the width added, where one was measured."""
MEMBER = "measured_member"
"""The part of an ensemble's card that holds what was settled with its member's weights."""
LIMIT = 3.0
"""Log-odds beyond which a measurement is not held to be surer: 1 in 20 either way."""
SHARE = 1 / 3


def width_log_odds(probability: float | None) -> float:
    """Log-odds, 0 to 2, for the probability that the wider atrium is 10 mm or more; 0 for None."""
    if probability is None:
        return 0.0
    inside = min(max(probability, 1e-9), 1 - 1e-9)
    return SHARE * (LIMIT + max(-LIMIT, min(math.log(inside / (1 - inside)), LIMIT)))


def member_part(record: WeightsRecord) -> dict[str, Any]:
    """What an ensemble's card keeps of a member that measures."""
    settled = MEASURING_NETWORKS[record.network].settled
    numbers = {name: record.card[MEASURING][name] for name in settled}
    return {"network": record.network, "version": record.version, **numbers}


def chances_by_picture(card: Mapping[str, Any]) -> Mapping[str, float | None] | None:
    """What a measuring version's card keeps of the pictures of training, by name; None without any."""
    found = (card.get("evaluation") or {}).get("chances")
    return found if isinstance(found, Mapping) else None
