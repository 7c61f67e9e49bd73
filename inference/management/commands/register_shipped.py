"""Register the model versions that come with Ventra, and seat those whose seat is empty."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext_noop

from inference import registry
from inference.engine import catalogue
from inference.engine.records import WeightsRecord

WORTH_SEATING = 0.7
"""Lower end of the AUC's interval on held-out groups; a weaker version comes into use by a person only."""


def worth_seating(record: WeightsRecord) -> bool:
    """Whether a shipped version answers from the start."""
    low = record.card.get("held_out", {}).get("auc", {}).get("low")
    return low is not None and low >= WORTH_SEATING


class Command(BaseCommand):
    help = "Register the shipped model versions; activate those worth it whose seat is empty. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        for one in catalogue.shipped():
            version = registry.register(one.record, one.content, by=None)
            is_empty = (version.modality, version.network) not in registry.seats()
            if is_empty and worth_seating(one.record):
                reason = gettext_noop("Shipped with Ventra; the seat was empty.")
                registry.activate(version, by=None, reason=reason)
                self.stdout.write(f"{version} answers from now on.")
