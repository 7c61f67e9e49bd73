"""A weights file from outside becomes a draft version, or a refusal that names its reason."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

from django.db import transaction

from accounts.models import User
from audit.trail import record
from blobs import store
from inference import registry
from inference.engine.records import LABELS, WeightsRecord, sha256_hex
from inference.engine.weights_file import WeightsRefused, inspect
from inference.formats.sandbox import child_environment
from inference.formats.stack import Modality
from inference.models import ModelVersion

SECONDS = 90
UNCHOSEN = {"threshold": 0.5, "threshold_target": "not chosen on data", "temperature": 1.0}


def upload(
    network: str, modality: Modality, version: str, content: bytes, stated: bytes, *, by: User
) -> ModelVersion:
    """Check, run once in a child, store, register as a draft. Nothing is kept of a refused file.

    stated: the record that training wrote beside the file, or b"". Raises WeightsRefused.
    """
    try:
        inspect(content)
        run = _smoke_run(network, modality, content)
        record_ = _record(network, modality, version, content, stated, run)
        return _register(record_, content, by=by)
    except registry.VersionExists as taken:
        refused = WeightsRefused("version_exists", str(taken))
    except WeightsRefused as refusal:
        refused = refusal
    record(
        "model.upload_refused", actor=by, code=refused.code, reason=refused.detail,
        network=network, sha256=sha256_hex(content),
    )  # fmt: skip
    raise refused


def _register(record_: WeightsRecord, content: bytes, *, by: User) -> ModelVersion:
    """The blob first; a version whose figures somebody else states is a draft until it is measured here."""
    blob = store.put(content)
    with transaction.atomic():
        return registry.register_blob(record_, blob, by=by, measured=False)


def _smoke_run(network: str, modality: str, content: bytes) -> dict[str, Any]:
    """What the child found; a child that dies or takes too long is a refusal too."""
    command = [sys.executable, "-B", "-P", "-m", "inference.engine.smoke", network, modality]
    failed = WeightsRefused("smoke_failed", "A first run of the network with these weights did not end well.")
    try:
        done = subprocess.run(
            command, input=content, capture_output=True, env=child_environment(), timeout=SECONDS, check=False
        )
        found: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        raise failed from None
    if "code" in found:
        raise WeightsRefused(found["code"], found["detail"])
    return found


def _record(
    network: str, modality: Modality, version: str, content: bytes, stated: bytes, run: dict[str, Any]
) -> WeightsRecord:
    """The record of what was uploaded: who states one must state this very file and use."""
    own = WeightsRecord(
        network=network,
        version=version,
        modality=modality,
        weights_sha256=sha256_hex(content),
        preprocessing=run["preprocessing"],
        preprocessing_sha256=run["preprocessing_sha256"],
        labels=LABELS,
        **UNCHOSEN,  # type: ignore[arg-type]  # a mapping of mixed types
    )
    return adopted(own, stated) if stated.strip() else own


def adopted(own: WeightsRecord, stated: bytes) -> WeightsRecord:
    """Threshold, temperature and card of a stated record of the same file; raises WeightsRefused."""
    wrong = WeightsRefused("bad_record", "The record is not one that training writes beside its weights.")
    try:
        told = WeightsRecord.from_json(stated)
        chosen = float(told.threshold), float(told.temperature)
    except (ValueError, TypeError):
        raise wrong from None
    if not (0 < chosen[0] < 1 and 0 < chosen[1] < 1000 and isinstance(told.card, dict)):
        raise wrong
    for name in ("network", "modality", "weights_sha256", "preprocessing", "preprocessing_sha256", "labels"):
        if getattr(told, name) != getattr(own, name):
            raise WeightsRefused(
                "bad_record", f"The record names another {name.replace('_', ' ')} than this upload."
            )
    return replace(
        own,
        threshold=chosen[0],
        temperature=chosen[1],
        threshold_target=str(told.threshold_target)[:120],
        card=told.card,
    )
