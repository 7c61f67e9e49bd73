"""What a file may ask of us, checked on its header before any library runs.

The figures follow measured attacks: a 398 KB deflated DICOM that inflates to 846 MB, a 67-byte PNG that
declares 50 000 x 50 000 pixels, a 165 KB progressive JPEG that takes ten seconds of CPU.
"""

import mmap

from refusals import Refusal

Data = bytes | mmap.mmap

MIB = 1024 * 1024

FILE_BYTES = 256 * MIB  # a file as it arrives
STACK_BYTES = 256 * MIB  # a decoded stack as it is kept: 1 or 2 bytes a pixel
VOLUME_BYTES = 512 * MIB  # a NIfTI volume in its own data type, which is held whole while it is scaled
FRAMES = 1024
PICTURE_PIXELS = 40_000_000
SIDE_LEAST = 32  # in square pixels: of thick slices seen from the side there are few, each of them broad
SIDE_LEAST_STORED = 8
SIDE_MOST = 16_384
ASPECT_MOST = 20
RATIO_MOST = 200  # decoded bytes for each stored byte ...
RATIO_FROM = (
    64 * MIB
)  # ... asked only where it could hurt: an empty small picture may be as empty as it likes


def check_file_bytes(size: int) -> None:
    """Refuse an empty file (`empty_file`) or one beyond FILE_BYTES (`too_large`)."""
    if size == 0:
        raise Refusal("empty_file", "The file is empty.")
    if size > FILE_BYTES:
        raise Refusal("too_large", f"The file is larger than {FILE_BYTES // MIB} MiB.")


def check_ratio(decoded_bytes: int, file_bytes: int) -> None:
    """Refuse a file that would grow beyond reason when decoded (`decompression_bomb`)."""
    if decoded_bytes > RATIO_FROM and decoded_bytes > RATIO_MOST * file_bytes:
        raise Refusal(
            "decompression_bomb",
            f"The file would grow more than {RATIO_MOST} times, to {decoded_bytes // MIB} MiB, when decoded.",
        )


def check_frame(rows: int, columns: int, aspect: float = 1.0) -> None:
    """Refuse a frame whose sides are too short, too long or too unequal (`dimensions`).

    aspect: height of a pixel over its width; sides are judged as they would be in square pixels.
    """
    height, width = round(rows * max(aspect, 1.0)), round(columns / min(aspect, 1.0))
    short, long = sorted((height, width))
    if short < SIDE_LEAST or min(rows, columns) < SIDE_LEAST_STORED:
        raise Refusal("dimensions", f"{columns} x {rows} pixels: each side needs {SIDE_LEAST} or more.")
    if long > SIDE_MOST or height * width > PICTURE_PIXELS:
        most = PICTURE_PIXELS // 1_000_000
        raise Refusal(
            "dimensions",
            f"{columns} x {rows} pixels: a side may have {SIDE_MOST} and a frame {most} million at most.",
        )
    if long > ASPECT_MOST * short:
        raise Refusal("dimensions", f"{columns} x {rows} pixels is too narrow for a scan.")


def check_stack(frames: int, rows: int, columns: int, pixel_bytes: int, aspect: float = 1.0) -> None:
    """Refuse a stack of frames that is empty, too long or too large to keep.

    pixel_bytes: bytes of one grey pixel as kept, 1 or 2. aspect: see check_frame.
    Codes: `frames`, `dimensions`.
    """
    if not 1 <= frames <= FRAMES:
        raise Refusal("frames", f"{frames} frames: a scan has between 1 and {FRAMES}.")
    check_frame(rows, columns, aspect)
    if frames * rows * columns * pixel_bytes > STACK_BYTES:
        raise Refusal(
            "dimensions",
            f"{frames} frames of {columns} x {rows} pixels are more than {STACK_BYTES // MIB} MiB decoded.",
        )


def stride(frames: int, frame_bytes: int) -> int:
    """Every how many frames one is kept: the smallest power of two by which a clip fits the limits."""
    room, step = max(min(FRAMES, STACK_BYTES // max(frame_bytes, 1)), 1), 1
    while -(-frames // step) > room:
        step *= 2
    return step
