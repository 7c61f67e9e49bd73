"""What the shipped answers are worth on the data at hand, by source, with intervals: one table in one run.

    python bench/answers.py --data DIR [--json] [--rows head gate squares] [--every N]

DIR holds hc18/, fetal_planes/, lateral_ventricle/, ultrasound/, ultrasound_640/. Each group of rows is a
module of bench/answering with a function `rows(data, every)`; --every N takes every Nth picture, for a first
look.
Figures of what was learnt from say so; held-out figures stand in the records of what was trained.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.answering import atrium, gate, head, networks, speed, squares
from bench.answering.table import Row, as_json, as_text

GROUPS = {
    "head": head.rows,
    "gate": gate.rows,
    "squares": squares.rows,
    "speed": speed.rows,
    "atrium": atrium.rows,
    "networks": networks.rows,
}
"""In the order in which they are printed."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", nargs="+", choices=list(GROUPS), default=list(GROUPS))
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found: list[Row] = []
    for name in options.rows:
        started = time.perf_counter()
        found += GROUPS[name](options.data, options.every)
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
    print(json.dumps(as_json(found)) if options.json else as_text(found))


if __name__ == "__main__":
    main()
