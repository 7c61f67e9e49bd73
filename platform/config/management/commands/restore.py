"""Bringing a backup back."""

import json
import tempfile
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.backups.restore import restore
from refusals import Refusal


class Command(BaseCommand):
    help = "Bring a backup back into an empty installation, and prove that it is whole (docs/operations.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", type=Path, help="the folder that `backup` has printed")
        parser.add_argument(
            "--without-damaged",
            action="store_true",
            help="leave out stored files that are missing or changed",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        try:
            manifest = restore(
                options["backup"], without_damaged=options["without_damaged"], report=self.stderr.write
            )
        except Refusal as refusal:
            raise CommandError(f"{refusal} ({refusal.code})") from refusal
        with tempfile.NamedTemporaryFile("w", suffix=".json") as anchor:
            json.dump(manifest.heads, anchor)
            anchor.flush()
            call_command("verify", anchor=Path(anchor.name), stdout=self.stdout, stderr=self.stderr)
