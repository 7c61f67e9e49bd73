"""Register the model versions that come with Ventra, and seat those that meet the rule where nobody sat."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext_noop

from blobs import store
from inference.engine import catalogue
from inference.engine.fitness.seating import Seat, all_seats
from inference.models import ModelVersion
from inference.registry import fitness
from inference.registry import service as registry
from refusals import Refusal


class Command(BaseCommand):
    help = (
        "Register the shipped model versions; activate those that meet the rule for use, where their seat "
        "was never taken; where none of a modality does, those worth showing, marked experimental. Safe to "
        "repeat: whatever people have decided since stays."
    )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        registered = {}
        for one in catalogue.all_shipped():
            try:
                registered[one.record.name] = self._registered(one)
            except (Refusal, ValueError, OSError) as fault:  # no reason not to start
                self.stderr.write(f"{one.record.name} was left out: {fault}")
        for seat in all_seats():
            if version := registered.get(seat.record.name):
                self._settle(version, seat)
        for version in fitness.review():
            self.stderr.write(f"{version} is in use and does not meet the rule for use.")

    def _registered(self, one: catalogue.Shipped) -> ModelVersion:
        version = registry.register(one.record, one.content, by=None)
        if version.state == ModelVersion.State.QUARANTINED:
            store.put(one.content())  # its bytes are right again, for whoever takes it back
            self.stderr.write(
                f"{version} is quarantined: it answers nobody until a model manager takes it back."
            )
        registry.renew(version, one.record.card)
        return version

    def _settle(self, version: ModelVersion, seat: Seat) -> None:
        is_free = not registry.was_taken(version.modality, version.network)
        if not is_free or version.state not in registry.ACTIVATABLE:
            return
        if seat.fitness.holds:
            registry.activate(
                version, by=None, reason=gettext_noop("Shipped with Ventra; the seat was empty.")
            )
            self.stdout.write(f"{version} answers from now on.")
        elif not registry.fit_versions(version.modality):
            reason = gettext_noop(
                "Shipped with Ventra; the seat was empty. No version that meets the rule for use is at hand, "
                "so its answers are experimental."
            )
            registry.activate(version, by=None, reason=reason)
            self.stdout.write(f"{version} answers from now on; its answers are experimental.")
