"""MP4, AVI and MPEG clips through OpenCV's FFmpeg, as ultrasound machines export them: a loop in grey.

Nothing in such a file says millimetres. Sound and every text stay behind. FrameTime is the mean time from one
kept frame to the next, so that the loop plays as fast as it was.
"""

from inference.formats import motion
from inference.formats.clip import clip_of
from inference.formats.sniff import sniff
from inference.formats.source import Source
from inference.formats.stack import PictureStack


def decode(source: Source) -> PictureStack:
    """(frames, rows, columns). The source has passed the gate."""
    kind = sniff(source.data)
    clip = clip_of(source.data, kind)
    return PictureStack(
        pixels=clip.frames,
        modality=source.modality,
        original_sha256=source.sha256,
        source_format=kind,
        pixel_aspect=None if clip.aspect == 1.0 else clip.aspect,
        acquisition=motion.spoken(count=clip.count, step=clip.step, interval=clip.interval),
    )
