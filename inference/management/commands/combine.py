"""Make registered versions answer as one: an ensemble, registered as evaluated, that answers nobody yet."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from blobs import store
from blobs.store import BlobCorrupt, BlobUnavailable
from digests import sha256_hex
from inference.engine.weights.ensemble_file import composed
from inference.formats.stack import MODALITIES
from inference.models import ModelVersion
from inference.registry import service as registry
from inference.results import store as results
from inference.training.cards.card_page import figure_words
from inference.training.cards.combined import combined
from inference.training.evaluation.calibrate import target_of
from refusals import Refusal


class Command(BaseCommand):
    help = "Make registered versions answer as one: their calibrated log-odds, averaged (docs/training.md)."

    def create_parser(self, *args: Any, **options: Any) -> CommandParser:
        """Django's own --version gives way to the version that is made."""
        return super().create_parser(*args, conflict_handler="resolve", **options)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("members", nargs="+", metavar="NETWORK:VERSION")
        parser.add_argument("--modality", required=True, choices=list(MODALITIES))
        parser.add_argument("--version", required=True, help="dotted numbers")
        parser.add_argument(
            "--target", default="sensitivity=0.9", help="sensitivity=SHARE or specificity=SHARE"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        members = [_version(name, options["modality"]) for name in options["members"]]
        records = [results.weights_record_of(member) for member in members]
        command = f"manage.py combine {' '.join(options['members'])} --modality {options['modality']}"
        try:
            weights = [store.read(member.weights_sha256) for member in members]
            content = composed(list(zip(records, weights, strict=True)))
            record = combined(
                records,
                sha256_hex(content),
                version=options["version"],
                target=target_of(options["target"]),
                command=f"{command} --version {options['version']} --target {options['target']}",
            )
            version = registry.register(record, lambda: content, by=None)
        except (BlobCorrupt, BlobUnavailable) as fault:
            raise CommandError(str(fault)) from fault
        except (Refusal, ValueError) as refused:  # members that differ, a version or a target that is none
            raise CommandError(str(refused)) from refused
        words = figure_words(record.card["held_out"]["auc"])
        self.stdout.write(f"{version} is registered: AUC on held-out groups {words}.")


def _version(name: str, modality: str) -> ModelVersion:
    network, _, version = name.partition(":")
    found = ModelVersion.objects.filter(network=network, modality=modality, version=version).first()
    if found is None:
        raise CommandError(f"No version {name} for {modality} is registered.")
    return found
