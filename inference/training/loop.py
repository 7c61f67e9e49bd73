"""One network, some epochs: batches drawn evenly over classes and sources, seeded in every part."""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from inference.engine.networks import NETWORKS
from inference.training.augment import augment
from inference.training.data import Examples

HALF_BATCH = 16
SMOOTHING = 0.05
WEIGHT_DECAY = 1e-3
AVERAGING = 0.97


@dataclass
class Learner:
    """A network being trained. The one thing here that changes in place."""

    module: nn.Module
    optimiser: torch.optim.Optimizer
    draw: torch.Generator
    averaged: AveragedModel

    @property
    def result(self) -> nn.Module:
        """The weights averaged over the last steps: with few pictures single steps jump about."""
        averaged: nn.Module = self.averaged.module
        return averaged


def fresh_learner(network: str, rate: float, seed: int) -> Learner:
    """Random weights from the seed."""
    torch.manual_seed(seed)
    return _learner(NETWORKS[network].build(), rate, seed)


def continued(learner: Learner, rate: float, seed: int) -> Learner:
    """A copy of the averaged weights with a new optimiser, for the next stage."""
    return _learner(copy.deepcopy(learner.result), rate, seed)


def _learner(module: nn.Module, rate: float, seed: int) -> Learner:
    optimiser = torch.optim.AdamW(module.parameters(), lr=rate, weight_decay=WEIGHT_DECAY)
    rule = get_ema_multi_avg_fn(AVERAGING)  # type: ignore[no-untyped-call]
    average = AveragedModel(module, multi_avg_fn=rule, use_buffers=True)
    return Learner(module, optimiser, torch.Generator().manual_seed(seed), average)


def train_epoch(learner: Learner, halves: list[Examples], styles: Tensor, steps: int) -> float:
    """`steps` batches, each with half a batch from every set in `halves`; the mean loss.

    styles: pictures whose look may be borrowed by any other, so that no look belongs to one label.
    """
    learner.module.train()
    total = 0.0
    for _ in range(steps):
        drawn = [_drawn(examples, learner.draw) for examples in halves]
        pictures = augment(torch.cat([p for p, _ in drawn]), styles, learner.draw)
        labels = torch.cat([y for _, y in drawn])
        torch.manual_seed(int(torch.randint(2**31, (1,), generator=learner.draw)))
        loss = F.cross_entropy(learner.module(pictures), labels, label_smoothing=SMOOTHING)
        learner.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        learner.optimiser.step()
        learner.averaged.update_parameters(learner.module)
        total += float(loss.detach())
    return total / steps


def _drawn(examples: Examples, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """Half a batch in which both classes, and within a class all groups, are equally likely."""
    weights = torch.from_numpy(evenness(examples.labels, examples.groups))
    rows = torch.multinomial(weights, HALF_BATCH, replacement=True, generator=draw).numpy()
    return torch.from_numpy(examples.tensor[rows]), torch.from_numpy(examples.labels[rows])


def evenness(labels: NDArray[np.int64], groups: NDArray[np.str_]) -> NDArray[np.float64]:
    """Weight of each picture: classes weigh the same, and so do the groups of a class."""
    keys = np.array([f"{label}/{group}" for label, group in zip(labels, groups, strict=True)])
    _, which, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    per_group = 1.0 / sizes[which]
    class_sum = {label: per_group[labels == label].sum() for label in np.unique(labels)}
    return np.array([w / class_sum[label] for w, label in zip(per_group, labels, strict=True)])


def logits_of(module: nn.Module, tensor: NDArray[np.float32]) -> NDArray[np.float64]:
    """Logits (n, 2) in evaluation mode."""
    module.eval()
    with torch.inference_mode():
        parts = [module(torch.from_numpy(tensor[i : i + 64])) for i in range(0, len(tensor), 64)]
    return np.asarray(torch.cat(parts).numpy().astype(np.float64)) if parts else np.zeros((0, 2))
