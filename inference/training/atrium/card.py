"""What the card of the version that measures ultrasound says: its training's record, and the page's table.

The figures are the table of docs/measurement.md, which `bench/answers.py --rows atrium` prints. So new
weights need a new table.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from inference.engine.fitness.by_source import Measure, SourceFigure, SourceLabel
from inference.engine.records import ATRIUM, MEASURING, MEASURING_NETWORKS

BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"
COLLECTION = "collection of anomalies"
NORMALS = "normal, from 18 weeks on: not alarmed"
_FIGURE = re.compile(r"([\d.]+) \(([\d.]+) to ([\d.]+)\)")

Rows = Mapping[tuple[str, str], tuple[float, float, float, int]]
"""By what and source: value, low, high, count."""


def rows_of(text: str) -> Rows:
    """The rows of a page's table that have an interval."""
    table = text.partition(BEGIN)[2].partition(END)[0]
    found = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) >= 4 and (figure := _FIGURE.match(cells[2])):
            value, low, high = (float(number) for number in figure.groups())
            found[cells[0], cells[1]] = (value, low, high, int(cells[3]))
    return found


def card(settled: Mapping[str, Any], rows: Rows, chances: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """settled: atrium.json as `inference.training.atrium` wrote it. rows: of the page; none for an upload.

    chances: of a wide atrium, by picture, so that an ensemble can be made with it (cli.measured_answers).
    """
    return {
        "intended_use": (
            "Research and decision support, not a cleared device. It proposes calipers on the atrium in "
            "axial pictures of fetal heads from 18 weeks on; a reader confirms or moves them. It calls by "
            "10 mm, never by a picture's look."
        ),
        "limits": [
            "Without the file's scale and without a gestational age it calls nothing.",
            "Millimetres by a gestational age carry 6 % more error, and give no severity.",
            "It measures no MRI and no picture that its input gate refuses.",
            "Of dark late heads in which no ventricle shows some are measured into shadow and called wide.",
            "Severe ventriculomegaly may be called not measurable: it learnt from few wide ventricles.",
        ],
        "known_biases": [
            "Its calipers were set by a lay eye; nobody clinical has seen them.",
            "Ventriculomegaly comes from one collection, whose pictures state no scale: their millimetres "
            "are estimated from the week in their name.",
        ],
        MEASURING: {name: settled[name] for name in MEASURING_NETWORKS[ATRIUM].settled},
        **(
            {
                "held_out": _held_out(rows),
                "evaluation": {
                    "by_source": _by_source(rows, settled["without"]),
                    **({"chances": chances} if chances else {}),
                },
            }
            if rows
            else {}
        ),
        "width_error": {
            name: {"mean_error_mm": one["mean error mm"], "count": one["count"]}
            for name, one in settled["figures"].items()
            if isinstance(one, dict) and "mean error mm" in one
        },
        "data": (
            "Calipers and boxes on real normals (FETAL_PLANES_DB, Burgos-Artizzu et al. 2020; its boxes of "
            "the lateral ventricle, Alzubaidi et al. 2023; HC18, van den Heuvel et al. 2018, where it was "
            "learnt from; all CC BY 4.0), dilated by their own walls, and phantoms. No picture that is "
            "labelled with ventriculomegaly or another anomaly."
        ),
        "training": {
            name: settled[name]
            for name in ("learnt_from", "without", "apart", "pictures", "steps", "seed", "versions", "remark")
            if name in settled
        },
    }


def _held_out(rows: Rows) -> dict[str, Any]:
    """Nothing abnormal was learnt from: all of it is held out. Cases for the AUC, pictures for the calls."""
    wanted = {
        "auc": ("ventriculomegaly, all, by case: AUC", "against hc18 normals, by picture"),
        "sensitivity": ("ventriculomegaly, all: alarmed", "by picture"),
        "specificity": (NORMALS, "hc18"),
    }
    return {name: _figure(*rows[key]) for name, key in wanted.items() if key in rows}


def _by_source(rows: Rows, without: Sequence[str]) -> list[SourceFigure]:
    """without: sources that were not learnt from."""
    found = [_row(rows, without, (NORMALS, "hc18"), "hc18", "normal", "specificity", "picture")]
    for what, shown in (("that shows a wide ventricle", True), ("all", False)):
        alarmed, auc = f"ventriculomegaly, {what}: alarmed", f"ventriculomegaly, {what}, by case: AUC"
        for unit in ("case", "picture"):
            key = alarmed, f"by {unit}"
            found.append(
                _row(rows, without, key, COLLECTION, "ventriculomegaly", "sensitivity", unit, shown=shown)
            )
        normals, others = "against hc18 normals, by picture", "against other anomalies, by case"
        found.append(_row(rows, without, (auc, normals), "hc18", "normal", "auc", "case", shown=shown))
        found.append(_row(rows, without, (auc, others), COLLECTION, "other", "auc", "case", shown=shown))
    return [row for row in found if row]


def _row(  # a figure is named by all it is about
    rows: Rows,
    without: Sequence[str],
    key: tuple[str, str],
    source: str,
    label: SourceLabel,
    measure: Measure,
    unit: Any,
    *,
    shown: bool = False,
) -> SourceFigure | None:
    if key not in rows:
        return None
    value, low, high, count = rows[key]
    return SourceFigure(
        source=source,
        label=label,
        learnt_from=source not in (*without, COLLECTION),
        measure=measure,
        value=value,
        low=low,
        high=high,
        count=count,
        unit=unit,
        shown_only=shown,
    )


def _figure(value: float, low: float, high: float, count: int) -> dict[str, float]:
    return {"value": value, "low": low, "high": high, "count": count}
