"""Train a network from labelled folders, and register what came of it if asked."""

from argparse import Namespace
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser

from inference.engine import catalogue
from inference.registry import service as registry
from inference.training.cards.card_page import figure_words
from inference.training.cli import train
from inference.training.cli.options import add_arguments
from inference.training.fitting.progress import shown_on


class Command(BaseCommand):
    help = "Train a network on folders of labelled scans (docs/training.md). After Ctrl-C the same goes on."

    def create_parser(self, *args: Any, **options: Any) -> CommandParser:
        """Django's own --version gives way to the version that is made."""
        return super().create_parser(*args, conflict_handler="resolve", **options)

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)
        parser.add_argument("--register", action="store_true", help="what came of it; it answers nobody yet")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        chosen = Namespace(**options)
        try:
            with shown_on(cast(TextIO, self.stdout)) as report:
                records = train.train(chosen, report)
        except train.REFUSALS as refused:
            raise CommandError(str(refused)) from refused
        except KeyboardInterrupt:
            raise CommandError(train.STOPPED, returncode=130) from None
        for record in records:
            words = figure_words(record.card["held_out"]["auc"])
            self.stdout.write(f"{record.modality}: AUC on held-out groups {words}")
            if chosen.register:
                weights = catalogue.weights_of(record, chosen.out)
                version = registry.register(record, weights.read_bytes, by=None)
                self.stdout.write(f"{version} is registered.")
