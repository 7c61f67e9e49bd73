"""Write phantoms as files: `python -m inference.phantom --look ultrasound --seed 7 --out file.png`."""

import argparse
import json
import sys
from pathlib import Path
from typing import get_args

import numpy as np

from inference.formats.stack import MODALITIES, Modality
from inference.phantom import render, sample_spec
from inference.phantom.records import Label


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m inference.phantom", description=__doc__)
    parser.add_argument("--look", choices=MODALITIES, required=True)
    parser.add_argument("--seed", type=int, default=0, help="of the first phantom; the next ones count up")
    parser.add_argument("--label", choices=get_args(Label))
    parser.add_argument("--size", type=int, default=256, help="side in pixels")
    parser.add_argument("--count", type=int, default=1)
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--out", type=Path, help="one PNG; its truth goes beside it as .json")
    target.add_argument("--out-dir", type=Path, help="folder for --count phantoms")
    arguments = parser.parse_args()
    if arguments.out and arguments.count != 1:
        parser.error("--count needs --out-dir")
    return arguments


def write(path: Path, look: Modality, seed: int, label: Label | None, size: int) -> None:
    """Write one phantom to `path` and its truth beside it."""
    spec = sample_spec(np.random.default_rng(seed), label=label)
    phantom = render(spec, look, seed=seed, size=size)
    path.write_bytes(phantom.png())
    path.with_suffix(".json").write_text(json.dumps(phantom.truth(), indent=1, sort_keys=True) + "\n")


def main() -> int:
    """Write what the command line asks for and say where."""
    arguments = _arguments()
    if arguments.out_dir:
        arguments.out_dir.mkdir(parents=True, exist_ok=True)
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        path = arguments.out or arguments.out_dir / f"phantom-{arguments.look}-{seed:05d}.png"
        write(path, arguments.look, seed, arguments.label, arguments.size)
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
