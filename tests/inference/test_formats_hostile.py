"""Files made to hurt: refused by their header, in pure Python, before anything is allocated."""

import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from corpus import dicoms, hostile, pictures, volumes
from corpus.reading import outcome

from inference.formats import limits, read
from inference.formats.gate import admit
from refusals import Refusal

MIB = 1 << 20
MUTANTS = int(os.environ.get("VENTRA_MUTANTS", "150"))  # for each of the seeds below


@pytest.mark.parametrize("name", hostile.BOMBS)
def test_a_bomb_is_refused_at_the_gate_without_allocating(name):
    content, code = hostile.BOMBS[name]
    tracemalloc.start()
    with pytest.raises(Refusal) as refusal:
        admit(content, modality="mri")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refusal.value.code == code
    assert peak < 4 * MIB


def test_the_gate_needs_no_imaging_library():
    heavy = {"PIL", "pydicom", "nibabel", "gdcm", "torch", "django"}
    program = f"import sys, inference.formats; print({heavy} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"


@pytest.mark.parametrize("name", hostile.FOREIGN)
def test_what_is_no_scan_is_unsupported(name):
    with pytest.raises(Refusal) as refusal:
        admit(hostile.FOREIGN[name], modality="mri")
    assert refusal.value.code == "unsupported_type"
    assert refusal.value.status == 415


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "scan.png").touch()
    with pytest.raises(Refusal) as refusal:
        read(tmp_path / "scan.png", modality="mri")
    assert (refusal.value.code, refusal.value.status) == ("empty_file", 422)


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "scan.png").open("wb") as sparse:
        sparse.truncate(limits.FILE_BYTES + 1)
    with pytest.raises(Refusal) as refusal:
        read(tmp_path / "scan.png", modality="mri")
    assert (refusal.value.code, refusal.value.status) == ("too_large", 413)


CONTENTS = {
    "png": pictures.saved(pictures.ramp()),
    "jpg": pictures.saved(pictures.ramp(), "JPEG"),
    "tiff": pictures.saved(pictures.ramp(), "TIFF"),
    "dcm": dicoms.file(pictures.noise(40, 50)),
    "nii": volumes.file(np.ones((40, 40, 40), "u1")),
    "nii.gz": volumes.file(np.ones((40, 40, 40), "u1"), packed=True),
}


@pytest.mark.parametrize("named", CONTENTS)
@pytest.mark.parametrize("holds", CONTENTS)
def test_an_extension_that_contradicts_the_content_is_refused(named, holds):
    agrees = named == holds or {named, holds} == {"nii", "nii.gz"}
    expected = "read" if agrees else "extension_mismatch"
    assert outcome(CONTENTS[holds], "mri", f"scan.{named.upper()}") == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        "scan",
        "IM_0001",
        "1.2.840.113619.2",
        "scan.bin",
        "scan.exe",
        "../../etc/passwd",
        "a" * 4000,
        ".gz",
        "\0",
    ],
)
@pytest.mark.parametrize("holds", CONTENTS)
def test_an_absent_or_unknown_extension_is_no_objection(name, holds):
    assert outcome(CONTENTS[holds], "mri", name) == "read"


def mutants(content: bytes, seed: int, count: int):
    """Flip, cut, repeat and splice bytes, mostly near the start, where headers live."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        changed = bytearray(content)
        for _ in range(random.integers(1, 6)):
            near = min(len(changed), 2048 if random.random() < 0.8 else len(changed))
            place, length = int(random.integers(0, near)), int(random.integers(1, 9))
            match random.integers(0, 4):
                case 0:
                    changed[place : place + length] = random.bytes(length)
                case 1:
                    del changed[int(random.integers(0, len(changed))) :]
                case 2:
                    changed[place:place] = changed[place : place + length]
                case _:
                    changed[place : place + 4] = b"\xff\xff\xff\xff"
            if not changed:
                break
        yield bytes(changed)


SEEDS = {
    **CONTENTS,
    "progressive jpg": pictures.many_scans(3),
    "big-endian tiff": pictures.tiff(hostile.tags(), endian=">", body=bytes(4096)),
    "deflated dcm": dicoms.file(pictures.noise(40, 50), syntax=dicoms.SYNTAXES[3]),
    "packed dcm": dicoms.file(pictures.noise(3, 40, 50), syntax=dicoms.RLELossless),
    "implicit dcm": dicoms.file(pictures.noise(40, 50), syntax=dicoms.SYNTAXES[1]),
    "nifti 2": volumes.file(np.ones((40, 40, 40), "<i2"), version=2),
}


def verdict(content: bytes) -> str:
    try:
        admit(content, modality="mri")
    except Refusal as refusal:
        return refusal.detail
    return "admitted"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_damaged_header_is_admitted_or_refused_and_nothing_else(seed):
    content = SEEDS[seed]
    for mutant in mutants(content, seed=len(content), count=MUTANTS):
        assert verdict(mutant) == "admitted" or verdict(mutant).endswith(".")


@pytest.mark.parametrize("seed", CONTENTS)
def test_a_damaged_file_is_read_or_refused_through_the_whole_door(seed, tmp_path):
    for index, mutant in enumerate(mutants(CONTENTS[seed], seed=11, count=3)):
        path = tmp_path / f"mutant-{index}"
        path.write_bytes(mutant)
        try:
            stack = read(path, modality="mri")
        except Refusal:
            continue
        assert stack.pixels.ndim == 3
