"""Parts of a picture with scales of their own: what is read of them, kept, and measured by."""

import numpy as np
import pytest
from corpus.dicoms import file
from corpus.discs import region
from corpus.pictures import noise
from corpus.reading import decode
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from inference.formats import read
from inference.formats.regions import MOST, Region, region_of, spacing_between

LEFT, RIGHT = (0, 0, 39, 29), (0, 30, 39, 59)
"""First row and column, last ones: the halves of a split screen of 40 x 60 pixels."""


def picture(*regions: Dataset, frames: int = 0, **more: object) -> bytes:
    shape = (frames, 40, 60) if frames else (40, 60)
    return file(noise(*shape), modality="US", SequenceOfUltrasoundRegions=Sequence(regions), **more)


def by_frame(spacings: list[tuple[float, float] | None], **more: object) -> bytes:
    """An enhanced file whose frames each state their own."""
    groups = []
    for spacing in spacings:
        measures, group = Dataset(), Dataset()
        if spacing:
            measures.PixelSpacing = [*spacing]
            group.PixelMeasuresSequence = Sequence([measures])
        groups.append(group)
    pixels = noise(len(spacings), 40, 60)
    return file(pixels, PerFrameFunctionalGroupsSequence=Sequence(groups), **({"modality": "US"} | more))


def test_regions_that_differ_are_kept_each_with_its_scale_and_its_place():
    stack = decode(picture(region(0.3, 0.2, LEFT), region(0.6, 0.4, RIGHT)), "ultrasound")
    assert stack.pixel_spacing is None
    assert [(one.rows, one.columns, one.frames) for one in stack.regions] == [
        ((0, 39), (0, 29), None), ((0, 39), (30, 59), None),
    ]  # fmt: skip
    assert [one.spacing for one in stack.regions] == [pytest.approx((0.3, 0.2)), pytest.approx((0.6, 0.4))]
    assert stack.aspect == pytest.approx(1.5)


def test_the_picture_is_drawn_in_the_proportion_of_the_largest_region():
    wide, narrow = (0, 0, 39, 49), (0, 50, 39, 59)
    stack = decode(picture(region(0.3, 0.3, narrow), region(0.3, 0.6, wide)), "ultrasound")
    assert stack.aspect == pytest.approx(0.5)


def test_regions_that_agree_are_the_pictures_scale_and_end_where_they_end():
    stack = decode(picture(region(0.3, 0.2, LEFT), region(0.3, 0.2, RIGHT)), "ultrasound")
    assert stack.pixel_spacing == pytest.approx((0.3, 0.2))
    assert len(stack.regions) == 2


@pytest.mark.parametrize(
    ("name", "regions"),
    {
        "no place stated": [region(0.3, 0.2), region(0.6, 0.4, RIGHT)],
        "a place beside the picture": [region(0.3, 0.2, (0, 70, 39, 90)), region(0.6, 0.4, RIGHT)],
        "a place turned round": [region(0.3, 0.2, (39, 29, 0, 0)), region(0.6, 0.4, RIGHT)],
        "far too many": [region(0.3 + 0.01 * (k % 9), 0.2, LEFT) for k in range(MOST + 1)],
    }.items(),
)
def test_where_it_is_not_known_where_a_scale_ends_no_region_is_kept(name, regions):
    stack = decode(picture(*regions), "ultrasound")
    assert stack.regions == (), name
    assert stack.pixel_spacing is None


def test_a_region_beyond_the_edge_is_cut_there_and_others_than_centimetres_are_left_out():
    trace = region(0.3, 0.2, RIGHT)
    trace.PhysicalUnitsXDirection = 4  # seconds
    stack = decode(picture(region(0.3, 0.2, (0, 0, 400, 29)), trace), "ultrasound")
    assert [(one.rows, one.columns) for one in stack.regions] == [((0, 39), (0, 29))]


def test_frames_of_different_scales_are_each_their_own():
    coarse, fine = (0.6, 0.6), (0.3, 0.3)
    stack = decode(by_frame([fine, fine, coarse, None, coarse]), "ultrasound")
    assert stack.pixel_spacing is None
    assert [(one.frames, one.spacing) for one in stack.regions] == [
        ((0, 1), fine), ((2, 2), coarse), ((4, 4), coarse),
    ]  # fmt: skip
    ends = ((5.0, 5.0), (5.0, 15.0))
    scales = [spacing_between(stack.regions, frame, ends) for frame in range(5)]
    assert scales == [fine, fine, coarse, None, coarse]


def test_frames_that_agree_are_one_picture_of_one_scale():
    stack = decode(by_frame([(0.3, 0.2)] * 3), "ultrasound")
    assert (stack.pixel_spacing, stack.regions) == ((0.3, 0.2), ())


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (((5, 5), (30, 20)), (0.3, 0.2)),
        (((-0.5, -0.5), (39.5, 29.5)), (0.3, 0.2)),
        (((5, 31), (30, 59)), (0.6, 0.4)),
        (((5, 20), (5, 40)), None),
        (((5, 20), (45, 20)), None),
    ],
)
def test_a_scale_holds_within_its_region_and_nowhere_else(points, expected):
    regions = (Region((0, 39), (0, 29), (0.3, 0.2)), Region((0, 39), (30, 59), (0.6, 0.4)))
    assert spacing_between(regions, 0, points) == expected


def test_regions_over_each_other_must_agree():
    under, over = Region((0, 39), (0, 59), (0.3, 0.2)), Region((10, 19), (10, 19), (0.5, 0.5))
    assert spacing_between((under, over), 0, ((12, 12), (15, 15))) is None
    assert spacing_between((under, Region((10, 19), (10, 19), (0.3, 0.2))), 0, ((12, 12), (15, 15))) == (
        0.3,
        0.2,
    )


def test_regions_come_through_the_decoding_child_as_they_are(tmp_path):
    (tmp_path / "a.dcm").write_bytes(picture(region(0.3, 0.2, LEFT), region(0.6, 0.4, RIGHT), frames=3))
    stack = read(tmp_path / "a.dcm", modality="ultrasound", file_name="a.dcm")
    assert stack.regions == decode((tmp_path / "a.dcm").read_bytes(), "ultrasound").regions
    assert [region_of(one.as_json()) for one in stack.regions] == [*stack.regions]


def test_the_engine_sees_the_largest_regions_proportion_and_no_millimetres():
    tall = decode(picture(region(0.3, 0.2, LEFT), region(0.6, 0.4, RIGHT)), "ultrasound")
    assert (tall.pixel_spacing, tall.pixel_aspect) == (None, pytest.approx(1.5))
    assert np.isclose(tall.aspect, 1.5)
