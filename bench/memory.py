"""How much memory a worker's process holds, scan after scan.

    python bench/memory.py [--scans 400] [--step 20] [--mri FOLDER] [--data FOLDER] [--json]

Starts a PostgreSQL, a Valkey and a worker of one process. Every shipped version of both modalities is in use.
Scans come `--step` at a time, ultrasound and MRI in turns (pictures of DATA and volumes of MRI, else
phantoms); all are answered with their Grad-CAMs, two of each step with every LIME. After each step it is read
what the process holds. Printed: the curve in MiB, its slope over the second half in KiB a scan, and what the
process held before its first scan. Ends with 1 where it held more than 800 MiB.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from installation import activated, await_all, awaited, held, installed, pictures, readers, woken, working

MOST_MIB = 800


def main() -> int:
    options = parser().parse_args()
    with installed() as folder:
        found = measured(options, folder)
    print(json.dumps(found, indent=None if options.json else 2))
    return int(found["most_mib"] > MOST_MIB)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--scans", type=int, default=400)
    made.add_argument("--step", type=int, default=20)
    made.add_argument("--mri", type=Path, help="a folder of volumes, NIfTI")
    made.add_argument("--data", type=Path, help="a folder of ultrasound pictures, whatever lies in it")
    made.add_argument("--json", action="store_true", help="one line")
    return made


def measured(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    from inference.engine import catalogue

    activated(catalogue.all_shipped())
    reader, department = readers()
    files = in_turns(options)
    curve: list[tuple[int, int]] = []
    with working(1, folder) as processes:
        (idle,) = (held(process) for process in processes())
        for done in range(0, options.scans, options.step):
            images = received(reader, department, f"BENCH-{done}", files, options.step)
            finished(images)
            (process,) = processes()
            curve.append((done + options.step, held(process)))
            print(curve[-1], file=sys.stderr, flush=True)
    late = np.array(curve[len(curve) // 2 :], float)
    slope = 1024 * float(np.polyfit(late[:, 0], late[:, 1], 1)[0]) if len(late) > 1 else None
    most = max(mib for _, mib in curve)
    return {"idle_mib": idle, "most_mib": most, "kib_a_scan": slope, "curve": curve}


def in_turns(options: argparse.Namespace) -> Iterator[tuple[str, bytes, str]]:
    """Name, content and modality, none of ultrasound twice."""
    from inference.phantom import render, sample_spec

    volumes = sorted(options.mri.rglob("*.nii.gz")) if options.mri else []
    for number, (name, content) in enumerate(pictures(options.data)):
        yield name, content, "ultrasound"
        if volumes:
            path = volumes[number % len(volumes)]
            yield f"{number}.nii.gz", path.read_bytes(), "mri"
        else:
            spec = sample_spec(np.random.default_rng(number), label="normal")
            yield f"{number}-mri.png", render(spec, "mri", seed=number).png(), "mri"


def received(reader: Any, department: Any, number: str, files: Any, scans: int) -> list[Any]:
    """Two cases, one of each modality, with so many scans: their images."""
    from django.core.files.base import ContentFile

    from cases import demo, intake
    from refusals import Refusal

    cases = {
        modality: demo.opened(reader, department, f"{number}-{modality}", 171, "Synthetic.")[0]
        for modality in ("ultrasound", "mri")
    }
    images: list[Any] = []
    while len(images) < scans:
        name, content, modality = next(files)
        try:
            scan, _ = intake.receive(
                cases[modality], ContentFile(content), modality=modality, by=reader, file_name=name
            )
        except Refusal as refused:
            print(name, refused, file=sys.stderr)
        else:
            images.append(scan.image_id)
    return images


def finished(images: Sequence[Any]) -> None:
    """Waits until all is answered and mapped; of the LIMEs only those of the first two images are kept."""
    from inference.models import Job

    with woken():
        await_all(awaited(images))
        lime = Job.objects.filter(image__in=images, parameters__method="lime")
        lime.filter(state="queued").exclude(image__in=images[:2]).update(state="cancelled")
        await_all(Job.objects.filter(image__in=images))
    failed = Job.objects.filter(image__in=images, state="failed")
    assert not failed.exists(), list(failed.values_list("failure_code", "failure_detail"))


if __name__ == "__main__":
    sys.exit(main())
