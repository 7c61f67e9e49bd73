"""A network with fewer products: each wide convolution in two steps, through few channels.

What a convolution answers lies near a few directions, its principal components (Jolliffe 2002; for networks
Zhang et al. 2016). Here they are weighed by how far the log-odds move with them, so that a component stays
where it carries much of the answer for the products that it costs. Nothing is trained.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import ortho_group
from torch import Tensor, nn

WORTH = 0.005
"""Share of the log-odds' spread that a component carries, over its share of the network's products."""
GAIN = 0.8
"""A convolution in two steps takes at most this share of its products, or stays in one."""
STEP = 8
"""Channels come in eights, as the arithmetic wants them."""
ALONE = 0.1
"""Share of the slopes that is taken channel by channel: what few pictures show of pairs may be chance."""
LEAST = 1e-3
"""Slope of a channel that no picture moved, of the mean one."""
BATCH = 32


def products_of(module: nn.Module, shown: NDArray[np.float32]) -> int:
    """Multiplications in a network's convolutions, for one of the pictures (n, channels, rows, columns)."""
    counted: list[int] = []

    def count(conv: nn.Module, _: tuple[Tensor, ...], answered: Tensor) -> None:
        counted.append(answered[0].numel() * conv.get_parameter("weight")[0].numel())

    hooks = [part.register_forward_hook(count) for part in module.modules() if isinstance(part, nn.Conv2d)]
    with torch.inference_mode():
        module(torch.from_numpy(shown[:1]))
    for hook in hooks:
        hook.remove()
    return sum(counted)


def thinned(module: nn.Module, shown: NDArray[np.float32], products: int) -> nn.Module:
    """A copy of a network, or of its last stage, with nearly the same log-odds for pictures like these.

    module: (n, channels, rows, columns) -> logits (n, 2). shown: what it is given. products: those of the
    whole network, of which a component has to be worth its share.
    """
    own = copy.deepcopy(module).eval().requires_grad_(requires_grad=False)
    seen = {name: _Seen(part) for name, part in own.named_modules() if _wide(part)}
    spread = _watched(own, list(seen.values()), torch.from_numpy(shown))
    for name, one in seen.items():
        steps = _two_steps(one, WORTH * spread / products)
        if steps is not None:
            own.set_submodule(name, steps)
    return own


def _wide(part: nn.Module) -> bool:
    return isinstance(part, nn.Conv2d) and part.groups == 1 and part.kernel_size != (1, 1)


class _Seen:
    """A convolution, what it answered, and the slopes of the log-odds there: sums over places of pictures.

    total: (channels,). squares, slopes: (channels, channels). places: of one picture.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        channels = conv.out_channels
        self.conv, self.count, self.places = conv, 0, 0
        self.total = torch.zeros(channels, dtype=torch.double)
        self.squares = torch.zeros(channels, channels, dtype=torch.double)
        self.slopes = torch.zeros_like(self.squares)

    def heard(self, _: nn.Module, __: tuple[Tensor, ...], answered: Tensor) -> None:
        """A forward hook."""
        rows = _rows(answered)
        self.count, self.places = self.count + len(rows), len(rows) // len(answered)
        self.total += rows.sum(dim=0)
        self.squares += rows.T @ rows
        answered.register_hook(self._sloped)  # type: ignore[no-untyped-call]

    def _sloped(self, slope: Tensor) -> None:
        rows = _rows(slope)
        self.slopes += rows.T @ rows

    @property
    def products(self) -> int:
        """Of one of its channels, for one picture."""
        return self.places * self.conv.weight[0].numel()

    def covariance(self) -> Tensor:
        """Of its channels over all places: (channels, channels)."""
        mean = self.total / self.count
        return self.squares / self.count - torch.outer(mean, mean)

    def metric(self) -> Tensor:
        """How far the squared log-odds move with an answer at one place: (channels, channels)."""
        slopes = self.slopes / self.count
        single = torch.diagonal(slopes)
        return (1 - ALONE) * slopes + torch.diag(ALONE * single + LEAST * single.mean())


def _rows(maps: Tensor) -> Tensor:
    """(n, channels, rows, columns) -> (n rows columns, channels), double."""
    return maps.detach().permute(0, 2, 3, 1).reshape(-1, maps.shape[1]).double()


def _watched(module: nn.Module, seen: list[_Seen], pictures: Tensor) -> float:
    """Variance of the log-odds of the pictures, while each convolution keeps what it saw."""
    odds = []
    with _hooked(seen), torch.enable_grad():
        for part in torch.split(pictures, BATCH):
            logits = module(part.clone().requires_grad_())
            odds.append(logits[:, 1] - logits[:, 0])
            odds[-1].sum().backward()
    return float(torch.cat(odds).detach().var())


@contextmanager
def _hooked(seen: list[_Seen]) -> Iterator[None]:
    hooks = [one.conv.register_forward_hook(one.heard) for one in seen]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _two_steps(seen: _Seen, worth: float) -> nn.Sequential | None:
    """The convolution to few channels and from these to its own; None where that saves too little.

    worth: squared log-odds that a component carries, over all places, for each product that it costs.
    """
    conv, metric = seen.conv, seen.metric()
    found, axes = torch.linalg.eigh(metric)
    root = axes * found.sqrt() @ axes.T
    carried, components = torch.linalg.eigh(root @ seen.covariance() @ root)
    cost = seen.products + seen.places * conv.out_channels
    worthy = int((seen.places * carried > worth * cost).sum())
    kept = max(STEP, -(-worthy // STEP) * STEP)
    if kept * cost > GAIN * seen.products * conv.out_channels:
        return None
    chosen = components[:, -kept:] @ _turned(kept)
    return _through(conv, root @ chosen, torch.linalg.solve(root, chosen), seen.total / seen.count)


def _turned(size: int) -> Tensor:
    """A rotation, always the same: after it all channels span about as much, and eight bits serve all."""
    return torch.from_numpy(ortho_group.rvs(size, random_state=0))


def _through(conv: nn.Conv2d, inward: Tensor, outward: Tensor, mean: Tensor) -> nn.Sequential:
    """inward, outward: (channels, kept). What the convolution answers beside its mean goes through both."""
    kept = inward.shape[1]
    few = nn.Conv2d(conv.in_channels, kept, conv.kernel_size, conv.stride, conv.padding, conv.dilation)  # type: ignore[arg-type]
    many = nn.Conv2d(kept, conv.out_channels, 1)
    bias = 0.0 if conv.bias is None else conv.bias.double()
    few.weight.data = torch.einsum("ck,cijl->kijl", inward, conv.weight.double()).float()
    few.bias = nn.Parameter((inward.T @ (bias - mean)).float())
    many.weight.data = outward.float()[:, :, None, None]
    many.bias = nn.Parameter(mean.float())
    return nn.Sequential(few, many)
