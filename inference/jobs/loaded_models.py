"""Networks in a worker's child: the one door to what computes, and the versions that were loaded lately."""

import logging
import time
import uuid
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from django.conf import settings

from blobs import store
from blobs.store import BlobCorrupt
from inference.jobs import presence
from inference.models import ModelVersion
from inference.results import store as results

if TYPE_CHECKING:
    from inference.engine.versions import Model

logger = logging.getLogger(__name__)


class ModelIntegrity(Exception):
    """The version's weights no longer match their hash."""


def model_of(version: ModelVersion) -> "Model":
    """The version, ready to answer. Raises ModelIntegrity."""
    mismatch: type[Exception] = engine().loaded_model.WeightsMismatch
    try:
        return _loaded(version.pk)
    except (BlobCorrupt, mismatch) as fault:
        raise ModelIntegrity(f"{version}: {fault}") from fault


@lru_cache(maxsize=12)
def _loaded(version_id: uuid.UUID) -> "Model":
    version = ModelVersion.objects.select_related("weights").get(pk=version_id)
    parts = engine()
    started = time.monotonic()
    weights = store.read(version.weights_sha256)
    model: Model = parts.versions.load(
        results.weights_record_of(version), weights, device=parts.device.best()
    )
    presence.runs_on(str(model.device))
    logger.info("Loaded %s on %s in %.2f s", version, model.device, time.monotonic() - started)
    return model


def forget_models() -> None:
    """Drop every loaded network, so that the next job loads it again."""
    _loaded.cache_clear()


@lru_cache(maxsize=1)
def engine() -> ModuleType:
    """The one door to what computes, opened in the worker's child at its first job."""
    from inference.jobs import engine_parts

    engine_parts.loaded_model.configure(threads=settings.ENGINE_THREADS)
    drafts = Path(settings.WORK_ROOT) / "drafts"
    if not store.fault():
        with suppress(OSError):
            drafts.mkdir(parents=True, exist_ok=True)
    engine_parts.draft_cache.keep_in(drafts)
    return engine_parts
