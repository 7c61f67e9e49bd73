"""Where the arithmetic happens."""

import torch


def best() -> str:
    """ "cuda" where this process sees a GPU (CUDA_VISIBLE_DEVICES decides), else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"
