"""Fitting the gate: for each question a logistic regression on SonoNet's features, even over sources."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from inference.engine.input_gate.sononet_gate import FARTHEST, QUESTIONS
from inference.training.input_gate.material import Seen

PENALTY = 0.03
"""On the squares of the weights: sources lie in many small features, planes in few large ones."""
ROUNDS = 60
SMOOTHING = 0.02

Floats = NDArray[np.float32]


def fitted(seen: Seen, penalty: float = PENALTY) -> dict[str, Floats]:
    """The gate's tensors; the same examples on the same machine give the same numbers."""
    centre, spread = seen.features.mean(axis=0), seen.features.std(axis=0) + 1e-2
    even = np.clip((seen.features - centre) / spread, -FARTHEST, FARTHEST).astype(np.float32)
    tensors = {"centre": centre.astype(np.float32), "spread": spread.astype(np.float32)}
    for question in QUESTIONS:
        weights = evenness(seen, question)
        asked = weights > 0
        truth = getattr(seen, question)[asked]
        tensors |= {
            f"{question}.{name}": value
            for name, value in _fit(even[asked], truth, weights[asked], penalty).items()
        }
    return tensors


def _fit(
    even: Floats, truth: NDArray[np.int64], weights: NDArray[np.float64], penalty: float
) -> dict[str, Floats]:
    """Logistic regression, all examples at once, each with its weight."""
    shown, share = torch.from_numpy(even), torch.from_numpy(weights / weights.sum()).float()
    wanted = torch.from_numpy(truth).float() * (1 - 2 * SMOOTHING) + SMOOTHING
    weight, bias = torch.zeros(even.shape[1], requires_grad=True), torch.zeros((), requires_grad=True)
    search = torch.optim.LBFGS([weight, bias], max_iter=ROUNDS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        search.zero_grad()
        each = F.binary_cross_entropy_with_logits(shown @ weight + bias, wanted, reduction="none")
        total = (share * each).sum() + penalty / 2 * (weight**2).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    search.step(loss)  # type: ignore[no-untyped-call]
    return {"weight": weight.detach().numpy(), "bias": bias.detach().numpy()}


def evenness(seen: Seen, question: str) -> NDArray[np.float64]:
    """Half of a batch for either answer, its sources and kinds alike; nought where nobody knows."""
    truth = getattr(seen, question)
    names = np.char.add(np.char.add(seen.source, "/"), seen.kind)
    weights = np.zeros(len(seen))
    for answer in (0, 1):
        kinds = np.unique(names[truth == answer])
        for name in kinds:
            mine = (truth == answer) & (names == name)
            weights[mine] = _share(str(name)) / mine.sum()
        total = weights[truth == answer].sum()
        weights[truth == answer] /= max(total, 1e-12)
    return weights


def _share(name: str) -> float:
    """Real frames of other planes count most among what is no head, real heads twice among heads.

    Of those the collection's are the fewest and the smallest: counted once, one in eight was refused.
    """
    source, kind = name.split("/")
    if kind in ("abdomen", "thorax", "femur") and source == "fetal_planes":
        return 4.0
    if kind == "head" and (source in ("hc18", "fetal_planes") or source.startswith("ultrasound")):
        return 2.0
    return 0.5 if source == "made" else 1.0
