"""Why a file could not become a picture stack: a stable code and one sentence."""

HTTP_STATUS = {
    "unsupported_type": 415,
    "extension_mismatch": 415,
    "too_large": 413,
    "empty_file": 422,
    "undecodable": 422,
    "decompression_bomb": 422,
    "dimensions": 422,
    "frames": 422,
    "no_pixel_data": 422,
    "unsupported_transfer_syntax": 422,
    "nonfinite": 422,
    "affine": 422,
    "modality_mismatch": 422,
    "unsafe_archive": 422,
}


class FormatError(Exception):
    """A file that cannot be read. `code` is for machines, `detail` for people."""

    def __init__(self, code: str, detail: str) -> None:
        if code not in HTTP_STATUS:
            raise ValueError(f"unknown format error code: {code}")
        super().__init__(detail)
        self.code = code
        self.detail = detail

    @property
    def status(self) -> int:
        """The HTTP status that says the same: 413, 415 or 422."""
        return HTTP_STATUS[self.code]
