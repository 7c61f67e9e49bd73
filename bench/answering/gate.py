"""Gate: what is refused of each source, with which code, by the gate as shipped.

Only groups (patients) that its training kept apart are asked. What it says with a hospital or a kind of plane
left out stands in its record (inference/engine/shipped_input_gate/input_gate.md) and is printed as well.
"""

import json
from collections import Counter, defaultdict
from pathlib import Path

from bench.answering.pictures import shown
from bench.answering.prepared import EARLY_MM, seen
from bench.answering.table import Row, share
from inference.engine.input_gate.sononet_gate import SHIPPED
from inference.training.input_gate.material import apart

RECIPE = "ultrasound-outline-2-128"
NO_HEAD = ("no_head", "not_a_head")


def rows(data: Path, every: int) -> list[Row]:
    """Shares refused, by source and code, then the record's own figures."""
    codes: dict[str, list[str]] = defaultdict(list)
    for picture in shown(data, every):
        if not apart(picture.group):
            continue
        name = f"{picture.source} {picture.kind}" if picture.kind != "brain" else picture.source
        if picture.source == "hc18":
            early = float(picture.entry["head_circumference_mm"]) < EARLY_MM
            name += " before 18 weeks" if early else " from 18 weeks on"
        codes[name].append(seen(picture, RECIPE).code)
    found = [row for name, said in sorted(codes.items()) for row in _of(name, said)]
    return [*found, *_recorded()]


def _of(name: str, said: list[str]) -> list[Row]:
    planes = name.startswith("fetal_planes ")
    heads = [code in NO_HEAD for code in said]
    aim = {"least": 0.97} if planes else {"most": 0.05}
    refused = [code != "" for code in said]
    listed = ", ".join(f"{code or 'answered'} {count}" for code, count in Counter(said).most_common())
    first = share(
        "refused as no head" if not planes else "refused",
        name,
        refused if planes else heads,
        seen="kept apart",
        **aim,
    )
    others = [
        share(f"said to be {code}", f"{name} ({listed})", [one == code for one in said], seen="kept apart")
        for code in ("too_early", "off_plane")
        if not planes
    ]
    return [first, *others]


def _recorded() -> list[Row]:
    record = json.loads((SHIPPED / "input_gate.json").read_text())
    return [
        Row(
            f"share refused or said to be so: {name}",
            "held out, by the record",
            one["value"],
            one["low"],
            one["high"],
            one["count"],
            seen="kept apart",
        )
        for name, one in record["figures"].items()
        if one["value"] is not None
    ]
