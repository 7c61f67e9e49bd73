"""What benches of the whole platform share: an installation that ends with them, and its worker."""

import os
import secrets
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "platform"), str(ROOT / "tests")]

from launcher import servers, services  # noqa: E402  # the source roots come first
from launcher.processes import Process  # noqa: E402


@contextmanager
def installed() -> Iterator[Path]:
    """A PostgreSQL, a Valkey, a database that is up to date, and a folder for all else."""
    with servers.throwaway() as started, TemporaryDirectory(prefix="ventra-bench-") as folder:
        own = {"SECRET_KEY": secrets.token_urlsafe(64), "SECURE_SSL": "0", "LOG_LEVEL": "WARNING"}
        own |= {"DJANGO_SETTINGS_MODULE": "config.settings", "BLOB_ROOT": f"{folder}/blobs"}
        own |= {"WORK_ROOT": f"{folder}/work", "OMP_NUM_THREADS": "1"}
        os.environ |= started.environment | own
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        Path(os.environ["WORK_ROOT"]).mkdir()
        yield Path(folder)


def activated(shipped: Sequence[Any]) -> list[str]:
    """Shipped versions, registered and in use: their names."""
    from inference.registry import service as registry

    for one in shipped:
        version = registry.register(one.record, one.content, by=None)
        registry.activate(version, by=None, reason="bench")
    return [one.record.name for one in shipped]


def readers() -> tuple[Any, Any]:
    from cases import demo

    department = demo.people()
    return demo.reader_of(department), department


def pictures(folder: Path | None) -> Iterator[tuple[str, bytes]]:
    """Name and content, none twice; phantoms without a folder, and after the last of it."""
    from inference.phantom import render, sample_spec

    files = sorted(folder.rglob("*.png")) if folder else []
    np.random.default_rng(1).shuffle(files)
    for path in files:
        yield path.name, path.read_bytes()
    for seed in range(1_000_000):
        spec = sample_spec(np.random.default_rng(seed), label=("normal", "ventriculomegaly")[seed % 2])
        yield f"{seed}.png", render(spec, "ultrasound", seed=seed).png()


@contextmanager
def working(processes: int, folder: Path) -> Iterator[Any]:
    """A worker; the processes that compute in it, asked for."""
    worker = Process(services.worker(os.environ, folder / "worker.log", processes=processes))
    try:
        while len(children(worker.pid)) < processes:
            time.sleep(0.1)
        yield lambda: children(worker.pid)
    finally:
        worker.stop()


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def held(pid: int) -> int:
    """MiB that a process holds for itself, with its share of what is shared."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) // 1024


def await_all(jobs: Any) -> None:
    """Until none of them waits or runs."""
    while jobs.filter(state__in=["queued", "running"]).exists():
        time.sleep(0.2)


def awaited(images: Sequence[Any]) -> Any:
    """The jobs that are timed: answers, and their Grad-CAMs."""
    from django.db.models import Q

    from inference.models import Job

    kinds = Q(kind="predict") | Q(kind="explain", parameters__method="gradcam")
    return Job.objects.filter(kinds, image__in=images)


@contextmanager
def woken() -> Iterator[None]:
    """What waits is told to the worker while this lasts."""
    from inference.jobs import waking

    over = threading.Event()
    thread = threading.Thread(target=waking.keep_waking, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
