"""Pictures in motion through OpenCV's FFmpeg, built under the LGPL: frames one after another, in grey.

Long clips are thinned, never refused: limits.stride says every how many frames one is kept.
"""

import os
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from inference.formats.levels import Numbers
from inference.formats.limits import FRAMES, STACK_BYTES, check_frame
from inference.formats.spacing import plausible_aspect
from refusals import Refusal

READERS = {
    "mp4": "mov,mp4",
    "avi": "avi",
    "mpeg": "mpeg,mpegvideo,mpegts",
    "h264": "h264,mpegts,mov,mp4",
    "hevc": "hevc,mpegts,mov,mp4",
}
"""FFmpeg's readers for each kind; no other is asked, whatever a file looks like."""


@dataclass(frozen=True)
class Clip:
    """frames: (frames, rows, columns), every `step`-th of `count`.

    interval: ms from one frame to the next in the file. aspect: height of a pixel over its width, 1 where the
    file does not say it.
    """

    frames: Numbers
    count: int
    step: int
    interval: float | None
    aspect: float


def clip_of(data: bytes, kind: str) -> Clip:
    """Decode a video held in memory. Raises Refusal (`undecodable`, `dimensions`)."""
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = f"format_whitelist;{READERS[kind]}|protocol_whitelist;file"
    file = os.memfd_create("clip")
    with os.fdopen(file, "wb") as stream:
        stream.write(data)
        stream.flush()
        capture = cv2.VideoCapture(
            f"/proc/self/fd/{file}",
            cv2.CAP_FFMPEG,
            [cv2.CAP_PROP_N_THREADS, 1, cv2.CAP_PROP_HW_ACCELERATION, 0],
        )
        try:
            return _read(capture)
        finally:
            capture.release()


def _read(capture: Any) -> Clip:
    """One frame after another; whenever there is no room left, every second of those kept makes room."""
    kept: Numbers | None = None
    count, held, step = 0, 0, 1
    first = last = 0.0
    while capture.grab():
        last = capture.get(cv2.CAP_PROP_POS_MSEC)
        first = last if count == 0 else first
        if kept is not None and count % step == 0 and held == len(kept):
            held = _halved(kept)
            step *= 2
        if count % step == 0:
            grey = _grey(capture)
            if kept is None:
                check_frame(*grey.shape)
                kept = np.empty((min(FRAMES, STACK_BYTES // grey.size), *grey.shape), np.uint8)
            if grey.shape != kept.shape[1:]:
                raise Refusal("undecodable", "The video changes the size of its pictures.")
            kept[held] = grey
            held += 1
        count += 1
    if kept is None:
        raise Refusal("undecodable", "The video holds no picture that can be decoded; it may be cut short.")
    rate = capture.get(cv2.CAP_PROP_FPS)
    interval = (
        (last - first) / (count - 1) if count > 1 and last > first else (1000 / rate if rate > 0 else None)
    )
    return Clip(kept[:held], count, step, interval if count > 1 else None, _aspect(capture))


def _halved(kept: Numbers) -> int:
    """Every second frame moved to the front, one by one, so that none is held twice; how many they are."""
    half = (len(kept) + 1) // 2
    for place in range(1, half):
        kept[place] = kept[2 * place]
    return half


def _grey(capture: Any) -> Numbers:
    """(rows, columns), BT.601 luma."""
    whole, colour = capture.retrieve()
    if not whole:
        raise Refusal("undecodable", "A frame of the video cannot be decoded.")
    grey: Numbers = colour if colour.ndim == 2 else cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY)
    return grey


def _aspect(capture: Any) -> float:
    width, height = capture.get(cv2.CAP_PROP_SAR_NUM), capture.get(cv2.CAP_PROP_SAR_DEN)
    return plausible_aspect(height, width) or 1.0
