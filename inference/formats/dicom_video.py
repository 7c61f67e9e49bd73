"""DICOM whose transfer syntax is a video (MPEG-2, MPEG-4 AVC, HEVC): its stream goes through FFmpeg."""

import dataclasses

import pydicom.encaps

from inference.formats.clip import clip_of
from inference.formats.dicom import identify, opened, stack_of
from inference.formats.headers.dicom_syntaxes import video_of
from inference.formats.source import Source
from inference.formats.stack import PictureStack
from refusals import Refusal

MOST_LACKING = 0.1
"""Encoders drop a frame or two at the end; a stream that lacks a tenth of its frames is cut short."""

__all__ = ["decode", "identify"]


def decode(source: Source) -> PictureStack:
    """(frames, rows, columns) of 8 bits. The source has passed the gate."""
    header, dataset = opened(source)
    stream = pydicom.encaps.get_frame(dataset.PixelData, 0, number_of_frames=1)
    clip = clip_of(stream, video_of(header.transfer_syntax) or "")
    if clip.frames.shape[1:] != (header.rows, header.columns):
        raise Refusal("undecodable", "The video in the DICOM file has other sides than the file says.")
    if clip.count < (1 - MOST_LACKING) * header.frames:
        raise Refusal("undecodable", "The video in the DICOM file holds fewer frames than it says.")
    as_decoded = dataclasses.replace(header, frames=clip.count)
    return stack_of(source, as_decoded, dataset, clip.frames, interval=clip.interval)
