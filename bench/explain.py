"""How fast and how true: Grad-CAM and LIME beside the reference libraries, in one run.

    python bench/explain.py [--json] [--pictures 20] [--reference 20000] [--networks resnet18 vgg16]
        [--plots DIR] [--cache DIR] [--prepare]

Grad-CAM: classification and map together, over one forward pass of the fastest single-precision backend here
(PyTorch or ONNX Runtime, logits only), medians of alternating repeats; maps are held to captum's.
LIME: agreement with a reference of many independent samples on the same superpixels, against time, for the
lime package's default (1,000 samples, batches of 10, PyTorch) and for ours. The package's runs are parts of
the reference, each held to the rest of it. Phantoms, shipped MRI versions.
The references take hours and are not timed: --prepare makes them and ends, --cache keeps them for the run.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from captum.attr import LayerGradCam
from explaining.agreement import LIME_SAMPLES, Scores, draw, first_share, mean, scores
from explaining.answers import asked
from lime import lime_image

from inference.engine import catalogue
from inference.engine.backends.export_graphs import SIZE, whole
from inference.engine.backends.with_onnxruntime import session_of
from inference.engine.explain import gradcam, lime
from inference.engine.explain.fast_lime.gaussian_process import linear_fit
from inference.engine.explain.superpixels import even_pieces
from inference.engine.predict import calibrated
from inference.engine.preprocessing.prepare import prepare
from inference.engine.records import POSITIVE, Prepared
from inference.engine.weights.loaded_model import LoadedModel, configure, load
from inference.phantom import render, sample_spec

MODALITY = "mri"
KERNEL = lime.Parameters().kernel_width
PIECES = lime.Parameters().pieces
OURS = (112, 128, 144, 160, 176, 192, 224, 256, 320, 384, 512, 640)
THEIRS = (250, 500, 1000, 2000)
SEEDS = 3
PHANTOMS = (*range(70, 80), *range(100, 110))
"""Their seeds; constants are chosen on others."""
FEW = 4
"""Of them where a reference takes a quarter of an hour, not minutes."""


def main() -> None:
    options = parser().parse_args()
    configure(options.threads)
    for folder in filter(None, (options.plots, options.cache)):
        folder.mkdir(parents=True, exist_ok=True)
    if options.prepare:
        prepare_references(options)
        return
    found: dict[str, Any] = {"gradcam": {}, "lime": {}, "curves": {}, "checks": {}}
    for name in options.networks:
        said(f"{name}: Grad-CAM")
        ratios, checks = gradcam_ratios(name, options)
        found["gradcam"][name], found["checks"][name] = ratios, checks
        said(f"{name}: LIME")
        found["lime"][name], found["curves"][name] = lime_shares(name, options)
        if options.plots:
            draw(name, found["curves"][name], options.plots)
    print(json.dumps(found, indent=None if options.json else 2))


def prepare_references(options: argparse.Namespace) -> None:
    """Answer every sample that is not timed, so that the run finds it in the cache."""
    for name in options.networks:
        model = shipped(name, "onnxruntime")
        for number in range(how_many(name, options)):
            referenced(model, head(model, PHANTOMS[number]), number, options)
            said(f"{name}: picture {number + 1}")


def how_many(name: str, options: argparse.Namespace) -> int:
    return options.pictures or (FEW if name == "vgg16" else len(PHANTOMS))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--json", action="store_true", help="one line")
    made.add_argument("--networks", nargs="+", default=["resnet18", "vgg16"])
    made.add_argument("--pictures", type=int, help="phantoms; more for a fast network unless stated")
    made.add_argument("--reference", type=int, default=20_000, help="samples of LIME's reference")
    made.add_argument("--repeats", type=int, default=25)
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--cache", type=Path, help="a folder that keeps what untimed samples were answered")
    made.add_argument("--prepare", action="store_true", help="answer the untimed samples, and nothing else")
    made.add_argument("--plots", type=Path, help="a folder for the curves, two SVG files for each network")
    return made


def said(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def shipped(name: str, backend: str) -> LoadedModel:
    one = catalogue.newest(name, MODALITY)
    assert one is not None
    return load(one.record, one.content(), backend=backend)


def head(model: LoadedModel, seed: int) -> Prepared:
    spec = sample_spec(np.random.default_rng(seed), label=POSITIVE)
    return prepare(render(spec, MODALITY, seed=seed).stack(), model.recipe, scope=False)


# Grad-CAM


def gradcam_ratios(name: str, options: argparse.Namespace) -> tuple[dict[str, float], dict[str, float]]:
    model, eager = shipped(name, "onnxruntime"), shipped(name, "torch")
    plain = session_of(whole(eager.module, (1, SIZE, SIZE)), options.threads)
    ratios, checks = {}, {}
    for count in (1, 8):
        pictures = np.concatenate([head(model, 50 + n).tensor[:1] for n in range(count)])
        times = alternating(
            {
                "onnxruntime": lambda x=pictures: plain.run(None, {"pictures": x}),
                "both": lambda x=pictures: classified_and_mapped(model, x),
            },
            options.repeats,
        )
        torch.set_num_threads(options.threads)
        times |= alternating({"torch": lambda x=pictures: eager.passed(x)}, options.repeats)
        torch.set_num_threads(1)
        ratios[f"b{count}"] = times["both"] / min(times["onnxruntime"], times["torch"])
        checks |= {f"b{count}_{key}_ms": 1000 * value for key, value in times.items()}
        checks[f"b{count}_from_captum"] = from_captum(model, eager, pictures)
    return ratios, checks


def classified_and_mapped(model: LoadedModel, pictures: np.ndarray) -> Any:
    """What a worker does for an answer and its Grad-CAM."""
    found = model.passed(pictures)
    chances = calibrated(found.logits, model.record.temperature)
    return chances, gradcam.of_maps(model, found.maps, POSITIVE, pictures.shape[-1])


def from_captum(model: LoadedModel, eager: LoadedModel, pictures: np.ndarray) -> float:
    """Greatest difference of the maps, as a share of the map's maximum."""
    layer = eager.module.get_submodule(model.network.gradcam_layer)
    target = model.record.labels.index(POSITIVE)
    theirs = LayerGradCam(eager.module, layer).attribute(
        torch.from_numpy(pictures), target=target, relu_attributions=True
    )
    ours = gradcam.weighed(model, model.passed(pictures).maps, POSITIVE)
    reference = theirs.detach().numpy()[:, 0]
    return float(np.abs(ours - reference).max() / max(reference.max(), 1e-12))


def alternating(works: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median seconds of each, taken in turns so that a slow moment of the machine hits all."""
    for work in works.values():
        work(), work()
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            started = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - started)
    return {name: float(np.median(values)) for name, values in seconds.items()}


# LIME


def lime_shares(name: str, options: argparse.Namespace) -> tuple[dict[str, float], dict[str, Any]]:
    model, eager = shipped(name, "onnxruntime"), shipped(name, "torch")
    model.draft(MODALITY)  # made once for each version, not for each picture
    theirs: dict[int, list[Scores]] = {}
    ours: dict[int, list[Scores]] = {}
    ceilings: list[Scores] = []
    for number in range(how_many(name, options)):
        prepared = head(model, PHANTOMS[number])
        shown, chances = referenced(model, prepared, number, options)
        reference, half = weights_of(shown, chances), len(shown) // 2
        halves = [weights_of(shown[part], chances[part]) for part in (slice(half), slice(half, None))]
        ceilings.append(scores(halves[0], halves[1], 0.0))
        seconds = package_seconds(eager, prepared, options.threads)
        for count, found in runs_of_the_package(shown, chances):
            theirs.setdefault(count, []).append(replace(found, seconds=seconds * count / LIME_SAMPLES))
        for count in OURS:
            for seed in range(SEEDS):
                ours.setdefault(count, []).append(one_of_ours(model, prepared, reference, count, seed))
        said(f"  picture {number + 1}: the package takes {seconds:.2f} s")
    peer = mean(theirs[LIME_SAMPLES])
    shares = {
        "time_share_at_rank": first_share(ours, peer, lambda s: s.rank >= peer.rank and s.top >= peer.top),
        "time_share_at_error": first_share(ours, peer, lambda s: s.error <= peer.error),
        "reference_ceiling": float(np.mean([c.rank for c in ceilings])),
    }
    curves = {
        "lime": {n: vars(mean(s)) for n, s in theirs.items()},
        "ours": {n: vars(mean(s)) for n, s in ours.items()},
    }
    curves["ceiling"] = vars(mean(ceilings))
    return shares, curves


def referenced(
    model: LoadedModel, prepared: Prepared, seed: int, options: argparse.Namespace
) -> tuple[np.ndarray, np.ndarray]:
    """Many independent masks (n, pieces), and the probability for each."""
    picture = picture_of(prepared)
    segments = even_pieces(picture, PIECES)
    shown = np.random.default_rng(900 + seed).random((options.reference, segments.max() + 1)) < 0.5
    return shown, asked(model, picture, segments, shown, options.cache)


def weights_of(shown: np.ndarray, chances: np.ndarray) -> np.ndarray:
    return linear_fit(shown, chances, KERNEL).weights


def runs_of_the_package(shown: np.ndarray, chances: np.ndarray) -> Iterator[tuple[int, Scores]]:
    """LIME's own way on parts of the samples, each held to all others: any exact backend answers the same."""
    for count in THEIRS:
        for start in range(0, len(shown) - count + 1, count):
            mine = np.zeros(len(shown), bool)
            mine[start : start + count] = True
            found = weights_of(shown[mine], chances[mine])
            yield count, scores(found, weights_of(shown[~mine], chances[~mine]), 0.0)


def package_seconds(eager: LoadedModel, prepared: Prepared, threads: int) -> float:
    """The lime package from picture to weights, on our superpixels, in PyTorch as its users run it."""
    torch.set_num_threads(threads)
    picture = picture_of(prepared)
    segments = even_pieces(picture, PIECES)

    def classifier(images: np.ndarray) -> np.ndarray:
        grey = np.ascontiguousarray(images[..., 0][:, None], np.float32)
        return calibrated(eager.passed(grey).logits, eager.record.temperature)

    colours = np.repeat(picture[:, :, None], 3, axis=2).astype(np.float64)
    classifier(colours[None].repeat(10, axis=0))
    explainer = lime_image.LimeImageExplainer(random_state=0)
    started = time.perf_counter()
    explainer.explain_instance(
        colours,
        classifier,
        labels=(1,),
        top_labels=None,
        hide_color=0,
        num_samples=LIME_SAMPLES,
        segmentation_fn=lambda _: segments + 1,
    )
    seconds = time.perf_counter() - started
    torch.set_num_threads(1)
    return seconds


def one_of_ours(
    model: LoadedModel, prepared: Prepared, reference: np.ndarray, count: int, seed: int
) -> Scores:
    parameters = {"samples": count, "least": count, "settled": 2.0}
    started = time.perf_counter()
    found = lime.explain(model, prepared, POSITIVE, seed=seed, parameters=parameters)
    seconds = time.perf_counter() - started
    segments = found.segments[0]
    places = [np.argwhere(segments == piece)[0] for piece in range(segments.max() + 1)]
    weights = np.array([found.values[0][tuple(place)] for place in places])
    return scores(weights, reference, seconds)


def picture_of(prepared: Prepared) -> np.ndarray:
    return prepared.tensor[len(prepared.frames) // 2, 0]


if __name__ == "__main__":
    main()
