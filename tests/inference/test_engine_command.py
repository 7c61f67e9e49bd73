"""`python -m inference.engine`, run as a person runs it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.phantom import render, sample_spec

ROOT = Path(__file__).resolve().parents[2]
KEYS = {
    "file", "model", "version", "weights_sha256", "preprocessing", "input_sha256", "modality",
    "threshold", "analysable", "seconds", "explanations",
}  # fmt: skip


HEAD = render(sample_spec(np.random.default_rng(1)), "ultrasound", seed=1)
DRAWN = (round(256 / HEAD.stack().aspect), 256)
"""Its pixels are wider than high: a map is drawn in true proportions."""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "inference.engine", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("scans")
    (folder / "head.png").write_bytes(HEAD.png())
    Image.fromarray(np.full((200, 200), 9, np.uint8)).save(folder / "blank.png")
    (folder / "letter.png").write_text("Dear colleague")
    return {path.stem: path for path in folder.iterdir()}


def test_each_file_gets_its_line_in_order_and_an_unreadable_one_fails_only_at_the_end(
    files, drafts, tmp_path
):
    order = [files["letter"], files["head"], files["blank"], tmp_path / "absent.png"]
    done = run(
        *order, "--model", "modified_cnn", "--modality", "ultrasound",
        "--explain", "gradcam", "lime", "--out", tmp_path / "maps", "--json", "--drafts", drafts,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]

    assert done.returncode == 1, done.stderr
    assert [line["file"] for line in lines] == [str(path) for path in order]
    letter, head, blank, absent = lines
    assert letter["error"]["code"] in {"unsupported_type", "extension_mismatch"}
    assert set(letter["error"]) == set(absent["error"]) == {"code", "detail"}
    assert set(head) >= KEYS | {"label", "probability", "frames"}
    assert head["analysable"] is True
    assert set(blank) >= KEYS | {"reason"}
    assert blank["analysable"] is False
    assert not {"label", "probability"} & set(blank)
    assert [e["method"] for e in head["explanations"]] == ["gradcam", "lime"]
    for explanation in head["explanations"]:
        assert set(explanation) >= {"method", "class", "heatmap", "seconds", "metrics"}
        heatmap = np.load(explanation["heatmap"], allow_pickle=False)
        assert (heatmap.dtype, heatmap.shape) == (np.float16, (1, 256, 256))
        assert Image.open(Path(explanation["heatmap"]).with_suffix(".png")).size == DRAWN


def test_the_table_for_people_needs_no_json_and_ends_well(files, drafts):
    done = run(files["head"], "--modality", "ultrasound", "--model", "cnn", "--drafts", drafts)
    assert done.returncode == 0, done.stderr
    header, row = done.stdout.splitlines()
    assert header.split()[:3] == ["file", "label", "probability"]
    assert row.startswith("head.png")


@pytest.mark.data
def test_a_volume_gets_one_answer_with_the_frames_it_rests_on(data_dir, drafts):
    volume = sorted((data_dir / "mri").glob("*/srr.nii.gz"))[-1]
    done = run(volume, "--modality", "mri", "--json", "--drafts", drafts)
    (line,) = [json.loads(text) for text in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert len(line["frames"]) == 5
    assert line["label"] in {"normal", "ventriculomegaly"}


def test_an_answer_and_its_maps_need_no_torch(files):
    """Versions of both modalities, maps, a small network's LIME, and the first run of an upload."""
    code = f"""
import sys
class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision", "captum", "onnx", "onnxscript"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Nowhere())
from pathlib import Path
from inference.engine import catalogue
from inference.engine.explain.explainers import explain
from inference.engine.measuring.answer import MeasuringModel
from inference.engine.versions import load, predict
from inference.engine.weights import smoke
from inference.formats import read
path = Path({str(files["head"])!r})
stack = read(path, modality="ultrasound", file_name=path.name)
for one in catalogue.all_shipped():
    model = load(one.record, one.content())
    if one.record.modality != "ultrasound":
        continue
    (answer,) = predict(model, [stack], ages_days=[170])
    print(one.record.name, answer.refusal)
    if isinstance(model, MeasuringModel) or one.record.members:
        continue
    first = smoke.answer(one.content(), one.record.network, "ultrasound")
    assert "logits" in first, first
    methods = ("gradcam", "gradcam_plus_plus", "occlusion") if answer.analysable else ()
    for method in methods + (("lime",) if methods and one.record.network == "cnn" else ()):
        explain(method, model, stack, answer, check=False)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "cnn-ultrasound-3.1 None" in done.stdout


def test_the_engine_starts_without_what_only_some_networks_and_methods_need():
    code = (
        "import sys, inference.engine.command\n"
        "print([m for m in ('torch', 'torchvision', 'captum', 'matplotlib', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_the_engine_leaves_the_number_of_threads_alone():
    code = (
        "import torch; before = torch.get_num_threads()\n"
        "import inference.engine.predict, inference.engine.explain.explainers, inference.engine.command\n"
        "assert torch.get_num_threads() == before\n"
        "from inference.engine.weights.loaded_model import configure\n"
        "configure(1); print(torch.get_num_threads())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
