"""Fitting the gate: two small layers over VGG16's features, batches even over classes, sources and kinds."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from inference.engine.input_gate.vgg16_gate import CLASSES, Floats
from inference.training.input_gate.vgg16_gate.material import Seen

BATCH = 128
RATE = 1e-3
HIDDEN = 16
DROPPED, DROPPED_HIDDEN = 0.5, 0.3
DECAY = 0.05
NOISE = 0.3
FITS, SEED_STEP = 4, 10
SMOOTHING = 0.05
SHARES = {
    "plain_ultrasound": 0.05,
    "real_ultrasound": 0.17,
    "phantom_ultrasound": 0.10,
    "plain_mri": 0.02,
    "atlas_mri": 0.12,
    "folded_mri": 0.06,
    "late_mri": 0.08,
    "phantom_mri": 0.06,
}
"""Share of each source of heads in a batch; the rest is of neither class, all kinds alike."""


def fitted(examples: Seen, steps: int, seed: int) -> dict[str, Floats]:
    """The gate's tensors; the same arguments on the same machine give the same numbers.

    Several fits, whose mean answers: on kinds that none has met one fit is wrong where others are not.
    """
    centre, spread = examples.features.mean(axis=0), examples.features.std(axis=0) + 1e-3
    even = torch.from_numpy(((examples.features - centre) / spread).astype(np.float32))
    fits = [_fit(examples, even, steps, seed + SEED_STEP * number) for number in range(FITS)]
    return {
        "centre": centre.astype(np.float32),
        "spread": spread.astype(np.float32),
        **{name: np.stack([fit[name] for fit in fits]) for name in fits[0]},
    }


def _fit(examples: Seen, even: torch.Tensor, steps: int, seed: int) -> dict[str, Floats]:
    """Two layers on standardised features."""
    torch.manual_seed(seed)
    truth, weights = torch.from_numpy(examples.truth), torch.from_numpy(evenness(examples))
    hidden, out = nn.Linear(even.shape[1], HIDDEN), nn.Linear(HIDDEN, len(CLASSES))
    optimiser = torch.optim.AdamW([*hidden.parameters(), *out.parameters()], lr=RATE, weight_decay=DECAY)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for _ in range(steps):
        rows = torch.multinomial(weights, BATCH, replacement=True)
        seen = F.dropout(even[rows] + NOISE * torch.randn(BATCH, even.shape[1]), DROPPED)
        logits = out(F.dropout(F.relu(hidden(seen)), DROPPED_HIDDEN))
        loss = F.cross_entropy(logits, truth[rows], label_smoothing=SMOOTHING)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        pace.step()
    layers = {"hidden": hidden, "out": out}
    return {
        f"{name}.{part}": tensor.detach().numpy()
        for name, layer in layers.items()
        for part, tensor in layer.named_parameters()
    }


def evenness(examples: Seen) -> NDArray[np.float64]:
    """How often each example is drawn: sources of heads by SHARES, kinds of non-heads alike."""
    weights = np.zeros(len(examples))
    kinds = [kind for kind in np.unique(examples.kind) if kind not in SHARES]
    rest = 1 - sum(SHARES.values())
    for kind in np.unique(examples.kind):
        mine = examples.kind == kind
        weights[mine] = SHARES.get(str(kind), rest / max(len(kinds), 1)) / mine.sum()
    return weights
