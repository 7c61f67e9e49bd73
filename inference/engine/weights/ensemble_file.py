"""One weights file out of several: what an ensemble is made of. Torch is not needed.

The file holds its members' tensors under `members.<network>.` and one temperature for each, so an ensemble's
hash stands for every weight that its answers rest on, and nothing has to be looked up to run it again.
One member may measure instead of knowing classes: it has no temperature, and adds what its width is worth
(inference.engine.measuring.width_evidence).
"""

from collections.abc import Iterable, Sequence

import numpy as np
import safetensors.numpy

from inference.engine.records import MEASURING_NETWORKS, WeightsRecord

ENSEMBLE = "ensemble"
PREFIX = "members."
TEMPERATURES = "temperatures"


class MembersDiffer(ValueError):
    """Versions that cannot answer as one; the sentence says why."""


def refuse_unlike(records: Sequence[WeightsRecord]) -> None:
    """Members read the same picture of the same modality, each network once; at least one knows classes.

    Raises MembersDiffer.
    """
    if len(records) < 2:
        raise MembersDiffer("An ensemble has at least two members.")
    if len({record.modality for record in records}) > 1:
        raise MembersDiffer("The members read scans of different modalities.")
    if len({record.preprocessing_sha256 for record in records}) > 1:
        raise MembersDiffer("The members do not prepare a scan in the same way.")
    networks = [record.network for record in records]
    if len(set(networks)) < len(networks):
        raise MembersDiffer("Two members are versions of the same network.")
    if not set(networks) - MEASURING_NETWORKS.keys():
        raise MembersDiffer("A version that measures adds to what networks say: name a network too.")
    if ENSEMBLE in networks:
        raise MembersDiffer("An ensemble cannot be a member of another.")


def composed(members: Sequence[tuple[WeightsRecord, bytes]]) -> bytes:
    """The ensemble's weights file: any order of members gives the same bytes. Raises MembersDiffer."""
    refuse_unlike([record for record, _ in members])
    ordered = sorted(members, key=lambda member: member[0].network)
    said = [record.temperature for record, _ in ordered if record.network not in MEASURING_NETWORKS]
    tensors = {TEMPERATURES: np.array(said, np.float32)}
    for record, content in ordered:
        for name, tensor in safetensors.numpy.load(content).items():
            tensors[f"{prefix_of(record.network)}{name}"] = tensor
    return bytes(safetensors.numpy.save(tensors))


def member_networks(names: Iterable[str]) -> list[str]:
    """The networks in an ensemble's file that know classes, by the names of its tensors, in the order of its
    temperatures."""
    return [name for name in _members(names) if name not in MEASURING_NETWORKS]


def measuring_member(names: Iterable[str]) -> str | None:
    """The member that measures, or None."""
    return next((name for name in _members(names) if name in MEASURING_NETWORKS), None)


def prefix_of(member: str) -> str:
    """How the names of a member's tensors begin."""
    return f"{PREFIX}{member}."


def _members(names: Iterable[str]) -> list[str]:
    return sorted({name.split(".")[1] for name in names if name.startswith(PREFIX)})
