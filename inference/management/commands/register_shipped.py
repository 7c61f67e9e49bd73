"""Register the model versions that come with Ventra, and seat those whose seat was never taken."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext_noop

from blobs import store
from inference import registry
from inference.engine import catalogue
from inference.engine.records import WeightsRecord
from inference.models import ModelVersion

WORTH_SEATING = 0.7
"""Lower end of the AUC's interval on held-out groups; a weaker version comes into use by a person only."""


def worth_seating(record: WeightsRecord) -> bool:
    """Whether a shipped version answers from the start."""
    low = record.card.get("held_out", {}).get("auc", {}).get("low")
    return low is not None and low >= WORTH_SEATING


class Command(BaseCommand):
    help = (
        "Register the shipped model versions; activate those worth it whose seat was never taken. "
        "Safe to repeat: whatever people have decided since stays."
    )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        for one in catalogue.all_shipped():
            try:
                self._settle(one)
            except (ValueError, OSError) as fault:  # VersionExists, BlobUnavailable: no reason not to start
                self.stderr.write(f"{one.record.name} was left out: {fault}")

    def _settle(self, one: catalogue.Shipped) -> None:
        version = registry.register(one.record, one.content, by=None)
        if version.state == ModelVersion.State.QUARANTINED:
            store.put(one.content())  # its bytes are right again, for whoever takes it back
            self.stderr.write(
                f"{version} is quarantined: it answers nobody until a model manager takes it back."
            )
        elif worth_seating(one.record) and not registry.was_taken(version.modality, version.network):
            reason = gettext_noop("Shipped with Ventra; the seat was empty.")
            registry.activate(version, by=None, reason=reason)
            self.stdout.write(f"{version} answers from now on.")
