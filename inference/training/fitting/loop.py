"""One network, some epochs: batches drawn evenly over classes and groups, seeded in every part."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from inference.training.data.cache import kept
from inference.training.data.examples import Examples
from inference.training.data.sources import hospital_of
from inference.training.synthesis.augment import augment, other_probes

BATCH_SHARE = 16
"""Pictures that a bank gives to a batch."""
COPIES_MADE = 32
SMOOTHING = 0.05
WEIGHT_DECAY = 1e-3
AVERAGING = 0.97

Rows = NDArray[np.bool_]


@dataclass
class Learner:
    """A network being trained. The one thing here that changes in place.

    frozen: only the module's tail learns, from what its stem makes of a picture.
    halved: products in bfloat16, which is about twice as fast; weights and sums stay in float32.
    """

    module: nn.Module
    optimiser: torch.optim.Optimizer
    draw: torch.Generator
    averaged: AveragedModel
    frozen: bool
    halved: bool

    @property
    def result(self) -> nn.Module:
        """The weights averaged over the last steps: with few pictures single steps jump about."""
        averaged: nn.Module = self.averaged.module
        return averaged

    def state(self) -> dict[str, Tensor]:
        """Everything that an epoch changes."""
        found = {"draw": self.draw.get_state(), "averaged/n_averaged": self.averaged.n_averaged}
        for name, module in (("module", self.module), ("averaged", self.result)):
            found |= {f"{name}/{key}": tensor for key, tensor in _changing(module).items()}
        for number, values in self.optimiser.state_dict()["state"].items():
            found |= {f"optimiser/{number}/{key}": tensor for key, tensor in values.items()}
        return found

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Be as when `state` was taken."""
        self.draw.set_state(state["draw"])
        self.averaged.n_averaged.copy_(state["averaged/n_averaged"])
        parts: dict[str, dict[str, Tensor]] = {"module": {}, "averaged": {}, "optimiser": {}}
        for name, tensor in state.items():
            part, _, key = name.partition("/")
            if key and key != "n_averaged":
                parts[part][key] = tensor
        self.module.load_state_dict(parts["module"], strict=False)
        self.result.load_state_dict(parts["averaged"], strict=False)
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in parts["optimiser"].items():
            number, _, key = name.partition("/")
            moments.setdefault(int(number), {})[key] = tensor
        self.optimiser.load_state_dict(self.optimiser.state_dict() | {"state": moments})


def _changing(module: nn.Module) -> dict[str, Tensor]:
    """A module's tensors that learning may change: not those of a stem that is held still."""
    still = {name for name, weight in module.named_parameters() if not weight.requires_grad}
    return {name: tensor for name, tensor in module.state_dict().items() if name not in still}


def learner(
    module: nn.Module, rate: float, seed: int, *, frozen: bool = False, halved: bool = False
) -> Learner:
    """A copy of the module, ready to learn."""
    own = copy.deepcopy(module)
    if frozen:
        _hold_still(own)
    free = [weight for weight in own.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(free, lr=rate, weight_decay=WEIGHT_DECAY)
    rule = get_ema_multi_avg_fn(AVERAGING)  # type: ignore[no-untyped-call]
    average = AveragedModel(own, multi_avg_fn=rule, use_buffers=True)
    return Learner(own, optimiser, torch.Generator().manual_seed(seed), average, frozen, halved)


def _hold_still(module: nn.Module) -> None:
    """Only what a gradient from the tail reaches may learn: found by asking, not by a list of names."""
    size = 128
    module.eval()  # first: a stem in training would take the statistics of an empty picture
    maps = part(module, "stem")(torch.zeros(1, 1, size, size)).detach()
    part(module, "tail")(maps).sum().backward()  # type: ignore[no-untyped-call]
    for weight in module.parameters():
        weight.requires_grad_(weight.grad is not None)
        weight.grad = None
        if not weight.requires_grad:
            weight.data += 0.0  # averaging takes the sign off a zero: so it goes before the first step too


def part(module: nn.Module, name: str) -> Callable[[Tensor], Tensor]:
    """The stem or the tail of a module that has them."""
    return cast(Callable[[Tensor], Tensor], getattr(module, name))


@dataclass(frozen=True)
class Bank:
    """A set of examples as a learner takes them: changed anew for every batch, or from stored copies.

    copies: float16 (copies, n, channels, rows, columns), what a frozen stem makes of changed pictures.
    styles: pictures whose look may be borrowed by any other, so that no look belongs to one label.
    share: pictures that it gives to a batch. acoustic: they are changed as other probes would, too.
    """

    examples: Examples
    styles: Tensor
    copies: NDArray[np.float16] | None = None
    share: int = BATCH_SHARE
    acoustic: bool = False

    def batch(self, rows: Rows, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """A share of a batch from these rows: both classes, and all groups of a class, equally likely."""
        mine = np.flatnonzero(rows)
        weights = torch.from_numpy(evenness(self.examples, mine))
        picked = mine[torch.multinomial(weights, self.share, replacement=True, generator=draw).numpy()]
        labels = torch.from_numpy(self.examples.labels[picked])
        if self.copies is None:
            return self.changed(torch.from_numpy(self.examples.tensor[picked]), draw), labels
        which = torch.randint(len(self.copies), (self.share,), generator=draw).numpy()
        return torch.from_numpy(self.copies[which, picked]).float(), labels

    def changed(self, pictures: Tensor, draw: torch.Generator) -> Tensor:
        """Other poses, other machines."""
        probed = other_probes(pictures, draw) if self.acoustic else pictures
        return augment(probed, self.styles, draw)


def with_copies(
    bank: Bank, module: nn.Module, copies: int, seed: int, *, halved: bool = False, cache: Path | None = None
) -> Bank:
    """The bank with `copies` changed versions of each picture, seen once through the module's stem.

    cache: a folder that keeps what the stem made of them for the next run.
    """
    asked = _key(bank, module, copies, seed, halved) if cache else ""
    found = kept(cache, "stem", asked, lambda: {"copies": _copied(bank, module, copies, seed, halved)})
    return replace(bank, copies=found["copies"])


def _copied(bank: Bank, module: nn.Module, copies: int, seed: int, halved: bool) -> NDArray[np.float16]:
    draw = torch.Generator().manual_seed(seed)
    tensor, stem = torch.from_numpy(bank.examples.tensor), part(module.eval(), "stem")
    made = []
    with torch.inference_mode():
        for _ in range(copies):
            changed = [bank.changed(some, draw) for some in torch.split(tensor, COPIES_MADE)]
            with _precision(halved):
                made.append(np.concatenate([stem(some).half().numpy() for some in changed]))
    return np.stack(made)


def _key(bank: Bank, module: nn.Module, copies: int, seed: int, halved: bool) -> str:
    """Everything the copies depend on, but for the code."""
    digest = blake2b(
        repr((copies, seed, halved, bank.acoustic, torch.get_num_threads())).encode(), digest_size=12
    )
    for tensor in module.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    digest.update(bank.examples.tensor.tobytes())
    digest.update(bank.styles.numpy().tobytes())
    return digest.hexdigest()


def train_epoch(learning: Learner, banks: list[tuple[Bank, Rows]], steps: int) -> float:
    """`steps` batches, a share from the given rows of every bank; the mean loss."""
    learning.module.train()
    forward = part(learning.module, "tail") if learning.frozen else learning.module
    total = 0.0
    for _ in range(steps):
        shares = [bank.batch(rows, learning.draw) for bank, rows in banks]
        pictures, labels = (torch.cat(parts) for parts in zip(*shares, strict=True))
        torch.manual_seed(int(torch.randint(2**31, (1,), generator=learning.draw)))
        with _precision(learning.halved):
            logits = forward(pictures)
        loss = F.cross_entropy(logits.float(), labels, label_smoothing=SMOOTHING)
        learning.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        learning.optimiser.step()
        learning.averaged.update_parameters(learning.module)
        total += float(loss.detach())
    return total / steps


def _precision(halved: bool) -> torch.autocast:
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=halved)


def evenness(examples: Examples, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weight of each of these pictures: classes weigh the same; in a class its hospitals and ways of making,
    whatever their size; and in each of these its groups."""
    labels, groups = examples.labels[rows], examples.groups[rows]
    strata = np.array([_stratum(examples.names[row]) for row in rows.tolist()], np.str_)
    keys = [f"{n}/{stratum}/{group}" for n, stratum, group in zip(labels, strata, groups, strict=True)]
    _, which, sizes = np.unique(np.array(keys), return_inverse=True, return_counts=True)
    weights = 1.0 / sizes[which]
    for label in np.unique(labels):
        for stratum in np.unique(strata[labels == label]):
            mine = (labels == label) & (strata == stratum)
            weights[mine] /= weights[mine].sum()
        weights[labels == label] /= weights[labels == label].sum()
    return np.asarray(weights)


def _stratum(name: str) -> str:
    """Hospital and way of making, by a picture's name; one for all where no hospital is known."""
    hospital = hospital_of(name)
    return f"{hospital}, dilated" if hospital and "-dilated-" in name else hospital


def logits_of(module: nn.Module, tensor: NDArray[np.float32]) -> NDArray[np.float64]:
    """Logits (n, 2) in evaluation mode."""
    return _logits(module.eval(), tensor)


def tail_logits_of(module: nn.Module, maps: NDArray[np.float16]) -> NDArray[np.float64]:
    """Logits (n, 2) in evaluation mode, from what the module's stem made of pictures."""
    return _logits(part(module.eval(), "tail"), maps)


def _logits(
    forward: Callable[[Tensor], Tensor], inputs: NDArray[np.float32] | NDArray[np.float16]
) -> NDArray[np.float64]:
    with torch.inference_mode():
        parts = [forward(torch.from_numpy(inputs[i : i + 64]).float()) for i in range(0, len(inputs), 64)]
    return np.asarray(torch.cat(parts).numpy().astype(np.float64)) if parts else np.zeros((0, 2))
