"""Check rows against blobs against the audit's chain."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import seals
from blobs import store
from cases import verification as record_verification
from inference import verification


class Command(BaseCommand):
    help = "Prove that every blob, explanation and audit line is what it was; exit status 1 if not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anchor", type=Path, help="a JSON file from --write-anchor, kept outside the database"
        )
        parser.add_argument("--write-anchor", type=Path, help="write the head of the audit's chain here")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        while seals.seal(look_back=2**62):
            pass
        faults = list(self.faults(options["anchor"]))
        for fault in faults:
            self.stderr.write(fault)
        if options["write_anchor"]:
            number, hash_ = seals.head()
            options["write_anchor"].write_text(json.dumps({"number": number, "hash": hash_}))
        if faults:
            raise CommandError(f"{len(faults)} faults")
        self.stdout.write(f"Everything is what it was; the chain has {seals.head()[0]} links.")

    def faults(self, anchor: Path | None) -> Iterator[str]:
        """One sentence for each fault, blobs first."""
        yield from store.corrupt()
        yield from verification.faults()
        yield from record_verification.faults()
        for fault in seals.verify(anchor=_read(anchor)):
            yield f"audit seal {fault.seal}, event {fault.event}: {fault.reason}"


def _read(anchor: Path | None) -> tuple[int, str] | None:
    if anchor is None:
        return None
    kept = json.loads(anchor.read_text())
    return kept["number"], kept["hash"]
