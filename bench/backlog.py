"""What the platform adds to the engine: a backlog of scans, and a plain loop over the same engine.

    python bench/backlog.py [--scans 100] [--rounds 3] [--alone 15] [--networks cnn modified_cnn atrium]
                            [--processes 2] [--data FOLDER] [--json]

Starts a PostgreSQL, a Valkey and a worker of its own. Each round takes in that many ultrasound pictures (of
FOLDER, else phantoms; none twice), sets the worker on them until every version has answered and every
Grad-CAM is stored, then lets a plain loop do the same with as many processes: prepare, classify, check the
quality, Grad-CAM, keep nothing. Both are warm. Printed: seconds of both, their ratio, the median of the
rounds, how long a scan that comes alone waits for its first and its last answer, and how many MiB a process
of the worker holds. Taking the files in is not timed; LIME is left out.
"""

import argparse
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from installation import activated, await_all, awaited, held, installed, pictures, readers, woken, working

WARM = 8
"""Scans before the first round, in each process of both."""


def main() -> None:
    options = parser().parse_args()
    with installed() as folder:
        found = measured(options, folder)
    print(json.dumps(found, indent=None if options.json else 2))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--scans", type=int, default=100)
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--alone", type=int, default=15, help="scans that come one by one")
    made.add_argument("--networks", nargs="+", default=["cnn", "modified_cnn", "atrium"])
    made.add_argument("--processes", type=int, default=2)
    made.add_argument("--data", type=Path, help="a folder of ultrasound pictures, whatever lies in it")
    made.add_argument("--json", action="store_true", help="one line")
    return made


def measured(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    from inference.engine import catalogue

    newest = [catalogue.newest(network, "ultrasound") for network in options.networks]
    records = activated(newest)
    reader, department = readers()
    names = pictures(options.data)
    rounds: list[dict[str, float]] = []
    with loop(records, options.processes) as looped, working(options.processes, folder) as processes:
        warm = received(reader, department, "WARM", names, WARM * options.processes)
        backlog(warm)
        looped(stacks_of(warm))
        for number in range(options.rounds):
            images = received(reader, department, f"BENCH-{number}", names, options.scans)
            platform = backlog(images)
            plain = looped(stacks_of(images))
            rounds.append({"platform": platform, "loop": plain, "ratio": plain / platform})
            print(rounds[-1], file=sys.stderr, flush=True)
        lone = alone(reader, department, names, options.alone)
        mib = [held(process) for process in processes()]
    middle = {name: round(statistics.median(one[name] for one in rounds), 3) for name in rounds[0]}
    said = {"scans": options.scans, "networks": options.networks, "processes": options.processes}
    return said | {"median": middle, "rounds": rounds, "alone": lone, "worker_mib": mib}


def received(reader: Any, department: Any, number: str, names: Any, scans: int) -> list[Any]:
    """A case with so many scans: their images. Files that are refused are passed over."""
    from django.core.files.base import ContentFile

    from cases import demo, intake
    from refusals import Refusal

    case, _ = demo.opened(reader, department, number, 171, "Synthetic.")
    images: list[Any] = []
    while len(images) < scans:
        name, content = next(names)
        try:
            scan, _ = intake.receive(
                case, ContentFile(content), modality="ultrasound", by=reader, file_name=name
            )
        except Refusal as refused:
            print(name, refused, file=sys.stderr)
        else:
            images.append(scan.image_id)
    return images


def stacks_of(images: Sequence[Any]) -> list[tuple[Any, int | None]]:
    """What a loop reads: decoded pictures, each with the age that its case states."""
    from inference.models import Image, Job
    from inference.results.images import stack_of

    ages = dict(Job.objects.filter(image__in=images).values_list("image", "parameters__gestational_age_days"))
    return [(stack_of(image), ages[image.pk]) for image in Image.objects.filter(pk__in=images)]


def backlog(images: Sequence[Any]) -> float:
    """Wakes the workers for what waits about these images: seconds from the first claim to the last result.

    Less urgent work is cancelled afterwards.
    """
    from django.db.models import Max, Min

    from inference.models import Job

    wanted = awaited(images)
    others = Job.objects.filter(image__in=images, state="queued", parameters__method="lime")
    with woken():
        await_all(wanted)
    while Job.objects.filter(image__in=images, state="running").exists():
        time.sleep(0.2)
    others.update(state="cancelled")
    failed = wanted.exclude(state="succeeded")
    assert not failed.exists(), list(failed.values_list("failure_code", "failure_detail"))
    times = wanted.aggregate(began=Min("started_at"), ended=Max("finished_at"))
    return (times["ended"] - times["began"]).total_seconds()


def alone(reader: Any, department: Any, names: Any, scans: int) -> dict[str, float]:
    """Scans that come one by one to idle workers: seconds to the first answer and to the last, medians."""
    from django.db.models import Max, Min

    from inference.models import Job

    firsts, lasts = [], []
    with woken():
        for number in range(scans):
            (image,) = received(reader, department, f"ALONE-{number}", names, 1)
            jobs = Job.objects.filter(image=image)
            while awaited([image]).filter(state__in=["queued", "running"]).exists():
                time.sleep(0.05)
            times = jobs.filter(kind="predict").aggregate(
                asked=Min("created_at"), first=Min("finished_at"), last=Max("finished_at")
            )
            firsts.append((times["first"] - times["asked"]).total_seconds())
            lasts.append((times["last"] - times["asked"]).total_seconds())
            jobs.filter(state="queued").update(state="cancelled")
            while jobs.filter(state="running").exists():
                time.sleep(0.05)
    return {"first": round(statistics.median(firsts), 3), "last": round(statistics.median(lasts), 3)}


@contextmanager
def loop(names: Sequence[str], processes: int) -> Iterator[Any]:
    """Processes that do the same work plainly: a function from stacks to seconds."""
    context = multiprocessing.get_context("spawn")
    ends = [context.Pipe() for _ in range(processes)]
    started = [context.Process(target=plain, args=(theirs, list(names))) for _, theirs in ends]
    for process in started:
        process.start()

    def seconds(stacks: list[Any]) -> float:
        for number, (ours, _) in enumerate(ends):
            ours.send(stacks[number::processes])
        for ours, _ in ends:
            assert ours.recv() == "ready"
        began = time.perf_counter()
        for ours, _ in ends:
            ours.send("go")
        for ours, _ in ends:
            assert ours.recv() == "done"
        return time.perf_counter() - began

    try:
        yield seconds
    finally:
        for process in started:
            process.terminate()
            process.join()


def plain(end: Any, names: Sequence[str]) -> None:
    from inference.engine import catalogue, versions
    from inference.engine.explain import explainers
    from inference.engine.explain.explainers import CannotExplain
    from inference.engine.preprocessing.frames import choose_frames
    from inference.engine.quality import check
    from inference.engine.weights import loaded_model

    loaded_model.configure(threads=1)
    models = [versions.load(one.record, one.content()) for one in map(catalogue.named, names)]
    while True:
        stacks = end.recv()
        end.send("ready")
        end.recv()
        for stack, age in stacks:
            answers = [versions.predict(model, [stack], ages_days=[age])[0] for model in models]
            check(stack, answers[0].frames or choose_frames(stack).frames)
            for model, answer in zip(models, answers, strict=True):
                if not answer.analysable:
                    continue
                try:
                    network = versions.explainable(model)
                except CannotExplain:
                    continue
                explainers.explain("gradcam", network, stack, answer, seed=0)
        end.send("done")


if __name__ == "__main__":
    main()
