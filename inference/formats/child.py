"""The child process: takes away its own means, decodes its one file, answers, and is gone.

The fork server (inference.formats.fork_server) makes one for every file. A refusal is an answer. Anything
else that goes wrong ends the process, and the parent calls that undecodable.
"""

import hashlib
import importlib
import json
import resource
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from inference.formats import wire
from inference.formats.limits import MIB, STACK_BYTES
from inference.formats.source import Source
from inference.formats.stack import Modality
from refusals import Refusal


@dataclass(frozen=True)
class Allowance:
    """What one child may use. Memory is address space; the library's own code is part of it."""

    memory_bytes: int = 1536 * MIB
    cpu_seconds: int = 15
    wall_seconds: int = 25  # less than the half minute a web server grants a request
    output_bytes: int = STACK_BYTES + MIB
    open_files: int = 64


ALLOWANCE = Allowance()


def serve(arguments: Sequence[str]) -> None:
    """Decode file descriptor 0 and answer on 1; where asked, say on 3 what the file says of its patient.

    arguments: the decoder's module, the modality, the allowance as JSON, and `identify` or nothing.
    """
    program, modality, allowance, *asked = arguments
    _confine(Allowance(**json.loads(allowance)))
    with open(0, "rb", closefd=False) as given:
        data = given.read()
    decoder = importlib.import_module(program)
    source = Source(data, cast(Modality, modality), hashlib.sha256(data).hexdigest())
    with open(1, "wb", closefd=False) as answer:
        try:
            stack = decoder.decode(source)
        except Refusal as refusal:
            wire.write_refusal(answer, refusal)
            return
        wire.write_stack(answer, stack)
    if asked:
        with open(3, "wb", closefd=False) as channel:
            wire.write_identity(channel, decoder.identify(source))


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
