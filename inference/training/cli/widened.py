"""`python -m inference.training.cli.widened`: what shipped MRI versions say about widened normals."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from inference.engine import catalogue
from inference.engine.records import LABELS
from inference.engine.weights.loaded_model import configure, load
from inference.training.evaluation.widened import said
from inference.training.ventricles.volumes import made_volumes


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Ask the newest shipped version of every network; write what they said as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m inference.training.evaluation.widened", description=__doc__
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with mri/*/")
    parser.add_argument("--out", type=Path, required=True, help="file for the answers")
    parser.add_argument("--networks", nargs="+", default=["cnn", "modified_cnn", "resnet18", "vgg16"])
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    configure(1)
    shipped = [catalogue.newest(name, "mri") for name in asked.networks]
    models = [load(one.record, one.content()) for one in shipped if one]
    found = []
    for one in said(list(made_volumes(asked.data / "mri", asked.seed)), models, asked.seed):
        found.append(asdict(one))
        out.write(f"{one.group} {one.kind} {one.look}: {one.refused or 'let in'}\n")
        out.flush()
        asked.out.write_text(json.dumps({"labels": list(LABELS), "said": found}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
