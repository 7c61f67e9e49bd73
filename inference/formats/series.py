"""What files that came together are: slices of one volume, scans of their own, or nothing to read, and why.

MR slices of one SeriesInstanceUID become one volume where they lie behind one another (`slices`). Ultrasound
pictures share their series and are scans of their own. The same bytes twice count once. Headers alone are
looked at, in pure Python: no decoder runs, and nothing is kept.
"""

import mmap
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from inference.formats import slices
from inference.formats.gate import admit
from inference.formats.headers import dicom, dicom_directory
from inference.formats.headers.dicom_place import Place, place_of
from inference.formats.identity import Identity
from inference.formats.limits import Data, check_file_bytes
from inference.formats.slices import Slice
from inference.formats.stack import Modality
from refusals import Refusal

Becomes = Literal["volume", "scan", "left_out"]
_ORDER: tuple[Becomes, ...] = ("volume", "scan", "left_out")


@dataclass(frozen=True)
class File:
    """A file as it came. name: the sender's, with its folders."""

    name: str
    path: Path
    sha256: str


@dataclass(frozen=True)
class Group:
    """Some of the files, and what becomes of them.

    files: of a volume, in the order of its slices. doubles: the same bytes once more, left out.
    step: millimetres between slices. is_slice: single slices, of which a late one belongs to the others.
    code, detail: why they are left out, as Refusal has them. identity: empty but for DICOM.
    """

    becomes: Becomes
    files: tuple[File, ...]
    doubles: tuple[File, ...] = ()
    series: str = ""
    series_number: str = ""
    description: str = ""
    identity: Identity = Identity()  # noqa: RUF009  # it is frozen
    step: float | None = None
    is_slice: bool = False
    code: str = ""
    detail: str = ""

    @property
    def key(self) -> str:
        """Names the group among those of the same files, whenever they are looked at again."""
        return min(file.sha256 for file in self.files)


def understood(files: Iterable[File], *, modality: Modality) -> list[Group]:
    """Every file in one group: volumes first, those left out last. modality: what the sender declares."""
    by_content: dict[str, list[File]] = {}
    for file in files:
        by_content.setdefault(file.sha256, []).append(file)
    names = [file.name for same in by_content.values() for file in same]
    found: list[Group] = []
    of_series: dict[str, list[tuple[File, Slice]]] = {}
    for file, *_ in by_content.values():
        one = _looked_at(file, modality, names)
        if isinstance(one, Slice):
            of_series.setdefault(one.place.series, []).append((file, one))
        else:
            found.append(one)
    for many in of_series.values():
        found += _stacked(many)
    doubles = [
        replace(
            group, doubles=tuple(double for file in group.files for double in by_content[file.sha256][1:])
        )
        for group in _together(found)
    ]
    return sorted(doubles, key=_order)


def _looked_at(file: File, modality: Modality, names: list[str]) -> Slice | Group:
    """A slice that may lie behind others, or else what becomes of the file. names: of all that came."""
    try:
        check_file_bytes(file.path.stat().st_size)
        with file.path.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if dicom_directory.is_directory(data):
                raise dicom_directory.what_came(data, file.name, names)
            return _admitted(file, data, modality)
    except Refusal as refusal:
        return Group("left_out", (file,), code=refusal.code, detail=refusal.detail)


def _admitted(file: File, data: Data, modality: Modality) -> Slice | Group:
    try:
        kind = admit(data, modality=modality, file_name=file.name)
    except Refusal as refusal:
        return _refused(file, data, refusal)
    if kind != "dicom":
        return Group("scan", (file,))
    header, place = dicom.inspect(data, modality), place_of(data)
    if place.derived:
        return _refused(file, data, slices.derived(place.derived))
    if header.modality == "MR" and header.frames == 1 and place.series:
        size = (header.rows, header.columns, header.pixel_bytes, header.photometric)
        return Slice(file.sha256, place, size)
    return _of_place("scan", (file,), place)


def _refused(file: File, data: Data, refusal: Refusal) -> Group:
    """Left out, under its series where it says one."""
    group = Group("left_out", (file,), code=refusal.code, detail=refusal.detail)
    try:
        place = place_of(data) if data[128:132] == dicom.PREFIX else None
    except Refusal:
        return group
    if place is None:
        return group
    return replace(
        group, series=place.series, series_number=place.series_number, description=place.description
    )


def _of_place(becomes: Becomes, files: tuple[File, ...], place: Place) -> Group:
    return Group(
        becomes,
        files,
        series=place.series,
        series_number=place.series_number,
        description=place.description,
        identity=place.identity,
    )


def _stacked(many: list[tuple[File, Slice]]) -> list[Group]:
    """The volumes, single slices and left-out stacks that the slices of one series are."""
    files = {one.key: file for file, one in many}
    groups = []
    for stack in slices.stacks([one for _, one in many]):
        becomes: Becomes = "left_out" if stack.refusal else "volume" if len(stack.slices) > 1 else "scan"
        group = _of_place(becomes, tuple(files[one.key] for one in stack.slices), stack.slices[0].place)
        group = replace(group, step=stack.step, is_slice=True)
        if stack.refusal:
            group = replace(group, code=stack.refusal.code, detail=stack.refusal.detail)
        groups.append(group)
    return groups


def _together(groups: list[Group]) -> list[Group]:
    """What is left out of one series, or of none, for one reason is one group: "2 reports, left out"."""
    kept = [group for group in groups if group.becomes != "left_out" or group.is_slice]
    left: dict[tuple[str, str], Group] = {}
    for group in groups:
        if group.becomes == "left_out" and not group.is_slice:
            reason = (group.series, group.detail)
            known = left.get(reason)
            left[reason] = replace(known, files=known.files + group.files) if known else group
    return kept + list(left.values())


def _order(group: Group) -> tuple[int, int, str, str]:
    number = int(group.series_number) if group.series_number.isdecimal() else 0
    return _ORDER.index(group.becomes), number, group.description, group.files[0].name
