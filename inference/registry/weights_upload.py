"""A weights file from outside becomes a draft version, or a refusal that names its reason."""

import json
import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.models import User
from audit.trail import record
from blobs import store
from blobs.store import BlobUnavailable
from digests import sha256_hex
from inference.engine.records import LABELS, MEASURING_NETWORKS, WeightsRecord, settles
from inference.engine.weights.weights_file import inspect
from inference.formats.fork_server import ForkServer
from inference.formats.sandbox import child_environment
from inference.formats.stack import Modality
from inference.jobs import lease
from inference.jobs import state as jobs
from inference.jobs.lease import Claim
from inference.models import Job
from inference.registry import service as registry
from refusals import Refusal

FIRST_RUNS = ForkServer("inference.engine.weights.smoke", [], child_environment(), idle_seconds=30)
"""Ends soon: who uploads one file often uploads another."""
SECONDS = 90
ABANDONED_SECONDS = 7 * 24 * 3600
MAX_RECORD_BYTES = 1024 * 1024
NEEDS_RECORD = (
    "What measures needs its record: the least chance and the error that were settled with its weights."
)
UNCHOSEN = {"threshold": 0.5, "threshold_target": "not chosen on data", "temperature": 1.0}


def submit(network: str, modality: Modality, version: str, content: bytes, stated: bytes, *, by: User) -> Job:
    """Check what can be checked without running it, and queue the rest for a worker.

    stated: the record that training wrote beside the file, or b"". Raises Refusal, BlobUnavailable.
    """
    with _refusals_told(network, content, by):
        inspect(content)
        if network in MEASURING_NETWORKS and not stated.strip():
            raise Refusal("bad_record", NEEDS_RECORD)
        if len(stated) > MAX_RECORD_BYTES:
            raise Refusal("bad_record", "The record is larger than any that training writes.")
    _need_the_store()
    name = str(uuid.uuid4())
    _folder().mkdir(parents=True, exist_ok=True)
    (_folder() / name).write_bytes(content)
    parameters = {
        "network": network,
        "modality": modality,
        "version": version,
        "file": name,
        "weights": sha256_hex(content),
        "record": stated.decode("utf-8", "replace"),
    }
    return jobs.submit(Job.Kind.CHECK, requested_by=by, parameters=parameters)


def carry_out(held: Claim) -> None:
    """Run the waiting file once, and register it as a draft. Raises Refusal, and keeps nothing then."""
    asked, by = held.job.parameters, held.job.requested_by
    path = _folder() / asked["file"]
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        _need_the_store()
        raise Refusal("upload_lost", "The file is no longer here: upload it again.") from None
    lease.heartbeat([held], "running the network once")
    try:
        record_ = checked(
            asked["network"], asked["modality"], asked["version"], content, asked["record"].encode(), by=by
        )
        blob = store.put(content)
        with transaction.atomic():
            # Figures that somebody else states make a draft, until it is measured here.
            lease.finish(held, made=registry.register_blob(record_, blob, by=by, measured=False))
    except Refusal:
        path.unlink(missing_ok=True)
        raise
    path.unlink(missing_ok=True)


def checked(
    network: str, modality: Modality, version: str, content: bytes, stated: bytes, *, by: User | None
) -> WeightsRecord:
    """The record of a file that fits its network and runs. Raises Refusal; the audit hears of it."""
    with _refusals_told(network, content, by):
        inspect(content)
        run = _smoke_run(network, modality, content)
        found = _record(network, modality, version, content, stated, run)
        registry.refuse_taken(found)
    return found


@contextmanager
def _refusals_told(network: str, content: bytes, by: User | None) -> Iterator[None]:
    try:
        yield
    except Refusal as refused:
        record(
            "model.upload_refused", actor=by, code=refused.code, reason=refused.detail,
            network=network, sha256=sha256_hex(content),
        )  # fmt: skip
        raise


def _folder() -> Path:
    """Where uploads wait; each has a name of its own, so that the same file may come twice."""
    return Path(settings.WORK_ROOT) / "uploads"


def _need_the_store() -> None:
    """Uploads wait beside the blobs: without them none can be kept, and none is lost. BlobUnavailable."""
    if reason := store.fault():
        raise BlobUnavailable(reason)


def tidy() -> None:
    """Remove files of checks that were cancelled, or that nobody ever did."""
    for path in _folder().iterdir() if _folder().is_dir() else ():
        if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
            path.unlink(missing_ok=True)


def _smoke_run(network: str, modality: str, content: bytes) -> dict[str, Any]:
    """What the child found; a child that dies or takes too long is a refusal too."""
    with os.fdopen(os.memfd_create("weights"), "w+b") as given, tempfile.TemporaryFile() as answer:
        given.write(content)
        given.seek(0)
        FIRST_RUNS.run([network, modality], [given.fileno(), answer.fileno()], seconds=SECONDS)
        answer.seek(0)
        try:
            found: dict[str, Any] = json.loads(answer.read())
        except ValueError:
            raise Refusal(
                "smoke_failed", "A first run of the network with these weights did not end well."
            ) from None
    if "code" in found:
        raise Refusal(found["code"], found["detail"])
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
    found = adopted(own, stated) if stated.strip() else own
    if network in MEASURING_NETWORKS and not settles(network, found.card):
        raise Refusal("bad_record", NEEDS_RECORD)
    return found


def adopted(own: WeightsRecord, stated: bytes) -> WeightsRecord:
    """Threshold, temperature and card of a stated record of the same file; raises Refusal."""
    wrong = Refusal("bad_record", "The record is not one that training writes beside its weights.")
    try:
        told = WeightsRecord.from_json(stated)
        chosen = float(told.threshold), float(told.temperature)
    except (ValueError, TypeError):
        raise wrong from None
    if not (0 < chosen[0] < 1 and 0 < chosen[1] < 1000 and isinstance(told.card, dict)):
        raise wrong
    for name in ("network", "modality", "weights_sha256", "preprocessing", "preprocessing_sha256", "labels"):
        if getattr(told, name) != getattr(own, name):
            raise Refusal(
                "bad_record", f"The record names another {name.replace('_', ' ')} than this upload."
            )
    return replace(
        own,
        threshold=chosen[0],
        temperature=chosen[1],
        threshold_target=str(told.threshold_target)[:120],
        card=told.card,
    )
