"""What this installation is: every start asks, the first one decides."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import installation
from config.ownership import make_own


class Command(BaseCommand):
    help = (
        "Say what this installation is. An empty one becomes the demo, unless it is one of your own (--own): "
        "then the demo never comes, and nobody keeps its published password."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--own", action="store_true", help="no demo: now, and at every later start")
        parser.add_argument("--data", type=Path, help="demo cases from a folder with labels.csv")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        if not options["own"] and installation.may_be_demo():
            call_command("demo", data=options["data"], stdout=self.stdout, stderr=self.stderr)
            return
        if options["data"]:
            raise CommandError("This is no demo: pictures for one have no place here.")
        for user in make_own():
            self.stdout.write(f"{user} had the demo's published password: nobody can log in with it now.")
        if not installation.administrators():
            self.stdout.write(
                "Nobody can manage accounts yet. The first administrator is made by: "
                "./manage first_administrator NAME"
            )
