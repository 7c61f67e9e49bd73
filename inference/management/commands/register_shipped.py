"""Register the model versions that come with Ventra, and seat those whose seat is empty."""

from typing import Any

from django.core.management.base import BaseCommand

from inference import registry
from inference.engine import catalogue


class Command(BaseCommand):
    help = "Register the shipped model versions; activate each whose seat is empty. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        for record, weights in catalogue.shipped():
            version = registry.register(record, weights, by=None)
            if (version.modality, version.network) not in registry.seats():
                registry.activate(version, by=None, reason="Shipped with Ventra; the seat was empty.")
                self.stdout.write(f"{version} answers from now on.")
