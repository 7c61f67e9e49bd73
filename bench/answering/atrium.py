"""Atrium: where the calipers lie and what they measure, by source; ventriculomegaly that shows.

The networks learnt from normals alone: whatever is abnormal here only measures. Those pictures state no
scale; their age (the week in their group's name) gives one. FETAL_PLANES normals have neither: their calipers
are looked for and nothing is called.
"""

import csv
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.answering.table import Row, mean, share
from inference.engine.atrium.measure import SHIPPED, measure, shipped_measurer
from inference.engine.atrium.records import Atria, AtrialWidth
from inference.engine.atrium.scale import Scale, scale_from_age, stated_scale
from inference.engine.head.ellipse import Ellipse
from inference.engine.head.shipped import find_outlined
from inference.training.atrium.material import kept_apart, marks, picture
from inference.training.evaluation.figures import Figure, auc, bootstrap

EARLY_MM = 150.0
FOUND = 0.1
VISIBLE = "axial_wide_ventricle_visible"
NOT_LOOKED_AT = np.zeros((2, 2))


@dataclass(frozen=True)
class Seen:
    """One picture that was measured. box: middle of its atrium where known. before: about 18 weeks.

    empty: an eye that is no clinician's found no atrium in it that anybody could measure.
    """

    source: str
    group: str
    atria: Atria | None
    head: Ellipse | None
    scale: Scale | None
    box: tuple[float, float] | None = None
    visible: bool = False
    before: bool = False
    empty: bool = False

    @property
    def probability(self) -> float:
        """Of 10 mm and more; 0 where nothing was measured: nothing alarms then."""
        found = self.atria.probability(self.scale) if self.atria else None
        return found or 0.0

    @property
    def first(self) -> AtrialWidth | None:
        """The likeliest atrium."""
        if not self.atria or not self.atria.widths:
            return None
        return max(self.atria.widths, key=lambda one: one.chance)


def rows(data: Path, every: int) -> list[Row]:
    """All of it; the sources' intervals are by picture, those of ventriculomegaly by case too."""
    seen = [one for kind in (_hc18, _planes, _boxed, _abnormal) for one in kind(data, every)]
    return [*_normals(seen), *_empty(seen), *_places(seen), *_ventriculomegaly(seen), *_recorded()]


def _hc18(data: Path, every: int) -> Iterator[Seen]:
    for row in _listed(data / "hc18")[::every]:
        before = float(row["head_circumference_mm"]) < EARLY_MM
        yield _seen(
            data, f"hc18/{row['file']}", "hc18", row["group"], mm=float(row["pixel_mm"]), before=before
        )


def _planes(data: Path, every: int) -> Iterator[Seen]:
    brains = [row for row in _listed(data / "fetal_planes") if row["plane"] == "brain"]
    for row in brains[::every]:
        yield _seen(data, f"fetal_planes/{row['file']}", "fetal_planes, any plane of the head", row["group"])


def _boxed(data: Path, every: int) -> Iterator[Seen]:
    for row in _listed(data / "lateral_ventricle")[::every]:
        x0, y0, x1, y1 = (float(number) for number in row["lateral_ventricle_box"].split())
        middle = ((x0 + x1) / 2, (y0 + y1) / 2)
        yield _seen(data, f"lateral_ventricle/{row['file']}", "lateral_ventricle", row["group"], box=middle)


def _abnormal(data: Path, _: int) -> Iterator[Seen]:
    sharper = {row["file"]: row for row in _listed(data / "ultrasound_640")}
    for row in [row for row in _listed(data / "ultrasound") if row["label"] != "normal"]:
        fine = sharper.get(row["file"])
        folder = "ultrasound_640" if fine else "ultrasound"
        stated = re.findall(r"(\d+)$", row["group"])
        weeks = float(stated[0]) if stated else None
        visible = bool(fine) and fine["view_by_a_lay_eye"] == VISIBLE
        yield _seen(data, f"{folder}/{row['file']}", row["label"], row["group"], weeks=weeks, visible=visible)


def _seen(data: Path, file: str, source: str, group: str, **known: Any) -> Seen:
    """known: mm of a pixel or weeks of age, for the scale; else what Seen holds."""
    frame = picture(data, file)
    found = find_outlined(frame)
    head = found.ellipse if found else None
    atria = measure(shipped_measurer(), frame, head) if head else None
    mm, weeks = known.pop("mm", None), known.pop("weeks", None)
    scale = stated_scale(mm) if mm else None
    if head and weeks:
        scale = scale_from_age(weeks, head)
    empty = marks().get(file, NOT_LOOKED_AT) is None
    return Seen(source, group, atria, head, scale, **known, empty=empty)


def _normals(seen: Sequence[Seen]) -> Iterator[Row]:
    """Not alarmed, not measured, and the widths, of each source; patients that were learnt from apart."""
    for source in ("hc18", "lateral_ventricle", "fetal_planes, any plane of the head"):
        for apart in (True, False):
            known = _knowledge(source, apart)
            if known is None:
                continue
            late = [
                s
                for s in seen
                if s.source == source
                and not s.before
                and (known == "never seen" or not _apart() or kept_apart(s.group) == apart)
            ]
            if source == "hc18":
                quiet = [s.probability < 0.5 for s in late]
                aim = 0.85 if known == "never seen" else 0.93
                yield share("normal, from 18 weeks on: not alarmed", source, quiet, seen=known, least=aim)
                widths = [s.first.millimetres(s.scale).width for s in late if s.first and s.scale]
                yield mean("normal, from 18 weeks on: width", source, widths, "mm", seen=known)
                middle = [float(np.median(widths))] if widths else []
                yield mean("normal, from 18 weeks on: median width", source, middle, "mm", seen=known)
            unmeasured = [s.first is None for s in late]
            most = {} if "any plane" in source else {"most": 0.15}
            yield share("normal: the atrium cannot be measured", source, unmeasured, seen=known, **most)
    early = [s.probability >= 0.5 for s in seen if s.source == "hc18" and s.before]
    yield share("before 18 weeks: 10 mm and more, the gate aside", "hc18", early)


def _empty(seen: Sequence[Seen]) -> Iterator[Row]:
    """Heads in which nobody can measure an atrium: how often a caliper is placed in them nevertheless."""
    for source in ("hc18", "fetal_planes, any plane of the head"):
        for apart in (True, False):
            known = _knowledge(source, apart)
            of = [s for s in seen if s.empty and s.source == source]
            if known not in (None, "never seen"):
                of = [s for s in of if kept_apart(s.group) == apart]
            if known and of:
                refused = [s.first is None for s in of]
                yield share("a head that shows no atrium: cannot be measured", source, refused, seen=known)


def _knowledge(source: str, apart: bool) -> str | None:
    """How far the shipped networks knew patients of a source; None where there is no such part."""
    record = json.loads((SHIPPED / "atrium.json").read_text())
    if source.split(",", maxsplit=1)[0] in record["without"]:
        return "never seen" if apart else None
    if not record["apart"]:
        return None if apart else "learnt from"
    return "kept apart" if apart else "learnt from"


def _apart() -> bool:
    """Whether the shipped networks were taught without a part of the patients."""
    return bool(json.loads((SHIPPED / "atrium.json").read_text())["apart"])


def _places(seen: Sequence[Seen]) -> Iterator[Row]:
    for apart in (True, False):
        known = _knowledge("lateral_ventricle", apart)
        if known is None:
            continue
        boxed = [s for s in seen if s.box and s.head and (not _apart() or kept_apart(s.group) == apart)]
        near = [s.first is not None and _off(s) < FOUND for s in boxed]
        yield share(
            "atrium within 0.1 head lengths of its box", "lateral_ventricle", near, seen=known, least=0.85
        )


def _off(one: Seen) -> float:
    if one.first is None or one.head is None or one.box is None:
        return 1.0
    middle = (np.array(one.first.inner) + np.array(one.first.outer)) / 2
    return float(np.hypot(*(middle - one.box))) / (2 * one.head.long)


def _ventriculomegaly(seen: Sequence[Seen]) -> Iterator[Row]:
    """None of it was learnt from. A case is a class and a week: its pictures' highest probability."""
    normals = [s for s in seen if s.source == "hc18" and not s.before]
    for what, wide in (
        ("that shows a wide ventricle", [s for s in seen if s.source == "ventriculomegaly" and s.visible]),
        ("all", [s for s in seen if s.source == "ventriculomegaly"]),
    ):
        aim = {"least": 0.80} if "shows" in what else {}
        yield share(
            f"ventriculomegaly, {what}: alarmed", "by picture", [s.probability >= 0.5 for s in wide], **aim
        )
        yield share(
            f"ventriculomegaly, {what}: alarmed", "by case", [p >= 0.5 for p in _by_case(wide)], **aim
        )
        for other, against, least in (
            ("hc18 normals, by picture", [s.probability for s in normals], 0.88),
            ("other anomalies, by case", _by_case([s for s in seen if s.source == "other"]), 0.80),
        ):
            found = _auc(_by_case(wide), against)
            goal = least if "shows" in what else None
            name = f"ventriculomegaly, {what}, by case: AUC"
            yield Row(name, f"against {other}", found.value, found.low, found.high, found.count, least=goal)


def _auc(wide: Sequence[float], others: Sequence[float]) -> Figure:
    """With an interval over redrawn cases."""
    truth = np.array([1] * len(wide) + [0] * len(others))
    scores = np.array([*wide, *others])
    groups = np.array([f"{number}" for number in range(len(truth))])
    return bootstrap(auc, truth, scores, groups)


def _by_case(seen: Sequence[Seen]) -> list[float]:
    cases: dict[str, list[float]] = defaultdict(list)
    for one in seen:
        cases[one.group].append(one.probability)
    return [max(found) for found in cases.values()]


def _recorded() -> Iterator[Row]:
    """What the training's own record says of atria and phantoms that were kept apart, by true width."""
    found = json.loads((SHIPPED / "atrium.json").read_text())["figures"]
    for name, one in found.items():
        if not isinstance(one, dict) or not one["count"]:
            continue
        aim = None if "marks" in name else 1.0
        nan, count = math.nan, one["count"]
        error, refused = one["mean error mm"], one["not measured"]
        yield Row("width: mean error", name, error, nan, nan, count, "mm", most=aim, seen="kept apart")
        yield Row(
            "the atrium cannot be measured", name, refused, nan, nan, count, most=0.15, seen="kept apart"
        )


def _listed(folder: Path) -> list[dict[str, str]]:
    path = folder / "labels.csv"
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
