"""Check rows against blobs against the audit's chain."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from audit import rows, seals
from blobs import store
from cases import verification as record_verification
from cases.verification import KEPT
from inference.results import verify as verification

CHAINS = {"events": seals.EVENTS, "rows": seals.ROWS}


class Command(BaseCommand):
    help = "Prove that every blob, explanation and audit line is what it was; exit status 1 if not."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anchor", type=Path, help="a JSON file from --write-anchor, kept outside the database"
        )
        parser.add_argument("--write-anchor", type=Path, help="write the head of the audit's chain here")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        rows.catch_up(KEPT)
        seals.seal_all()
        faults = list(self.faults(_read(options["anchor"])))
        for fault in faults:
            self.stderr.write(fault)
        if options["write_anchor"]:
            options["write_anchor"].write_text(json.dumps(seals.heads()))
        if faults:
            raise CommandError(f"{len(faults)} faults")
        events, digests = (seals.head(chain)[0] for chain in CHAINS.values())
        self.stdout.write(
            f"Everything is what it was; the chain has {events} links, that of the rows {digests}."
        )

    def faults(self, anchors: dict[str, tuple[int, str]]) -> Iterator[str]:
        """One sentence for each fault, blobs first; the rest as of one moment, whatever is being written."""
        yield from store.corrupt()
        with _one_moment():
            yield from rows.untriggered(KEPT)
            yield from rows.faults(KEPT)
            yield from verification.faults()
            yield from record_verification.faults()
            for name, chain in CHAINS.items():
                for fault in seals.verify(anchor=anchors.get(name), chain=chain):
                    yield f"audit seal {fault.seal}, {chain.name} {fault.event}: {fault.reason}"


@contextmanager
def _one_moment() -> Iterator[None]:
    """Every query sees the database as it was at the first; within a transaction, that one's rules hold."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def _read(anchor: Path | None) -> dict[str, tuple[int, str]]:
    """By the name of its chain. An anchor from before rows had digests says nothing of theirs."""
    if anchor is None:
        return {}
    kept = json.loads(anchor.read_text())
    said = {"events": kept} | ({"rows": kept["rows"]} if "rows" in kept else {})
    return {name: (one["number"], one["hash"]) for name, one in said.items()}
