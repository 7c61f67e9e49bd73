"""How long the worklist and a case page take when a hospital has very many cases.

    python bench/worklist.py [--cases 1000 1000000] [--looks 60] [--json]

Starts a PostgreSQL of its own, fills it with copies of one answered case (cases.seeding; one in a thousand
open, the others signed), and asks the pages through Django, middleware and templates included. Printed:
median and 95th percentile in milliseconds for each size, and the ratio of the greatest to the least.
"""

import argparse
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "platform"), str(ROOT / "tests")]

from launcher import servers  # noqa: E402  # the source roots come first

ASKED = {
    "to do, most urgent": "/",
    "to do, longest waiting": "/?order=oldest",
    "any stage, newest": "/?stage=any&order=newest",
    "any stage, most urgent": "/?stage=any",
    "mine": "/?mine=on",
    "by number": "/?q=S0000000005",
    "older": "/?stage=any&order=newest&after={older}",
}


def main() -> None:
    options = parser().parse_args()
    with servers.throwaway() as started, TemporaryDirectory(prefix="ventra-bench-") as folder:
        os.environ |= started.environment
        os.environ |= {"SECRET_KEY": secrets.token_urlsafe(64), "SECURE_SSL": "0", "LOG_LEVEL": "ERROR"}
        os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "BLOB_ROOT": f"{folder}/blobs"}
        os.environ["STATIC_ROOT"] = f"{folder}/static"
        found = measured(options)
    ratios = {
        name: round(found[-1]["pages"][name]["p95"] / found[0]["pages"][name]["p95"], 2)
        for name in found[0]["pages"]
    }
    print(json.dumps({"sizes": found, "p95_ratio": ratios}, indent=None if options.json else 2))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--cases", nargs="+", type=int, default=[1000, 1_000_000])
    made.add_argument("--looks", type=int, default=60)
    made.add_argument("--json", action="store_true", help="one line")
    return made


def measured(options: argparse.Namespace) -> list[dict[str, Any]]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    case, client = prepared()
    found, there = [], 0
    for size in sorted(options.cases):
        started = time.perf_counter()
        call_command("seed", case.number, str(size - there), "--first", str(there + 1), verbosity=0)
        there = size
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        seconds = time.perf_counter() - started
        print(f"{size} cases after {seconds:.0f} s", file=sys.stderr, flush=True)
        pages = dict(pages_of(client, case, options.looks))
        found.append({"cases": size, "pages": pages})
    return found


def prepared() -> Any:
    """The case that is copied, and a browser in which its reader is logged in."""
    import answers
    from django.core.files.base import ContentFile
    from django.test import Client

    from cases import demo, intake
    from cases.models import Case
    from inference.engine import catalogue
    from inference.models import Job
    from inference.phantom import render, sample_spec
    from inference.registry import service as registry

    department = demo.people()
    one = catalogue.newest("cnn", "ultrasound")
    version = registry.register(one.record, one.content, by=None)
    registry.activate(version, by=None, reason="bench")
    reader = demo.reader_of(department)
    case, _ = demo.opened(reader, department, "BENCH-1", 171, "Synthetic.")
    picture = render(sample_spec(np.random.default_rng(1), label="ventriculomegaly"), "ultrasound", seed=1)
    intake.receive(case, ContentFile(picture.png()), modality="ultrasound", by=reader, file_name="a.png")
    answers.answer(Job.objects.get(kind=Job.Kind.PREDICT))
    client = Client(headers={"Host": "localhost"})
    client.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    return Case.objects.get(pk=case.pk), client


def pages_of(client: Any, case: Any, looks: int) -> Iterator[tuple[str, dict[str, float]]]:
    from cases.models import Case

    older = Case.objects.order_by("-opened_at", "-pk")[500].pk
    addresses = {name: address.format(older=older) for name, address in ASKED.items()}
    for name, address in {**addresses, "case": case.get_absolute_url()}.items():
        yield name, times(client, address, looks)


def times(client: Any, address: str, looks: int) -> dict[str, float]:
    seconds = []
    for _ in range(looks + 3):
        started = time.perf_counter()
        response = client.get(address)
        seconds.append(1000 * (time.perf_counter() - started))
        assert response.status_code == 200, address
    kept = seconds[3:]
    return {"median": round(float(np.median(kept)), 1), "p95": round(float(np.percentile(kept, 95)), 1)}


if __name__ == "__main__":
    main()
