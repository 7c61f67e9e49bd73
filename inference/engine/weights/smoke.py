"""A first run of weights from outside, in a process of its own with limited means.

A child of a fork server reads a weights file and writes one JSON object: the preprocessing the network needs
and the logits for a phantom, or a code and a sentence.
"""

import json
import resource
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import safetensors.numpy

from inference.engine.backends import BACKENDS, Weights
from inference.engine.backends.graphs import Tensors, graph_of
from inference.engine.measuring.ways import WAYS
from inference.engine.networks import NETWORKS, Network
from inference.engine.preprocessing.prepare import RECIPES, prepare
from inference.engine.records import MEASURING_NETWORKS
from inference.engine.weights.weights_file import TensorEntry, inspect
from inference.formats.stack import MODALITIES, Modality
from inference.phantom import render, sample_spec
from refusals import Refusal

CPU_SECONDS = 60
NAMED = 3


def serve(arguments: Sequence[str]) -> None:
    """Check and run what file descriptor 0 holds, and answer on 1.

    arguments: network and modality.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    with open(0, "rb", closefd=False) as given:
        content = given.read()
    network, modality = arguments
    found = answer(content, network, modality)
    with open(1, "w", closefd=False, encoding="utf-8") as stream:
        stream.write(json.dumps(found))


def answer(content: bytes, network: str, modality: str) -> dict[str, Any]:
    """What the parent is told."""
    found = next(known for known in MODALITIES if known == modality)
    try:
        if network in MEASURING_NETWORKS:
            return first_measurement(content, network, found)
        return first_run(content, NETWORKS[network], found)
    except Refusal as refused:
        return {"code": refused.code, "detail": refused.detail}


def first_run(content: bytes, network: Network, modality: Modality) -> dict[str, Any]:
    """Logits for one phantom, once names, shapes and numbers are right. Raises Refusal."""
    check_fit(inspect(content), {"": network.name}, network.title)
    passed = BACKENDS["onnxruntime"].opened(Weights(network, _finite(content)), "cpu", 1)
    recipe = RECIPES[network.recipes[modality]]
    phantom = render(sample_spec(np.random.default_rng(1), label="normal"), modality, seed=1)
    prepared = prepare(phantom.stack(), recipe, scope=False)
    logits = passed(prepared.tensor).logits
    if not np.isfinite(logits).all():
        raise Refusal("smoke_failed", "The network answered a test picture with no finite number.")
    return {"preprocessing": recipe.id, "preprocessing_sha256": recipe.sha256, "logits": logits[0].tolist()}


def first_measurement(content: bytes, network: str, modality: Modality) -> dict[str, Any]:
    """Calipers on one phantom, likewise. Raises Refusal."""
    own, way = MEASURING_NETWORKS[network].modality, WAYS[network]
    if modality != own:
        raise Refusal("wrong_modality", f"The network {network} does not read {modality}.")
    check_fit(inspect(content), way.graphs, "the networks that measure")
    stack = render(sample_spec(np.random.default_rng(1), label="normal"), own, seed=1).stack()
    found = way.untried(_finite(content))(stack, prepare(stack, way.recipe, scope=False), None, False)
    if not np.isfinite([found.atria.chance, *(one.width for one in found.atria.widths)]).all():
        raise Refusal("smoke_failed", "The network answered a test picture with no finite number.")
    return {"preprocessing": way.recipe.id, "preprocessing_sha256": way.recipe.sha256, "logits": []}


def _finite(content: bytes) -> Tensors:
    tensors: Tensors = safetensors.numpy.load(content)
    for name, tensor in tensors.items():
        if not np.isfinite(tensor).all():
            raise Refusal("not_finite", f"The tensor {name} holds numbers that are not finite.")
    return tensors


def check_fit(entries: tuple[TensorEntry, ...], graphs: Mapping[str, str], title: str) -> None:
    """Exactly the network's tensors, each in exactly its shape. Raises Refusal.

    graphs: of those whose weights the file holds, by how the names of their tensors begin.
    """
    opened = {prefix: graph_of(name) for prefix, name in graphs.items()}
    wanted = {
        f"{prefix}{name}": shape for prefix, one in opened.items() for name, shape in one.tensors.items()
    }
    counts = {f"{prefix}{name}" for prefix, one in opened.items() for name in one.counts}
    stated = {entry.name: entry for entry in entries}
    for names, word in (
        (wanted.keys() - stated.keys(), "lacks"),
        (stated.keys() - wanted.keys(), "has unknown"),
    ):
        if names:
            shown = ", ".join(sorted(names)[:NAMED])
            raise Refusal("wrong_names", f"The file {word} tensors of {title}: {shown:.200}.")
    for name, shape in wanted.items():
        entry = stated[name]
        if entry.shape != shape:
            raise Refusal("wrong_shape", f"The tensor {name} is {entry.shape}, {title} needs {shape}.")
        if (entry.dtype == "I64") != (name in counts):
            raise Refusal("bad_dtype", f"The tensor {name} has type {entry.dtype}, which is not its own.")
