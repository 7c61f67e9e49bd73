"""What a training knows so far, on disk after every epoch, so that a killed run goes on where it was.

Each phase of a training has one file, replaced as a whole: safetensors for the numbers, JSON in its header
for the rest. A file of another plan, other pictures or another torch is not taken up.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from digests import canonical_json
from inference.training.data.examples import Examples


@dataclass(frozen=True)
class Memory:
    """One phase as it was after its last whole epoch. facts: plain JSON values."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors that were kept under a name, without it."""
        start = f"{name}/"
        return {
            key.removeprefix(start): value for key, value in self.tensors.items() if key.startswith(start)
        }


@dataclass(frozen=True)
class Checkpoints:
    """The files of one training. folder None: nothing is kept, nothing is found."""

    folder: Path | None
    fingerprint: str

    def keep(self, phase: str, parts: Mapping[str, Mapping[str, Tensor]], facts: Mapping[str, Any]) -> None:
        """Replace what is known of a phase; a crash leaves the file of before."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        tensors = {
            f"{name}/{key}": tensor.contiguous()
            for name, part in parts.items()
            for key, tensor in part.items()
        }
        said = {"fingerprint": self.fingerprint, "facts": json.dumps(dict(facts))}
        new = self._path(phase).with_suffix(".new")
        safetensors.torch.save_file(tensors, new, metadata=said)
        new.replace(self._path(phase))

    def recall(self, phase: str) -> Memory | None:
        """What is known of a phase of this very training; None when there is nothing."""
        if self.folder is None or not self._path(phase).exists():
            return None
        with safetensors.safe_open(self._path(phase), framework="pt") as file:
            said = file.metadata() or {}
            if said.get("fingerprint") != self.fingerprint:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
        return Memory(tensors, json.loads(said["facts"]))

    def forget(self) -> None:
        """Remove the folder: the training is over."""
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, phase: str) -> Path:
        return (self.folder or Path()) / f"{phase}.safetensors"


def fingerprint(plan: Mapping[str, Any], start: nn.Module, pictures: Sequence[Examples]) -> str:
    """Equal for trainings that would give equal weights on this machine."""
    digest = blake2b(canonical_json([dict(plan), torch.__version__, torch.get_num_threads()]), digest_size=16)
    for tensor in start.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    for examples in pictures:
        digest.update(examples.tensor.tobytes() + examples.labels.tobytes())
        digest.update(canonical_json(examples.groups.tolist()))
    return digest.hexdigest()
