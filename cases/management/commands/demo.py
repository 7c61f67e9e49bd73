"""Fill an empty Ventra with plainly synthetic departments, people and cases."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cases import demo
from refusals import Refusal


class Command(BaseCommand):
    help = "Create the demo's department, users and cases, in an empty database or a demo. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, help="a folder of real pictures with labels.csv")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        try:
            department = demo.people()
        except Refusal as refused:
            raise CommandError(str(refused)) from refused
        demo.phantom_cases(department)
        if options["data"]:
            self.stdout.write(f"Reading the pictures of {options['data']}; half a second each.")
            self.stdout.flush()
            skipped = demo.picture_cases(department, options["data"])
            for line in skipped:
                self.stderr.write(line)
        self.stdout.write(demo.login_table())
