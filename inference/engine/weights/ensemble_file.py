"""One weights file out of several: what an ensemble is made of. Torch is not needed.

The file holds its members' tensors under `members.<network>.` and one temperature for each, so an ensemble's
hash stands for every weight that its answers rest on, and nothing has to be looked up to run it again.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import safetensors.numpy

from inference.engine.records import MEASURING_NETWORKS, WeightsRecord

ENSEMBLE = "ensemble"
PREFIX = "members."


class MembersDiffer(ValueError):
    """Versions that cannot answer as one; the sentence says why."""


def refuse_unlike(records: Sequence[WeightsRecord]) -> None:
    """Members read the same picture of the same modality, each network once. Raises MembersDiffer."""
    if len(records) < 2:
        raise MembersDiffer("An ensemble has at least two members.")
    if len({record.modality for record in records}) > 1:
        raise MembersDiffer("The members read scans of different modalities.")
    if len({record.preprocessing_sha256 for record in records}) > 1:
        raise MembersDiffer("The members do not prepare a scan in the same way.")
    networks = [record.network for record in records]
    if len(set(networks)) < len(networks):
        raise MembersDiffer("Two members are versions of the same network.")
    if MEASURING_NETWORKS.keys() & set(networks):
        raise MembersDiffer(
            "A version that measures has no log-odds to average: it answers beside an ensemble."
        )
    if ENSEMBLE in networks:
        raise MembersDiffer("An ensemble cannot be a member of another.")


def composed(members: Sequence[tuple[WeightsRecord, bytes]]) -> bytes:
    """The ensemble's weights file: any order of members gives the same bytes. Raises MembersDiffer."""
    refuse_unlike([record for record, _ in members])
    ordered = sorted(members, key=lambda member: member[0].network)
    tensors = {"temperatures": np.array([record.temperature for record, _ in ordered], np.float32)}
    for record, content in ordered:
        for name, tensor in safetensors.numpy.load(content).items():
            tensors[f"{PREFIX}{record.network}.{name}"] = tensor
    return bytes(safetensors.numpy.save(tensors))


def member_networks(names: Iterable[str]) -> list[str]:
    """The networks in an ensemble's file, by the names of its tensors, in the order of its temperatures."""
    return sorted({name.split(".")[1] for name in names if name.startswith(PREFIX)})
