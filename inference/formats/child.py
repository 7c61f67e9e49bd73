"""The child process: takes away its own means, decodes standard input, answers on standard output.

A decoder module is the child's program: `python -m inference.formats.picture` ends in `serve(decode)`, so
that each child imports one imaging library and no more. A refusal is an answer. Anything else that goes
wrong ends the process, and the parent calls that undecodable.
"""

import hashlib
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import cast

from inference.formats import wire
from inference.formats.errors import FormatError
from inference.formats.identity import Identity
from inference.formats.limits import MIB, STACK_BYTES
from inference.formats.source import Source
from inference.formats.stack import Modality, PictureStack


@dataclass(frozen=True)
class Allowance:
    """What one child may use. Memory is address space; the library's own code is part of it."""

    memory_bytes: int = 1536 * MIB
    cpu_seconds: int = 15
    wall_seconds: int = 25  # less than the half minute a web server grants a request
    output_bytes: int = STACK_BYTES + MIB
    open_files: int = 64


ALLOWANCE = Allowance()


def command_line(
    module: str, modality: Modality, allowance: Allowance, channel: int | None = None
) -> list[str]:
    """How the parent starts the child: no bytecode, no current folder on the path, no start-up files.

    channel: the file descriptor on which the child says what the file says of its patient; None to leave
    those tags unread.
    """
    command = [sys.executable, "-B", "-P", "-S", "-m", module, modality, json.dumps(asdict(allowance))]
    return command if channel is None else [*command, str(channel)]


def serve(
    decode: Callable[[Source], PictureStack], identify: Callable[[Source], Identity] | None = None
) -> None:
    """Run one decoder over standard input. sys.argv: modality, allowance as JSON, the channel."""
    _confine(Allowance(**json.loads(sys.argv[2])))
    data = sys.stdin.buffer.read()
    source = Source(data, cast(Modality, sys.argv[1]), hashlib.sha256(data).hexdigest())
    try:
        stack = decode(source)
    except FormatError as refusal:
        wire.write_refusal(sys.stdout.buffer, refusal)
    else:
        wire.write_stack(sys.stdout.buffer, stack)
        if identify and len(sys.argv) > 3:
            with os.fdopen(int(sys.argv[3]), "wb") as channel:
                wire.write_identity(channel, identify(source))


def _confine(allowance: Allowance) -> None:
    """Lower the limits for good: the hard limit goes down with the soft one.

    CPU alone keeps a second between the two, so that the end comes by a signal of its own (SIGXCPU).
    """
    resource.setrlimit(resource.RLIMIT_CPU, (allowance.cpu_seconds, allowance.cpu_seconds + 1))
    limits = {
        resource.RLIMIT_AS: allowance.memory_bytes,
        resource.RLIMIT_FSIZE: allowance.output_bytes,
        resource.RLIMIT_NOFILE: allowance.open_files,
        resource.RLIMIT_CORE: 0,
    }
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))
    signal.alarm(allowance.wall_seconds)  # also when the parent is gone
