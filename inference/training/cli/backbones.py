"""`python -m inference.training.cli.backbones convert`: PyTorch's own file of a backbone, as numbers only."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from inference.training.fitting.backbones import BackboneRefused, converted, write


def main(arguments: Sequence[str]) -> int:
    """The command; 0 when the file was written."""
    parser = argparse.ArgumentParser(
        prog="python -m inference.training.fitting.backbones", description=__doc__
    )
    commands = parser.add_subparsers(required=True)
    convert = commands.add_parser("convert", help="a PyTorch state file to safetensors")
    convert.add_argument("pickled", type=Path, metavar="FILE.pth")
    convert.add_argument("out", type=Path, metavar="FILE.safetensors")
    options = parser.parse_args(arguments)
    try:
        write(converted(options.pickled), options.out)
    except (BackboneRefused, OSError) as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
