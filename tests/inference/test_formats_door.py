"""The door itself: the confined child, its parent's distrust, and what travels between them."""

import dataclasses
import io
import json
import os
import signal
import tempfile
from pathlib import Path

import numpy as np
import pytest
from corpus import dicoms, pictures, volumes
from corpus.reading import decode

from inference.formats import MODALITIES, read, sandbox, wire
from inference.formats.child import ALLOWANCE
from inference.formats.stack import PictureStack
from refusals import Refusal

VIDEO = "inference.formats.video"
CLIPS = Path(__file__).parents[1] / "corpus" / "clips"
PICTURE = pictures.saved(pictures.ramp())
SAMPLES = {
    "png": PICTURE,
    "jpeg": pictures.saved(pictures.ramp(), "JPEG"),
    "tiff": pictures.saved(pictures.ramp(np.uint16), "TIFF"),
    "dicom": dicoms.file(
        pictures.noise(4, 40, 50), PixelSpacing=[0.5, 0.6], EchoTime=80, WindowCenter=9, WindowWidth=4
    ),
    "nifti": volumes.file(np.linspace(0, 1, 64000, dtype="<f4").reshape(40, 40, 40), packed=True),
}


def on_disk(folder: Path, content: bytes) -> Path:
    path = folder / "upload"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_child_hands_back_what_the_decoder_made(kind, tmp_path):
    stack = read(on_disk(tmp_path, SAMPLES[kind]), modality="mri")
    expected = decode(SAMPLES[kind], "mri")
    assert stack.source_format == kind
    np.testing.assert_array_equal(stack.pixels, expected.pixels)
    assert dataclasses.replace(stack, pixels=expected.pixels) == expected


def test_a_refusal_made_in_the_child_travels_as_its_code(tmp_path):
    nan = np.full((40, 40, 40), np.nan, "<f4")
    with pytest.raises(Refusal) as refusal:
        read(on_disk(tmp_path, volumes.file(nan)), modality="mri")
    assert refusal.value.code == "nonfinite"


def test_a_decoder_that_fails_is_an_undecodable_file(tmp_path):
    with pytest.raises(Refusal) as refusal:
        read(on_disk(tmp_path, pictures.png(64, 64, body=b"too little")), modality="mri")
    assert refusal.value.code == "undecodable"
    assert refusal.value.detail == "The PNG file is damaged, or uses what no decoder here reads."


def test_a_file_that_is_not_there_is_no_refusal(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nothing", modality="mri")


def test_the_modality_is_the_declared_one(tmp_path):
    path = on_disk(tmp_path, PICTURE)
    assert [read(path, modality=modality).modality for modality in MODALITIES] == list(MODALITIES)


@pytest.mark.parametrize(
    ("limit", "value"),
    [("memory_bytes", 32 << 20), ("output_bytes", 1000), ("cpu_seconds", 0)],
)
def test_a_child_that_asks_for_more_than_its_allowance_ends_as_undecodable(limit, value, tmp_path):
    scarce = dataclasses.replace(ALLOWANCE, **{limit: value})
    path = on_disk(tmp_path, pictures.saved(pictures.noise(2000, 2000)))
    with path.open("rb") as opened, pytest.raises(Refusal) as refusal:
        sandbox.decode_in_child(
            opened, "png", modality="mri", sha256="", program="inference.formats.picture", allowance=scarce
        )
    assert refusal.value.code == "undecodable"
    assert read(path, modality="mri").pixels.shape == (1, 2000, 2000)


def test_a_child_that_would_open_more_files_than_allowed_ends_as_undecodable(tmp_path):
    scarce, clip = dataclasses.replace(ALLOWANCE, open_files=3), CLIPS / "h264.mp4"
    with clip.open("rb") as opened, pytest.raises(Refusal) as refusal:
        sandbox.decode_in_child(
            opened,
            "mp4",
            modality="ultrasound",
            sha256="",
            program="inference.formats.video",
            allowance=scarce,
        )
    assert refusal.value.code == "undecodable"
    assert len(read(clip, modality="ultrasound").pixels) > 1


def test_files_are_read_again_when_the_process_that_makes_the_children_was_killed(tmp_path):
    path = on_disk(tmp_path, PICTURE)
    read(path, modality="mri")
    killed = sandbox.SERVER.pid
    os.kill(killed, signal.SIGKILL)
    assert read(path, modality="mri").pixels.ndim == 3
    assert sandbox.SERVER.pid != killed


def test_the_process_that_makes_the_children_has_one_thread_as_forking_needs(tmp_path):
    for content in SAMPLES.values():
        read(on_disk(tmp_path, content), modality="mri")
    assert "\nThreads:\t1\n" in Path(f"/proc/{sandbox.SERVER.pid}/status").read_text()


def test_a_child_that_takes_too_long_is_ended(tmp_path):
    hurried = dataclasses.replace(ALLOWANCE, wall_seconds=1)
    fifo = tmp_path / "never"
    os.mkfifo(fifo)
    with os.fdopen(os.open(fifo, os.O_RDWR), "rb") as silent, pytest.raises(Refusal, match="too long"):
        sandbox.decode_in_child(
            silent, "png", modality="mri", sha256="", program="inference.formats.picture", allowance=hurried
        )


def test_a_child_ended_before_its_own_alarm_is_set_took_too_long_and_its_file_is_not_called_damaged():
    at_once = dataclasses.replace(ALLOWANCE, wall_seconds=-2)
    with tempfile.TemporaryFile() as opened, pytest.raises(Refusal, match="too long"):
        sandbox.decode_in_child(
            opened, "png", modality="mri", sha256="", program="inference.formats.picture", allowance=at_once
        )


def test_the_child_knows_nothing_of_its_parents_environment(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "canary")
    assert set(sandbox.child_environment()) == {
        "PYTHONPATH",
        "OPENBLAS_NUM_THREADS",
        "OMP_NUM_THREADS",
        "LC_ALL",
    }


PART = {"rows": [0, 5], "columns": [0, 5], "frames": None, "spacing": [0.3, 0.2]}


def honest() -> dict[str, object]:
    stream = io.BytesIO()
    wire.write_stack(stream, decode(SAMPLES["dicom"], "mri"))
    return json.loads(stream.getvalue().splitlines()[0])


def parsed(answer: object, pixels: bytes = bytes(4 * 40 * 50)) -> PictureStack:
    line = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return wire.read_stack(io.BytesIO(line + b"\n" + pixels), modality="mri", sha256="0" * 64)


def test_an_honest_answer_is_taken():
    assert parsed(honest()).pixels.shape == (4, 40, 50)


@pytest.mark.parametrize(
    "lie",
    [
        {"depth": "float64"},
        {"depth": "object"},
        {"shape": [4, 40]},
        {"shape": [4, 40, 51]},
        {"shape": [4, 40, 49]},
        {"shape": [4.0, 40, 50]},
        {"shape": "all"},
        {"source_format": "exe"},
        {"plane": "Mrs X"},
        {"pixel_spacing": [1]},
        {"pixel_spacing": ["a", "b"]},
        {"pixel_spacing": [float("nan"), 1]},
        {"pixel_spacing_source": "Mrs X"},
        {"pixel_aspect": 100},
        {"regions": "all"},
        {"regions": [PART | {"rows": [5, 0]}]},
        {"regions": [PART | {"columns": [0.5, 5]}]},
        {"regions": [PART | {"frames": [-1, 5]}]},
        {"regions": [PART | {"spacing": [0.3, 1e9]}]},
        {"regions": [PART] * 257},
        {"slice_spacing": float("inf")},
        {"slice_spacing": True},
        {"affine": [[1, 0, 0, 0], [0, 1, 0, 0]]},
        {"affine": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, "1", 0]]},
        {"affine_source": "Mrs X"},
        {"rescale": None},
        {"acquisition": "Mrs X"},
        {"error": ["no_such_code", ""]},
        {"error": "undecodable"},
    ],
    ids=str,
)
def test_a_dishonest_answer_is_not(lie):
    with pytest.raises(wire.BadAnswer):
        parsed(honest() | lie)


def test_an_honest_part_of_a_picture_is_taken():
    (part,) = parsed(honest() | {"regions": [PART]}).regions
    assert part.as_json() == PART


def test_a_shape_beyond_the_limits_is_refused_before_it_is_allocated():
    with pytest.raises(Refusal):
        parsed(honest() | {"shape": [1000, 16000, 16000]})


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b"x" * 100_000])
def test_an_answer_that_is_no_answer_is_not_taken(line):
    with pytest.raises(wire.BadAnswer):
        parsed(line)


def test_acquisition_values_that_are_not_on_the_list_are_dropped_by_the_parent_too():
    taken = parsed(honest() | {"acquisition": {"PatientName": "X", "EchoTime": 80, "Manufacturer": "a\nb"}})
    assert taken.acquisition == {"EchoTime": 80}
