"""Run a stored answer and its explanations again: identical, within tolerance, or different, and by what."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from blobs.store import BlobUnavailable
from inference.engine.weights.loaded_model import configure
from inference.models import Prediction
from inference.results.reproduce import reproduce


class Command(BaseCommand):
    help = "Run a stored answer and its explanations again and compare (docs/explanations.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("prediction", type=UUID)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        prediction = Prediction.objects.filter(pk=options["prediction"]).first()
        if prediction is None:
            raise CommandError(f"There is no answer {options['prediction']}.")
        configure(settings.ENGINE_THREADS)
        try:
            found = reproduce(prediction, by=None)
        except BlobUnavailable as fault:
            raise CommandError(f"Nothing can be compared now: {fault}.") from fault
        for one in found.verdicts:
            first = f" ({one['first']})" if one["first"] else ""
            self.stdout.write(f"{one['subject']}: {one['verdict']}{first}")
        if found.verdict == "different":
            raise CommandError("Not reproduced.")
