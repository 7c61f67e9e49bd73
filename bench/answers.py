"""What the shipped answers are worth on the data at hand, by source, with intervals: one table in one run.

    python bench/answers.py --json --data DIR [--rows head gate] [--every N] [--sheet FOLDER] [--out FILE]

DIR holds hc18/, fetal_planes/, lateral_ventricle/, ultrasound/, ultrasound_640/, mri/. Each group of rows is
a module of bench/answering with a function `rows(data, every)`; --every N takes every Nth picture, for a
first look. The figures to reach are printed group by group; --json prints every row. --out keeps what there
is after each group, so that a run that is stopped is not lost. A group that fails is named, and the others
go on.
Figures of what was learnt from say so; held-out figures stand in the records of what was trained.
"""

import argparse
import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.answering import atrium, cards, gate, head, mri, networks, sheet, speed, squares, ventricles
from bench.answering.table import Row, as_json, as_text

GROUPS = {
    "cards": cards.rows,
    "speed": speed.rows,
    "head": head.rows,
    "atrium": atrium.rows,
    "gate": gate.rows,
    "networks": networks.rows,
    "mri": mri.rows,
    "ventricles": ventricles.rows,
    "squares": squares.rows,
}
"""In the order in which they are measured and printed: what is quick first."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", action="store_true", help="every row, as JSON")
    parser.add_argument("--rows", nargs="+", choices=list(GROUPS), default=list(GROUPS))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--sheet", type=Path, help="a folder for a picture of successes and failures")
    parser.add_argument(
        "--out", type=Path, help="a file that keeps all rows as JSON, written after each group"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    told = measured(options)
    print(json.dumps(told, indent=1) if options.json else as_text(told["found"]), flush=True)
    return 1 if told["failed"] else 0


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Every row; seconds of each group; what failed, and why. The figures to reach go to standard error."""
    found: list[Row] = []
    seconds: dict[str, float] = {}
    failed: dict[str, str] = {}
    for name in options.rows:
        started = time.perf_counter()
        try:
            mine = GROUPS[name](options.data, options.every)
        except Exception as fault:  # noqa: BLE001 - a group must not take the others with it
            traceback.print_exc()
            failed[name], mine = repr(fault), []
        seconds[name] = round(time.perf_counter() - started, 1)
        found += mine
        print(f"\n{name}: {seconds[name]:.0f} s\n{as_text([r for r in mine if r.has_goal])}", file=sys.stderr)
        if options.out:
            options.out.write_text(json.dumps(_told(found, seconds, failed), indent=1) + "\n")
    if options.sheet:
        print(f"sheet: {sheet.draw(options.data, options.every, options.sheet)}", file=sys.stderr)
    told = _told(found, seconds, failed)
    return told if options.json else {**told, "found": found}


def _told(found: list[Row], seconds: dict[str, float], failed: dict[str, str]) -> dict[str, Any]:
    """As JSON keeps it: the figures to reach, then all rows."""
    return {
        "figures_to_reach": as_json([row for row in found if row.has_goal]),
        "rows": as_json(found),
        "seconds": seconds,
        "failed": failed,
    }


if __name__ == "__main__":
    sys.exit(main())
