"""Files that came together: which are slices of one volume, which are not, and why."""

import hashlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from corpus import series as made
from corpus.series import SERIES, slice_file, slice_files, voxels

from inference.formats import read, series, series_pack
from inference.formats.headers import dicom_directory


@pytest.fixture
def understood(tmp_path):
    """What files of these names and contents are understood to be."""

    def look(files: dict[str, bytes], modality: str = "mri") -> list[series.Group]:
        kept = []
        for number, (name, content) in enumerate(files.items()):
            path = tmp_path / str(number)
            path.write_bytes(content)
            kept.append(series.File(name, path, hashlib.sha256(content).hexdigest()))
        return series.understood(kept, modality=modality)

    return look


def volume_of(group: series.Group):
    paths, hashes = [file.path for file in group.files], [file.sha256 for file in group.files]
    return series_pack.read_series(paths, hashes, step=group.step, modality="mri")


def test_slices_in_any_order_are_the_volume_that_one_multi_frame_file_is(understood, tmp_path):
    voxels_ = voxels()
    [group] = understood(slice_files(voxels_))
    assert (group.becomes, group.series_number, group.description) == ("volume", "3", "T2 coronal")
    stack, said = volume_of(group)
    (tmp_path / "control.dcm").write_bytes(made.multi_frame(voxels_))
    control = read(tmp_path / "control.dcm", modality="mri")
    assert np.array_equal(stack.pixels, control.pixels)
    assert np.array_equal(stack.pixels, voxels_)
    assert stack.slice_spacing == pytest.approx(control.slice_spacing) == made.STEP
    assert (stack.pixel_spacing, stack.rescale, stack.is_volume) == (control.pixel_spacing, (1.0, 0.0), True)
    assert (said.series_instance_uid, said.patient_id, said.sop_instance_uid) == (SERIES, "P-1", "")


def test_slices_that_state_rescales_of_their_own_are_put_on_one_scale(understood):
    volume = voxels()
    files = {
        str(place): slice_file(volume[place], place, RescaleSlope=1 + place, RescaleIntercept=-place)
        for place in range(3)
    }
    stack, _ = volume_of(understood(files)[0])
    slope, intercept = stack.rescale
    expected = [volume[place] * (1.0 + place) - place for place in range(3)]
    assert np.abs(stack.pixels * slope + intercept - expected).max() <= slope


def test_a_file_that_is_there_twice_counts_once_and_is_named(understood):
    files = slice_files()
    first = next(iter(files))
    [group] = understood({**files, "copy": files[first]})
    assert (len(group.files), [double.name for double in group.doubles]) == (6, ["copy"])


CHANGED = {
    "another orientation": {"ImageOrientationPatient": [0, 1, 0, 0, 0, 1]},
    "another size of pixels": {"PixelSpacing": [0.5, 0.5]},
    "another thickness": {"SliceThickness": 6},
    "another echo": {"EchoTime": 180},
    "another patient": {"PatientID": "P-2"},
    "another birth date": {"PatientBirthDate": "19900101"},
}


@pytest.mark.parametrize("what", CHANGED)
def test_what_is_not_alike_is_split(what, understood):
    files = {str(k): slice_file(one, k) for k, one in enumerate(voxels())}
    others = {f"b{k}": slice_file(one, 9, **CHANGED[what]) for k, one in enumerate(voxels(1, seed=2))}
    groups = understood(files | others)
    assert [(one.becomes, len(one.files)) for one in groups] == [("volume", 6), ("scan", 1)]


def test_times_of_one_place_are_volumes_of_their_own(understood):
    files = {
        f"{moment}-{k}": slice_file(
            one, k, TemporalPositionIdentifier=moment, SOPInstanceUID=f"1.2.{moment}.{k}"
        )
        for moment in (1, 2)
        for k, one in enumerate(voxels(seed=moment))
    }
    assert [(one.becomes, len(one.files)) for one in understood(files)] == [("volume", 6), ("volume", 6)]


WRONG = {
    "more than once": {str(k): slice_file(one, k // 2, InstanceNumber=k) for k, one in enumerate(voxels())},
    "is missing after slice 3": {str(k): slice_file(one, k) for k, one in enumerate(voxels(7)) if k != 3},
    "do not say where they lie": {
        str(k): slice_file(one, k, ImagePositionPatient=None) for k, one in enumerate(voxels())
    },
    "do not lie behind one another": {
        str(k): slice_file(one, k, ImagePositionPatient=[9.0 * k * k, 0, 3.0 * k])
        for k, one in enumerate(voxels())
    },
}


@pytest.mark.parametrize("what", WRONG)
def test_a_stack_that_would_show_what_is_not_there_is_left_out_by_name(what, understood):
    [group] = understood(WRONG[what])
    assert (group.becomes, group.code) == ("left_out", "frames")
    assert what in group.detail


def test_a_folder_is_two_volumes_and_what_is_left_out_with_its_reasons(understood):
    groups = understood(made.folder())
    assert [(one.becomes, one.series_number, len(one.files)) for one in groups[:2]] == [
        ("volume", "3", 6),
        ("volume", "4", 4),
    ]
    left = {one.files[0].name: (len(one.files), one.code, one.detail) for one in groups[2:]}
    assert left.keys() == {"study/LOC", "study/SR1", "study/notes.txt"}
    assert "a localiser" in left["study/LOC"][2]
    assert left["study/SR1"][0] == 2
    assert "a structured report" in left["study/SR1"][2]
    assert left["study/notes.txt"][1] == "unsupported_type"


@pytest.mark.parametrize("kind", ["MPR", "PROJECTION IMAGE", "ADC", "SUBTRACTION"])
def test_what_was_made_from_other_pictures_is_set_aside_with_a_word(kind, understood):
    files = slice_files(ImageType=["DERIVED", "SECONDARY", kind])
    [group] = understood(files)
    assert (group.becomes, len(group.files)) == ("left_out", 6)
    assert "send what was acquired" in group.detail


def test_ultrasound_pictures_of_one_series_are_scans_of_their_own(understood):
    files = {str(k): slice_file(one, k, modality="US") for k, one in enumerate(voxels(3).astype(np.uint8))}
    groups = understood(files, modality="ultrasound")
    assert [(one.becomes, one.is_slice) for one in groups] == [("scan", False)] * 3


def test_a_series_of_24_files_is_one_volume(data_dir):
    folder = data_dir.parent / "inputs" / "series"
    if not folder.is_dir():
        pytest.skip("there is no shared series")
    paths = sorted(folder.iterdir())
    files = [series.File(path.name, path, hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths]
    [group] = series.understood(files, modality="mri")
    stack, _ = volume_of(group)
    assert (group.becomes, stack.pixels.shape) == ("volume", (24, 189, 135))
    assert stack.slice_spacing == pytest.approx(4.0, abs=1e-4)


DISC = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"


def test_a_list_of_files_is_left_out_and_says_what_did_not_come(understood):
    """pydicom's own DICOMDIR lists 31 files, most of them computed radiographs: none of them is read here."""
    listed = (DISC / "DICOMDIR").read_bytes()
    names = dicom_directory.listed(listed)
    assert (len(names), names[0]) == (31, "77654033/CR1/6154")

    def said(came: list[str], directory: str = "disc/DICOMDIR") -> str:
        files = {directory: listed} | {name: name.encode() for name in came}
        [detail] = [group.detail for group in understood(files) if group.files[0].name == directory]
        return detail.rpartition("; ")[2]

    assert said([f"disc/{name}" for name in names]) == "all that it lists came."
    assert said([f"disc/{name.lower()}" for name in names[2:]]) == (
        "of those that it lists 2 did not come (77654033/CR1/6154)."
    )
    assert said([f"elsewhere/{name}" for name in names]) == "send the images themselves."
    assert said([]) == "send the images themselves."
    bare = [name.rpartition("/")[2] for name in names]
    assert said(bare, "DICOMDIR") == "all that it lists came."


def test_a_list_that_is_damaged_lists_what_can_still_be_read(understood):
    listed = (DISC / "DICOMDIR").read_bytes()
    [group] = understood({"DICOMDIR": listed[: len(listed) // 2]})
    assert (group.becomes, group.code) == ("left_out", "unsupported_type")
    assert 0 < len(dicom_directory.listed(listed[: len(listed) // 2])) < 31
    assert dicom_directory.listed(listed.replace(b"CS\x12\0", b"CS\xff\xff")) != []
