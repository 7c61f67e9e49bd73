"""One network learnt from drawn pictures; killed, it goes on to the same weights."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inference.engine.atrium.grids import OUT
from inference.engine.atrium.network import AtriumNetwork
from inference.training.atrium.draw import STEPS, Drawn, Step, mirrored
from inference.training.fitting.checkpoints import Checkpoints
from inference.training.fitting.steps import keep, pace, recalled

MAPS: dict[Step, int] = {"place": 1, "width": 2}
RATE, DECAY, CLIP = 3e-3, 1e-3, 5.0
EVERY = 100


@dataclass(frozen=True)
class Plan:
    """halved: multiply in bfloat16, quicker where the processor can."""

    step: Step
    steps: int
    batch: int = 16
    seed: int = 1
    halved: bool = False


def learnt(
    plan: Plan, pictures: Drawn, checkpoints: Checkpoints, tell: Callable[[str], None]
) -> AtriumNetwork:
    """The trained network, in evaluation mode."""
    torch.manual_seed(3 * plan.seed + STEPS.index(plan.step))  # no two networks start alike
    network = AtriumNetwork(MAPS[plan.step]).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    first = recalled(checkpoints, plan.step, network, optimiser)
    losses: list[float] = []
    for step in range(first, plan.steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * pace(step / plan.steps)
        batch = _batch(pictures, plan, step)
        network.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=plan.halved):
            shown = batch.pictures[:, None].contiguous(memory_format=torch.channels_last)
            maps, numbers = network(shown)
        loss = _loss(plan.step, maps.float(), numbers.float(), batch)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimiser.step()
        losses.append(float(loss.detach()))
        if (step + 1) % EVERY == 0:
            tell(f"{plan.step}: step {step + 1} of {plan.steps}, loss {np.mean(losses[-EVERY:]):.3f}")
            keep(checkpoints, plan.step, step + 1, network, optimiser)
    return network.eval()


def _batch(pictures: Drawn, plan: Plan, step: int) -> Drawn:
    """Every picture once before any comes again; mirrored and a little brighter or darker by chance."""
    rounds = max(1, len(pictures) // plan.batch)
    order = torch.randperm(len(pictures), generator=_dice(plan.seed, step // rounds))
    at = step % rounds * plan.batch
    draw = _dice(plan.seed + 7919, step)
    chosen = order[at : at + plan.batch]
    batch = mirrored(pictures.take(chosen), torch.rand(len(chosen), generator=draw) < 0.5)
    gain = torch.randn(len(chosen), 2, generator=draw) * 0.1
    shown = batch.pictures * gain[:, :1, None].exp() + gain[:, 1:, None]
    return Drawn(**{**batch.__dict__, "pictures": shown})


def _dice(seed: int, number: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed * 1_000_003 + number)


_ROWS, _COLUMNS = torch.meshgrid(torch.arange(OUT).float(), torch.arange(OUT).float(), indexing="ij")


def _loss(step: Step, maps: Tensor, numbers: Tensor, batch: Drawn) -> Tensor:
    there = (batch.there > 0.5).float()
    count = there.sum().clamp_min(1)
    place = -(batch.maps * F.log_softmax(maps.flatten(2), -1).view_as(maps)).sum((2, 3)).mean(1)
    loss = (place * there).sum() / count
    said = (batch.there >= 0).float()
    odds = F.binary_cross_entropy_with_logits(numbers[:, 0], batch.there.clamp(0, 1), reduction="none")
    loss = loss + (odds * said).sum() / said.sum().clamp_min(1)
    turned = ((numbers[:, 1:3] - batch.direction) ** 2).sum(1)
    loss = loss + (turned * batch.directed).mean()
    if step == "place":
        return loss
    shares = torch.softmax(maps.flatten(2), -1).view_as(maps)
    ends = torch.stack([(shares * _COLUMNS).sum((2, 3)), (shares * _ROWS).sum((2, 3))], -1)
    off = ((ends - batch.ends) * batch.normal[:, None]).sum(-1).abs().mean(1)
    width = ((ends[:, 1] - ends[:, 0]) * batch.normal).sum(-1)
    wrong = (width - batch.width).abs()
    error = F.softplus(numbers[:, 3]) + 0.1
    stated = wrong.detach() / error + error.log()
    return loss + ((0.5 * off + 0.5 * wrong + 0.3 * stated) * there).sum() / count
