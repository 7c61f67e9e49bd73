"""Small scans for tests about who may see what: neither a decoder nor an engine is needed for them."""

from collections.abc import Callable

import numpy as np
import pytest

from accounts.models import User
from blobs import store
from cases import services
from cases.models import Case, Scan
from inference.formats.stack import PictureStack


@pytest.fixture
def small_scan() -> Callable[..., Scan]:
    """Add a scan of a few pixels that differ by seed: small_scan(case, by, seed=2, shape=(3, 8, 10))."""

    def add(case: Case, by: User, *, look: str = "ultrasound", seed: int = 1, shape=(1, 8, 10)) -> Scan:
        dtype = np.uint16 if look == "mri" else np.uint8
        pixels = np.random.default_rng(seed).integers(0, 250, shape).astype(dtype)
        original = store.put(pixels.tobytes() + look.encode())
        slices = 1.5 if shape[0] > 1 else None
        stack = PictureStack(pixels, look, original.sha256, "png", slice_spacing=slices)
        scan, _ = services.add_scan(case, stack, by=by, original=original, file_name=f"small-{seed}.png")
        return scan

    return add
