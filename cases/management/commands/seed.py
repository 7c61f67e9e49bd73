"""Fill a demonstration department with very many copies of one case."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cases.models import Case
from cases.seeding import seed, template_of
from refusals import Refusal


class Command(BaseCommand):
    help = "Copy an answered case of a demonstration department COUNT times (see bench/worklist.py)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("case", help="its number")
        parser.add_argument("count", type=int)
        parser.add_argument("--first", type=int, default=1, help="the first copy's number")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        case = Case.objects.select_related("department", "patient").filter(number=options["case"]).first()
        if case is None:
            raise CommandError(f"There is no case {options['case']}.")
        try:
            seed(template_of(case), options["first"], options["first"] + options["count"] - 1)
        except Refusal as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{options['count']} copies of {case}.")
