"""A model card as a page of docs/models."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from inference.engine.fitness.by_source import SourceFigure, by_source
from inference.engine.records import WeightsRecord
from inference.training.evaluation.calls import count_words, right_calls, undecided

PLOTS = ("ROC", "Precision and recall", "Reliability", "Risk and coverage")
SAME_SOURCE = "Both classes come from the same volumes and slices, so no source tells them apart."
SELECTIVE = (
    "Answers that would turn when the picture is held a little differently are set aside first (`doubt`). "
    "Area: mean share of wrong answers among the surest 1, 2, ... all; less is better. Distance: the same by "
    "the bare distance from the threshold."
)

EXPLANATIONS = (
    "Phantoms with ventriculomegaly, maps for that class: does the strongest place lie in the ventricles, "
    "and how much of the positive heat; beside maps of chance with the same spectrum, and one that marks the "
    "middle of every head. Likeness: rank correlation with the map of the same network with random weights."
)

PICTURES = {"normal": "normals", "other": "pictures of neither class", "ventriculomegaly": "ventriculomegaly"}
SOURCE_COLUMNS = ("Source", "Of", "Measure", "Figure", "Units", "Refused")
MEASURES = {"auc": "AUC", "specificity": "not alarmed", "sensitivity": "found"}
FINE = 0.001
"""Below it three decimals would show nothing: a learning rate is written out."""


def figure_words(figure: Mapping[str, Any]) -> str:
    """A figure as people read it: value, 95 % interval, number of pictures."""
    if None in figure.values():
        return "not measured"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f}, n = {figure['count']:.0f})"


def plot_name(record: WeightsRecord, title: str) -> str:
    """The file of one of the card's charts."""
    return f"{record.name}-{title.lower().replace(' ', '-')}.svg"


def markdown(record: WeightsRecord, others: Sequence[WeightsRecord] = ()) -> str:
    """The whole page. others: versions that answer beside it, for how often it is undecided when it leads."""
    return "\n".join(_lines(record, others))


def _lines(record: WeightsRecord, others: Sequence[WeightsRecord]) -> Iterator[str]:
    found = record.card
    yield from (
        f"# {record.network}, {record.modality}, version {record.version}",
        "",
        found["intended_use"],
        "",
    )
    yield from ("## Data", "", found["data"], "", _table("Count", found["counts"]), "")
    yield from (f"Split: {found['split']}.", "")
    yield from _by_source(found)
    yield from _held_out(record, found, others)
    yield from _doubt(found)
    yield from ("## Source or anatomy?", "", _confound(found), "")
    yield from _explanations(found)
    yield from ("## Known limits", "")
    yield from (f"- {limit}" for limit in found["limits"])
    yield from _making(record, found)


def _by_source(found: Mapping[str, Any]) -> Iterator[str]:
    """What holds on a hospital that was never learnt from, the worst first."""
    rows = by_source(found)
    if not rows:
        return
    yield from ("## By source", "", found["evaluation"]["rule"], "", *source_lines(rows), "")


def source_lines(rows: Sequence[SourceFigure]) -> Iterator[str]:
    """Figures by source as a table, in their order."""
    yield f"| {' | '.join(SOURCE_COLUMNS)} |"
    yield f"|{' --- |' * len(SOURCE_COLUMNS)}"
    yield from (f"| {' | '.join(source_cells(row))} |" for row in rows)


def source_cells(row: SourceFigure) -> tuple[str, ...]:
    """A figure by source in the order of SOURCE_COLUMNS."""
    known = "learnt from" if row["learnt_from"] else "never learnt from"
    alone = ", the only source of its kind" if row.get("only_source") else ""
    shown = " that shows a wide ventricle" if row["shown_only"] else ""
    pictures = PICTURES[row["label"]]
    of = f"ventriculomegaly{shown} against {pictures}" if row["measure"] == "auc" else f"{pictures}{shown}"
    value = figure_words(
        {"value": row["value"], "low": row["low"], "high": row["high"], "count": row["count"]}
    )
    return (
        f"{row['source']}, {known}{alone}",
        of,
        MEASURES[row["measure"]],
        value,
        f"{row['unit']}s",
        str(row.get("refused", "")),
    )


def _held_out(
    record: WeightsRecord, found: Mapping[str, Any], others: Sequence[WeightsRecord]
) -> Iterator[str]:
    yield from ("## Held-out figures", "")
    yield from ("95 % intervals: bootstrap over groups for AUC, Wilson for shares.", "", _figures(found), "")
    if "against_baseline" in found:
        yield from (found["against_baseline"], "")
    yield from (" ".join(f"![{title}](plots/{plot_name(record, title)})" for title in PLOTS), "")
    yield (
        f"Probability from which a scan is called ventriculomegaly: {record.threshold:.3f} "
        f"({record.threshold_target}). Temperature: {record.temperature:.3f}."
    )
    yield ""
    yield from _calls(record, found, others)
    for title, part in (("severity", "held_out_by_severity"), ("gestational week", "held_out_by_week")):
        if found.get(part):
            yield from (_table(f"Sensitivity by {title}", found[part]), "")


def _calls(record: WeightsRecord, found: Mapping[str, Any], others: Sequence[WeightsRecord]) -> Iterator[str]:
    """Counts, not shares: how often a call was right says nothing of another mix of pictures."""
    right = right_calls(found["held_out"])
    if right:
        yield from ("Of the calls on held-out pictures were right:", "")
        yield from (f"- {label}: {count_words(one)}" for label, one in right.items())
        yield from (
            "",
            "In a department fewer pictures show ventriculomegaly, and fewer such calls are right.",
            "",
        )
    said = undecided(found, record.threshold, others)
    if said:
        yield from (
            f"When it leads, it is [undecided](../decisions/0020-one-call-and-undecided.md) on "
            f"{count_words(said['undecided'])}. Of the decided calls are wrong: "
            f"{count_words(said['decided_and_wrong'])}. Without the rule: "
            f"{count_words(said['wrong_without_the_rule'])}. From {said['rests_on']}.",
            "",
        )


def _doubt(found: Mapping[str, Any]) -> Iterator[str]:
    if found.get("selective"):
        yield from (
            "## What the doubt is worth",
            "",
            SELECTIVE,
            "",
            _table("Measure", found["selective"]),
            "",
        )


def _explanations(found: Mapping[str, Any]) -> Iterator[str]:
    measured = found.get("explanations")
    if measured:
        yield from ("## Where explanations look", "", EXPLANATIONS, "", measured["verdict"], "")
        for method in sorted(measured.keys() - {"verdict"}):
            yield from (_table(method, dict(sorted(measured[method].items()))), "")


def _making(record: WeightsRecord, found: Mapping[str, Any]) -> Iterator[str]:
    training = found["training"]
    settings = {name: training[name] for name in training if name not in {"command", "pictures_sha256"}}
    yield from ("", "## How it was made", "", f"`{training['command']}`", "")
    yield from (_table("Setting", settings), "", f"Weights: SHA-256 `{record.weights_sha256}`", "")
    yield from (f"Preprocessing: `{record.preprocessing}`, SHA-256 `{record.preprocessing_sha256}`", "")
    if "pictures_sha256" in training:
        yield from (
            f"Pictures learnt from, their names and bytes: SHA-256 `{training['pictures_sha256']}`",
            "",
        )


def _confound(found: Mapping[str, Any]) -> str:
    parts = [] if found["confound"] else [SAME_SOURCE]
    if found["confound"] or found.get("heat"):
        parts.append(_table("Check", {**found["confound"], **found.get("heat", {})}))
    return "\n\n".join(parts)


def _table(title: str, values: Mapping[str, Any]) -> str:
    rows = [
        f"| {name.replace('_', ' ')} | {_shown(value)} |" for name, value in values.items() if value != {}
    ]
    return "\n".join([f"| {title} | |", "| --- | --- |", *rows])


def _shown(value: Any) -> str:
    if isinstance(value, Mapping) and "low" in value:
        return figure_words(value)
    if isinstance(value, float) and 0 < value < 1:
        return f"{value:.3f}" if value >= FINE else f"{value:g}"
    return str(value)


def _figures(found: Mapping[str, Any]) -> str:
    parts = [part for part in ("held_out", "held_out_phantoms") if part in found]
    names = {"held_out": "Real pictures", "held_out_phantoms": "Phantoms"}
    rows = [f"| Figure | {' | '.join(names[part] for part in parts)} |", "| --- " * (len(parts) + 1) + "|"]
    for name in ("auc", "sensitivity", "specificity", "accuracy"):
        shown = " | ".join(figure_words(found[part][name]) for part in parts)
        rows.append(f"| {name if name != 'auc' else 'AUC'} | {shown} |")
    errors = " | ".join(f"{found[part]['calibration_error']:.3f}" for part in parts)
    return "\n".join([*rows, f"| calibration error | {errors} |"])
