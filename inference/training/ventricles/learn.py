"""One network that paints ventricles, learnt from drawn slices; killed, it goes on to the same weights."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from inference.engine.ventricles.grids import levelled
from inference.engine.ventricles.network import VentricleNetwork
from inference.training.fitting.checkpoints import Checkpoints
from inference.training.fitting.steps import keep, pace, recalled

RATE, DECAY, CLIP = 5e-3, 1e-3, 5.0
EVERY = 25
WEIGHTS = (1.0, 0.2, 0.5)
"""Of ventricle, brain and deep grey matter in the loss."""
WITHIN = 8.0
"""How much more a pixel of the brain counts than one beside it."""


@dataclass(frozen=True)
class Plan:
    """phase: names its checkpoint."""

    phase: str
    steps: int
    batch: int = 12
    seed: int = 1


def learnt(
    plan: Plan,
    pictures: NDArray[np.uint8],
    wanted: NDArray[np.uint8],
    checkpoints: Checkpoints,
    tell: Callable[[str], None],
) -> VentricleNetwork:
    """From pictures (n, SIDE, SIDE) and what is wanted of them (n, 3, SIDE, SIDE), both 0..255."""
    torch.manual_seed(plan.seed)
    network = VentricleNetwork().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    first = recalled(checkpoints, plan.phase, network, optimiser)
    losses: list[float] = []
    for step in range(first, plan.steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * pace(step / plan.steps)
        shown, truth = _batch(plan, step, pictures, wanted)
        network.train()
        loss = _loss(network(shown.contiguous(memory_format=torch.channels_last)), truth)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimiser.step()
        losses.append(float(loss.detach()))
        if (step + 1) % EVERY == 0:
            tell(f"{plan.phase}: step {step + 1} of {plan.steps}, loss {np.mean(losses[-EVERY:]):.3f}")
            keep(checkpoints, plan.phase, step + 1, network, optimiser)
    return network.eval()


def _batch(
    plan: Plan, step: int, pictures: NDArray[np.uint8], wanted: NDArray[np.uint8]
) -> tuple[Tensor, Tensor]:
    """Every picture once before any comes again; another gamma, mirrored by chance."""
    rounds = max(1, len(pictures) // plan.batch)
    order = np.random.default_rng([plan.seed, step // rounds]).permutation(len(pictures))
    chosen = order[step % rounds * plan.batch :][: plan.batch]
    rng = np.random.default_rng([plan.seed, step, 7919])
    shown, truth = [], []
    for row in chosen:
        picture = (pictures[row] / np.float32(255)) ** np.float32(np.exp(rng.normal(0, 0.2)))
        way = int(rng.choice([-1, 1]))
        shown.append(levelled(picture[:, ::way]))
        truth.append(wanted[row][..., ::way] / np.float32(255))
    return torch.from_numpy(np.stack(shown)[:, None]), torch.from_numpy(np.stack(truth))


def _loss(odds: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy of every pixel, those of the brain above all, and overlap of every map."""
    weights = torch.tensor(WEIGHTS)
    counts = 1 + WITHIN * truth[:, 1:2]
    each = F.binary_cross_entropy_with_logits(odds, truth, reduction="none")
    each = (each * counts).sum((0, 2, 3)) / counts.sum()
    seen = odds.sigmoid()
    both = 2 * (seen * truth).sum((0, 2, 3)) + 1
    overlap = both / (seen.sum((0, 2, 3)) + truth.sum((0, 2, 3)) + 1)
    return (weights * (2 * each + 2 * (1 - overlap))).sum()
