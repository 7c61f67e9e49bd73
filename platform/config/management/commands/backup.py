"""Putting the installation away."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.backups.take import take
from refusals import Refusal


class Command(BaseCommand):
    help = "Put database and stored files away, as of one moment, while work goes on (docs/operations.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folder", type=Path, help="where backups are kept; it holds each stored file once"
        )
        parser.add_argument("--keep", type=_positive, metavar="N", help="remove all but the newest N backups")
        parser.add_argument(
            "--check", action="store_true", help="compare what was put away before byte by byte"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        try:
            taken, manifest = take(
                options["folder"], keep=options["keep"], check=options["check"], report=self.stderr.write
            )
        except Refusal as refusal:
            raise CommandError(f"{refusal} ({refusal.code})") from refusal
        self.stdout.write(str(taken))
        if manifest.faults:
            raise CommandError(
                f"{len(manifest.faults)} stored files could not be put away; everything else was."
            )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
