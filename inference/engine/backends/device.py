"""Where the arithmetic happens, and with how many threads of torch's."""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/dxg"), Path("/dev/kfd"))
"""One of these is there where a driver for computing on a GPU is: NVIDIA's, WSL's, AMD's."""

torch_threads = [1]


def best() -> str:
    """ "cuda" where this process sees a GPU (CUDA_VISIBLE_DEVICES decides), else "cpu".

    Torch, which takes seconds to import, is asked only where there is a driver.
    """
    if not any(driver.exists() for driver in DRIVERS) or find_spec("torch") is None:
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def let_torch_use(threads: int) -> None:
    """Threads for one operation, from now on where torch is at hand, else once it is."""
    torch_threads[0] = threads
    if "torch" in sys.modules:
        import_module("inference.engine.backends.with_torch").configure()
