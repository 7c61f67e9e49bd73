"""`python -m inference.training.cli.results`: the table of results, out of the cards of the shipped versions.

With --write it replaces the block between the marks in README.md; a test holds the two together.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from inference.engine import catalogue
from inference.engine.fitness.by_source import least
from inference.engine.records import WeightsRecord
from inference.training.cards.card_page import markdown
from inference.training.evaluation.curves import answers
from inference.training.evaluation.figures import difference

BEGIN, END = "<!-- results -->", "<!-- end of results -->"
README = Path(__file__).resolve().parents[3] / "README.md"
CARDS = README.parent / "docs" / "models"
BASELINE = "cnn"


def main(arguments: Sequence[str], out: TextIO) -> int:
    """Print the table, or write it into the README and each verdict onto its card."""
    parser = argparse.ArgumentParser(prog="python -m inference.training.cli.results", description=__doc__)
    parser.add_argument("--write", action="store_true", help="into README.md and the cards")
    if parser.parse_args(arguments).write:
        write_verdicts()
        README.write_text(with_table(README.read_text(), table()))
    else:
        out.write(table() + "\n")
    return 0


def write_verdicts() -> None:
    """Say on every shipped card how the network does beside the baseline."""
    records = [one.record for one in catalogue.shipped()]
    for record in records:
        said = {**record.card, "against_baseline": _verdict(record, records)}
        if "confound_odds" in said:
            checks = {**said["confound"], "border_removed_minus_whole": _without_border(record)}
            said["confound"] = dict(sorted(checks.items()))  # as a record keeps them
        with_verdict = replace(record, card=said)
        (catalogue.SHIPPED / f"{record.name}.json").write_bytes(with_verdict.to_json())
        (CARDS / f"{record.name}.md").write_text(markdown(with_verdict, beside(record, records)))


def beside(record: WeightsRecord, records: Sequence[WeightsRecord]) -> list[WeightsRecord]:
    """The shipped versions that answer the same scans."""
    return [one for one in records if one.modality == record.modality and one.name != record.name]


def _verdict(record: WeightsRecord, records: list[WeightsRecord]) -> str:
    baseline = _baseline(record, records)
    if baseline is None:
        return f"{BASELINE} is the baseline that other networks are compared with."
    return (
        f"AUC minus that of {baseline.network} {baseline.version} on the same held-out pictures: "
        f"{_against(record, baseline)}."
    )


def _without_border(record: WeightsRecord) -> dict[str, float | None]:
    """What the AUC loses when the border is painted over; below 0 is a loss."""
    truth, chances, groups = answers(record.card["held_out_answers"])
    removed = np.asarray(record.card["confound_odds"]["border_removed"])
    return difference(truth, removed, chances, groups).as_json()


def with_table(text: str, found: str) -> str:
    """The text with the block between the marks replaced."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{found}\n{END}{after}"


def table() -> str:
    """Markdown: a line for each shipped version, and how it compares with the baseline's answers."""
    records = [one.record for one in catalogue.shipped()]
    lines = [
        "| | worst source left out: not alarmed | wide ventricles found, by case | AUC | sensitivity "
        "| specificity | AUC minus baseline |",
        "|---|---|---|---|---|---|---|",
    ]
    ordered = sorted(records, key=lambda record: (record.modality == "mri", _place(record.network)))
    return "\n".join([*lines, *(_line(record, _baseline(record, records)) for record in ordered)])


def _place(network: str) -> int:
    order = (BASELINE, "modified_cnn", "vgg16", "resnet18", "resnet50", "ensemble")
    return order.index(network) if network in order else len(order)


def _line(record: WeightsRecord, baseline: WeightsRecord | None) -> str:
    held = record.card["held_out"]
    figures = " | ".join(_words(held[name]) for name in ("auc", "sensitivity", "specificity"))
    page = f"docs/models/{record.name}.md"
    name = f"[{record.modality}, `{record.network}`]({page})"
    return f"| {name} | {_left_out(record)} | {_shown(record)} | {figures} | {_against(record, baseline)} |"


def _left_out(record: WeightsRecord) -> str:
    """The source of normals, none of whose hospital was learnt from, that is alarmed most."""
    worst = least(record.card, "specificity", label="normal")
    return f"{_words(worst)}, {worst['source']}" if worst else "not measured"


def _shown(record: WeightsRecord) -> str:
    """Of ventriculomegaly that shows a wide ventricle, none of it learnt from."""
    found = least(
        record.card, "sensitivity", label="ventriculomegaly", shown_only=True, unit="case"
    ) or least(record.card, "sensitivity", label="ventriculomegaly")
    return _words(found) if found else "not measured"


def _words(figure: Mapping[str, Any]) -> str:
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"


def _baseline(record: WeightsRecord, records: list[WeightsRecord]) -> WeightsRecord | None:
    found = (r for r in records if r.network == BASELINE and r.modality == record.modality)
    return None if record.network == BASELINE else next(found, None)


def _against(record: WeightsRecord, baseline: WeightsRecord | None) -> str:
    """The difference in words: only an interval that leaves out 0 says that one is better."""
    if baseline is None:
        return "baseline"
    truth, chances, groups = answers(record.card["held_out_answers"])
    same, others, _ = answers(baseline.card["held_out_answers"])
    if not np.array_equal(truth, same):
        return "not comparable: other pictures"
    found = difference(truth, chances, others, groups)
    verdict = "beats it" if found.low > 0 else "is beaten" if found.high < 0 else "not settled"
    return f"{found.value:+.3f} ({found.low:+.3f} to {found.high:+.3f}): {verdict}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
