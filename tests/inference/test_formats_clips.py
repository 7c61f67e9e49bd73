"""Clips, as ultrasound machines export them: every frame, in grey, at the speed at which they were taken."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from corpus import dicoms
from corpus.pictures import noise
from corpus.reading import decode, outcome
from PIL import Image
from pydicom.encaps import encapsulate, itemize_fragment

from inference.formats import limits, read
from inference.formats.clip import clip_of
from refusals import Refusal

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
CLIPS = Path(__file__).parents[1] / "corpus" / "clips"
FRAMES, ROWS, COLUMNS = 10, 64, 96
FILES = ["h264.mp4", "hevc.mp4", "mpeg4.avi", "mjpeg.avi", "mpeg2.mpg", "mpeg2.m2v"]
STREAMS = {
    "1.2.840.10008.1.2.4.100": "mpeg2.m2v",
    "1.2.840.10008.1.2.4.101": "mpeg2.mpg",
    "1.2.840.10008.1.2.4.102": "h264.mp4",
    "1.2.840.10008.1.2.4.103": "h264.ts",
    "1.2.840.10008.1.2.4.107": "hevc.hevc",
}
LOSS = 3
OPEN_FILES = Path("/proc/self/fd")


def shown() -> np.ndarray:
    """What every clip shows (clips/make.sh): frame k is 20 k + 20, but for a bar at column 8 k."""
    frames = np.empty((FRAMES, ROWS, COLUMNS))
    for k, frame in enumerate(frames):
        frame[:] = 20 * k + 20
        frame[:, 8 * k : 8 * k + 8] = 235
    return frames


def assert_shows(pixels: np.ndarray) -> None:
    assert pixels.shape == (FRAMES, ROWS, COLUMNS)
    near_the_bar = np.abs(pixels - shown()) > LOSS
    assert near_the_bar.mean() < 0.01


def clip(name: str) -> bytes:
    return (CLIPS / name).read_bytes()


def dicom_of(syntax: str, stream: bytes, *, pieces: int = 1, **attributes) -> bytes:
    """An ultrasound clip in DICOM, its stream cut into pieces."""
    attributes = {"NumberOfFrames": FRAMES, "FrameTime": 40, **attributes}
    made = dicoms.dataset(
        np.zeros((ROWS, COLUMNS, 3), np.uint8), modality="US", SamplesPerPixel=3, **attributes
    )
    made.PhotometricInterpretation = "YBR_PARTIAL_420"
    length = -(-len(stream) // pieces // 2) * 2
    cut = [stream[start : start + length] for start in range(0, len(stream), length)]
    made.PixelData = encapsulate([cut[0]], has_bot=False)
    if pieces > 1:
        items = b"".join(itemize_fragment(piece + b"\0" * (len(piece) % 2)) for piece in cut)
        made.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0" + items + b"\xfe\xff\xdd\xe0\0\0\0\0"
    made["PixelData"].VR = "OB"
    return dicoms.written(made, syntax)


def gif_of(*durations: int) -> bytes:
    frames = [Image.fromarray(frame.astype(np.uint8)) for frame in shown()[: len(durations)]]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], duration=list(durations))
    return stream.getvalue()


@pytest.mark.parametrize("name", FILES)
def test_a_clip_is_read_frame_by_frame_at_its_own_speed(name):
    stack = decode(clip(name), "ultrasound", name)
    assert_shows(stack.pixels)
    assert stack.acquisition == {"NumberOfFrames": FRAMES, "FrameTime": 40.0}
    assert (stack.pixel_spacing, stack.is_volume) == (None, False)


def test_a_clip_passes_through_the_whole_door(tmp_path):
    path = tmp_path / "export.avi"
    path.write_bytes(clip("mpeg4.avi"))
    assert_shows(read(path, modality="ultrasound").pixels)


def test_pixels_of_a_clip_that_are_not_square_are_said():
    assert decode(clip("wide.mp4"), "ultrasound").pixel_aspect == 0.5


@pytest.mark.parametrize("syntax", STREAMS)
@pytest.mark.parametrize("pieces", [1, 3])
def test_a_dicom_video_is_read_with_its_spacing_and_time(syntax, pieces):
    content = dicom_of(syntax, clip(STREAMS[syntax]), pieces=pieces, PixelSpacing=[0.3, 0.4], FrameTime=33.3)
    stack = decode(content, "ultrasound")
    assert_shows(stack.pixels)
    assert (stack.pixel_spacing, stack.acquisition["FrameTime"]) == ((0.3, 0.4), 33.3)


def test_a_dicom_video_passes_through_the_whole_door(tmp_path):
    path = tmp_path / "IM0001"
    path.write_bytes(dicom_of("1.2.840.10008.1.2.4.102", clip("h264.mp4")))
    assert_shows(read(path, modality="ultrasound").pixels)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"NumberOfFrames": 20}, "fewer frames than it says"), ({"Rows": 66}, "other sides than the file says")],
)
def test_a_dicom_video_that_is_not_what_it_says_is_refused(change, words):
    with pytest.raises(Refusal, match=words):
        decode(dicom_of("1.2.840.10008.1.2.4.102", clip("h264.mp4"), **change), "ultrasound")


def test_an_animated_gif_is_a_loop_and_a_still_one_a_picture():
    moving = decode(gif_of(40, 40, 100), "ultrasound")
    np.testing.assert_array_equal(moving.pixels, shown()[:3])
    assert moving.acquisition == {"NumberOfFrames": 3, "FrameTime": 60.0}
    still = decode(gif_of(0), "mri")
    assert (still.pixels.shape, dict(still.acquisition)) == ((1, ROWS, COLUMNS), {})


@pytest.mark.parametrize("content", [gif_of(40, 40), clip("h264.mp4")], ids=["GIF", "MP4"])
def test_a_clip_is_no_stack_of_mri(content):
    with pytest.raises(Refusal, match="A clip does not say how slices of MRI lie; send the volume"):
        decode(content, "mri")


@pytest.mark.parametrize(("room", "step"), [(10, 1), (9, 2), (5, 2), (4, 4), (3, 4), (2, 8), (1, 16)])
def test_of_a_clip_beyond_the_limit_every_second_or_fourth_frame_is_kept(monkeypatch, room, step):
    for module in ("inference.formats.limits", "inference.formats.clip"):
        monkeypatch.setattr(f"{module}.FRAMES", room)
    kept = np.arange(0, FRAMES, step)
    for content in (
        clip("h264.mp4"),
        gif_of(*[40] * FRAMES),
        dicom_of("1.2.840.10008.1.2.4.102", clip("h264.mp4")),
        dicoms.file(shown().astype(np.uint8), modality="US", FrameTime=40),
    ):
        stack = decode(content, "ultrasound")
        assert stack.pixels.shape[0] == len(kept)
        assert int(np.abs(stack.pixels[:, 5, 90] - (20.0 * kept + 20)).max()) <= LOSS
        assert stack.acquisition["FrameTime"] == 40.0 * step
        assert stack.acquisition["NumberOfFrames"] == FRAMES


def test_frames_are_counted_out_by_bytes_too():
    assert limits.stride(1024, 512 * 512) == 1
    assert limits.stride(1025, 512 * 512) == 2
    assert limits.stride(1024, 1024 * 1024) == 4


def test_a_volume_of_mri_is_never_thinned():
    assert outcome(dicoms.file(noise(1100, 32, 32)), "mri") == "frames"
    assert outcome(dicoms.file(noise(1100, 32, 32), modality="US"), "ultrasound") == "read"


@pytest.mark.parametrize(
    ("attributes", "time"),
    [
        ({"FrameTime": "33.3"}, 33.3),
        ({"FrameTimeVector": [0, 30, 40, 50]}, 40.0),
        ({"RecommendedDisplayFrameRate": 25}, 40.0),
        ({"CineRate": 50}, 20.0),
        ({}, None),
    ],
)
def test_a_loop_says_how_long_each_frame_lasts(attributes, time):
    stack = decode(dicoms.file(noise(4, 40, 50), modality="US", **attributes), "ultrasound")
    assert stack.acquisition.get("FrameTime") == time


@pytest.mark.parametrize("name", FILES)
def test_a_clip_cut_short_or_damaged_is_read_or_refused(name):
    content = clip(name)
    for cut in (12, 40, len(content) // 3, len(content) - 30):
        assert outcome(content[:cut], "ultrasound") in (
            "read",
            "undecodable",
            "no_pixel_data",
            "unsupported_type",
        )


def test_a_file_is_opened_by_the_reader_of_its_kind_alone():
    with pytest.raises(Refusal):
        clip_of(clip("mpeg4.avi"), "mp4")
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    with pytest.raises(Refusal):
        clip_of(playlist, "mpeg")


def test_a_video_says_its_sides_before_it_is_decoded():
    content = clip("h264.mp4")
    place = content.rindex(b"avc1") + 28
    huge = content[:place] + struct.pack(">HH", 60_000, 60_000) + content[place + 4 :]
    assert outcome(huge, "ultrasound") == "dimensions"
    place = clip("mpeg4.avi").index(b"strf") + 12
    content = clip("mpeg4.avi")
    huge = content[:place] + struct.pack("<ii", 60_000, 60_000) + content[place + 8 :]
    assert outcome(huge, "ultrasound") == "dimensions"


def test_a_sound_is_no_clip():
    content = clip("h264.mp4").replace(b"avc1", b"mp4a").replace(b"isommp4a", b"isomavc1")
    with pytest.raises(Refusal, match="holds no video"):
        decode(content, "ultrasound")


def test_no_file_is_left_open():
    before = len(list(OPEN_FILES.iterdir()))
    for _ in range(3):
        decode(clip("h264.mp4"), "ultrasound")
    assert len(list(OPEN_FILES.iterdir())) <= before


def test_a_gif_that_is_cut_short_or_grows_is_refused():
    content = gif_of(40, 40)
    assert outcome(content[:-20], "ultrasound") == "undecodable"
    wide = content[:6] + struct.pack("<HH", 40, 40) + content[10:]
    assert outcome(wide, "ultrasound") == "undecodable"
    huge = content[:6] + struct.pack("<HH", 60_000, 60_000) + content[10:]
    assert outcome(huge, "ultrasound") == "dimensions"
