"""Measure a registered or shipped version on a labelled folder; --store keeps the result with the version."""

from argparse import Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from blobs import store
from inference.engine.versions import Model, load
from inference.engine.weights.loaded_model import WeightsMismatch, configure
from inference.models import ModelVersion
from inference.registry import service as registry
from inference.results import store as results
from inference.training.cli import evaluate
from inference.training.data.groups import GroupLeak


class Command(BaseCommand):
    help = "Figures with intervals, calibration and confound checks of a version on a labelled folder."

    def add_arguments(self, parser: CommandParser) -> None:
        evaluate.add_arguments(parser)
        parser.add_argument(
            "--store", metavar="WORDS", help="keep the result with the registered version: what the data is"
        )
        parser.add_argument(
            "--learnt-from",
            action="store_true",
            help="the version has learnt from this source: kept, but no proof for the rule for use",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        chosen = Namespace(**options)
        configure(chosen.threads)
        version = _registered(chosen.model, chosen.modality)
        if chosen.store and version is None:
            raise CommandError(f"{chosen.model} is not registered, so nothing can be stored with it.")
        try:
            found = evaluate.measured(_loaded(version, chosen), chosen)
        except (WeightsMismatch, store.BlobCorrupt, GroupLeak, LookupError, OSError) as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(evaluate.table(found))
        if version and chosen.store:
            found["learnt_from"] = chosen.learnt_from
            registry.record_evaluation(version, found, data=chosen.store, by=None)
            self.stdout.write(f"Stored with {version}.")


def _registered(model: str, modality: str) -> ModelVersion | None:
    """The newest registered version of that name, if the name is one."""
    network, _, version = model.partition(":")
    found = ModelVersion.objects.filter(network=network, modality=modality)
    return (found.filter(version=version) if version else found).order_by("-created_at").first()


def _loaded(version: ModelVersion | None, chosen: Namespace) -> Model:
    """Quarantines a version whose file is not what it was."""
    if version is None:
        return load(*evaluate.named(chosen.model, chosen.modality))
    try:
        return load(results.weights_record_of(version), store.read(version.weights_sha256))
    except (WeightsMismatch, store.BlobCorrupt) as fault:
        registry.quarantine(version, reason=str(fault))
        raise
