"""The parent's side of decoding: have a confined child, wait no longer than allowed, check its answer."""

import json
import os
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from inference.formats import wire
from inference.formats.child import ALLOWANCE, Allowance
from inference.formats.fork_server import ForkServer
from inference.formats.gate import DECODERS
from inference.formats.identity import Identity
from inference.formats.sniff import SPOKEN
from inference.formats.stack import Modality, PictureStack, SourceFormat
from refusals import Refusal

IDENTIFYING: frozenset[SourceFormat] = frozenset({"dicom"})
"""Formats that name a patient in a way that can be compared."""
ROOT = Path(__file__).resolve().parents[2]
TOO_LONG = (-signal.SIGALRM, -signal.SIGXCPU)
GRACE_SECONDS = 2.0  # the child's own alarm rings first; this is for one without it, or not yet


def decode_in_child(
    opened: BinaryIO,
    kind: SourceFormat,
    *,
    modality: Modality,
    sha256: str,
    program: str,
    allowance: Allowance = ALLOWANCE,
) -> PictureStack:
    """Decode a file just opened, from where it stands, by the module of that name.

    Raises Refusal: the child's own, or `undecodable` when the child dies or its answer does not hold up.
    """
    return _decoded(
        opened, kind, None, modality=modality, sha256=sha256, program=program, allowance=allowance
    )


def decode_and_identify(
    opened: BinaryIO,
    kind: SourceFormat,
    *,
    modality: Modality,
    sha256: str,
    program: str,
    allowance: Allowance = ALLOWANCE,
) -> tuple[PictureStack, Identity]:
    """As decode_in_child, and what the file says of its patient and study; nothing but DICOM says it."""
    if kind not in IDENTIFYING:
        stack = decode_in_child(
            opened, kind, modality=modality, sha256=sha256, program=program, allowance=allowance
        )
        return stack, Identity()
    with os.fdopen(os.memfd_create("channel"), "w+b") as channel:  # in memory, so that no disk ever holds it
        stack = _decoded(
            opened, kind, channel, modality=modality, sha256=sha256, program=program, allowance=allowance
        )
        channel.seek(0)
        try:
            return stack, wire.read_identity(channel)
        except wire.BadAnswer:
            raise _undecodable(kind) from None


def _decoded(
    opened: BinaryIO,
    kind: SourceFormat,
    channel: BinaryIO | None,
    *,
    modality: Modality,
    sha256: str,
    program: str,
    allowance: Allowance,
) -> PictureStack:
    arguments = [program, modality, json.dumps(asdict(allowance))]
    with tempfile.TemporaryFile() as answer:
        files = [opened.fileno(), answer.fileno()]
        if channel:
            arguments.append("identify")
            files.append(channel.fileno())
        status = SERVER.run(arguments, files, seconds=allowance.wall_seconds + GRACE_SECONDS)
        if status is None or status in TOO_LONG:
            raise Refusal("undecodable", f"Decoding the {SPOKEN[kind]} file took too long.")
        if status != 0:
            raise _undecodable(kind)
        answer.seek(0)
        try:
            return wire.read_stack(answer, modality=modality, sha256=sha256)
        except wire.BadAnswer:
            raise _undecodable(kind) from None


def child_environment() -> dict[str, str]:
    """No secret, no setting of ours. The child skips site-packages' start-up files, hence the paths.

    More threads would only cost the numerical libraries address space.
    """
    return {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
    }


def _undecodable(kind: SourceFormat) -> Refusal:
    return Refusal("undecodable", f"The {SPOKEN[kind]} file is damaged, or uses what no decoder here reads.")


SERVER = ForkServer("inference.formats.child", DECODERS, child_environment())
"""Started with the first file that this process has decoded."""
