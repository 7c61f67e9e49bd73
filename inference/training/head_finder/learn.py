"""Fitting the head finder: pixels painted well, and paint that has the moments of the head."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional as F

from inference.engine.head.network import HeadPainter
from inference.training.head_finder.changes import changed
from inference.training.head_finder.material import Outlined

BATCH = 24
RATE = 3e-3
DECAY = 1e-4
MEMORY = 0.995
KEEP_EVERY = 50
HALVED = True


@dataclass(frozen=True)
class Plan:
    """steps of BATCH pictures each. shares: how often each source is drawn."""

    steps: int
    seed: int
    shares: Mapping[str, float]


def fitted(
    plan: Plan,
    outlined: Outlined,
    neighbours: Tensor,
    *,
    folder: Path | None = None,
    tell: Callable[[str], None] = print,
) -> HeadPainter:
    """The same arguments on the same machine give the same weights; goes on from `folder` after a stop."""
    torch.manual_seed(plan.seed)
    model, kept = HeadPainter(), HeadPainter()
    kept.load_state_dict(model.state_dict())
    model = model.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=plan.steps + 1, pct_start=0.15)
    first = _recalled(folder, model, kept, optimiser, pace)
    canvas, head = torch.from_numpy(outlined.canvas), torch.from_numpy(outlined.head)
    odds = _odds(outlined, plan.shares)
    running = 0.0
    for step in range(first, plan.steps):
        draw = torch.Generator().manual_seed(plan.seed * 1_000_003 + step)
        rows = torch.multinomial(odds, BATCH, replacement=True, generator=draw)
        batch = changed(canvas[rows].float() / 255, head[rows], neighbours, draw)
        with torch.autocast("cpu", torch.bfloat16, enabled=HALVED):
            logits = model(batch.pictures.contiguous(memory_format=torch.channels_last))
        loss = loss_of(logits.float(), batch.painted)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        pace.step()
        _remember(kept, model, step)
        running = 0.95 * running + 0.05 * float(loss.detach()) if running else float(loss.detach())
        if (step + 1) % KEEP_EVERY == 0:
            tell(f"step {step + 1} of {plan.steps}, loss {running:.4f}")
            _keep(folder, step + 1, model, kept, optimiser)
    return kept.eval()


def loss_of(logits: Tensor, wanted: Tensor) -> Tensor:
    """Cross-entropy, overlap, and the gap between the moments of the paint and those of the head."""
    seen = logits.sigmoid()
    each = F.binary_cross_entropy_with_logits(logits, wanted)
    both = 2 * (seen * wanted).sum((1, 2, 3)) / (seen.sum((1, 2, 3)) + wanted.sum((1, 2, 3)) + 1e-6)
    gaps = (_moments(seen) - _moments(wanted)).abs()
    return 2 * each + (1 - both).mean() + gaps.clamp_max(1.0).mean()


def _moments(paint: Tensor) -> Tensor:
    """(n, 6): log of area, middle and spread, in units of the head's own size."""
    _, _, rows, columns = paint.shape
    mass = paint.sum((1, 2, 3)) + 1.0
    y, x = torch.meshgrid(torch.arange(rows).float(), torch.arange(columns).float(), indexing="ij")
    middle_x, middle_y = ((paint[:, 0] * place).sum((1, 2)) / mass for place in (x, y))
    across, down = x - middle_x[:, None, None], y - middle_y[:, None, None]
    spread = [
        (paint[:, 0] * product).sum((1, 2)) / mass**2
        for product in (across * across, down * down, across * down)
    ]
    size = mass.sqrt()
    return torch.stack([mass.log(), middle_x / size, middle_y / size, *(8 * part for part in spread)], dim=1)


def _odds(outlined: Outlined, shares: Mapping[str, float]) -> Tensor:
    odds = torch.zeros(len(outlined))
    for source, share in shares.items():
        mine = torch.from_numpy(outlined.source == source)
        odds[mine] = share / max(int(mine.sum()), 1)
    return odds


def _remember(kept: HeadPainter, model: HeadPainter, step: int) -> None:
    """A running average of the weights, quick at first."""
    hold = min(MEMORY, (1 + step) / (10 + step))
    with torch.no_grad():
        for mean, now in zip(kept.state_dict().values(), model.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(now, 1 - hold)
            else:
                mean.copy_(now)


def _keep(
    folder: Path | None, step: int, model: HeadPainter, kept: HeadPainter, optimiser: torch.optim.Optimizer
) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"model/{name}": tensor for name, tensor in model.state_dict().items()}
    tensors |= {f"kept/{name}": tensor for name, tensor in kept.state_dict().items()}
    for number, state in optimiser.state_dict()["state"].items():
        tensors |= {f"state/{number}/{name}": tensor for name, tensor in state.items()}
    new = folder / "head_finder.new"
    safetensors.torch.save_file(
        {name: t.contiguous() for name, t in tensors.items()}, new, metadata={"step": str(step)}
    )
    new.replace(folder / "head_finder.safetensors")


def _recalled(
    folder: Path | None,
    model: HeadPainter,
    kept: HeadPainter,
    optimiser: torch.optim.Optimizer,
    pace: torch.optim.lr_scheduler.LRScheduler,
) -> int:
    path = folder / "head_finder.safetensors" if folder else None
    if path is None or not path.exists():
        return 0
    with safetensors.safe_open(path, framework="pt") as file:
        step = int((file.metadata() or {})["step"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
    for target, start in ((model, "model/"), (kept, "kept/")):
        target.load_state_dict({n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)})
    states: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("state/"):
            _, number, part = name.split("/")
            states.setdefault(int(number), {})[part] = tensor
    optimiser.load_state_dict({"state": states, "param_groups": optimiser.state_dict()["param_groups"]})
    for _ in range(step):
        pace.step()
    return step
