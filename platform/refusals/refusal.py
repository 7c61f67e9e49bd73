"""A stable code for programs, a sentence for people, and the table of all codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Code:
    """What a code means wherever it is said.

    status: as HTTP says it. field: the field of a form that is to be mended, "" where it is none. is_late:
    what a page offered is offered no more, as the case has moved on, so that no word in the form would help.
    retry_after: seconds after which the same may be taken, 0 where it will not.
    """

    status: int = 422
    field: str = ""
    is_late: bool = False
    retry_after: int = 0


PLAIN, LATE = Code(), Code(is_late=True)

FILES: Mapping[str, Code] = {
    "affine": PLAIN,
    "decompression_bomb": PLAIN,
    "dimensions": PLAIN,
    "empty_file": PLAIN,
    "extension_mismatch": Code(415),
    "frames": PLAIN,
    "modality_mismatch": PLAIN,
    "no_pixel_data": PLAIN,
    "nonfinite": PLAIN,
    "too_large": Code(413),
    "undecodable": PLAIN,
    "unsafe_archive": PLAIN,
    "unsupported_transfer_syntax": PLAIN,
    "unsupported_type": Code(415),
}
"""Why a file could not become a picture stack."""

SCANS: Mapping[str, Code] = {
    "blank": PLAIN,
    "coarse_slices": PLAIN,
    "head_too_long": PLAIN,
    "no_contrast": PLAIN,
    "no_head": PLAIN,
    "no_scale": PLAIN,
    "no_such_frame": Code(field="frames"),
    "not_a_head": PLAIN,
    "not_axial": PLAIN,
    "off_plane": PLAIN,
    "too_early": PLAIN,
    "too_small": PLAIN,
    "wrong_modality": PLAIN,
}
"""Why no network should judge a picture stack that was read: they are kept with the answer."""

CASES: Mapping[str, Code] = {
    "advice_answered": LATE,
    "already_withdrawn": LATE,
    "atrium_measured": LATE,
    "case_signed": LATE,
    "changed_since": LATE,
    "checksum_mismatch": Code(field="sha256"),
    "idempotency_key_reused": PLAIN,
    "line_too_short": Code(field="length_mm"),
    "not_a_reader": PLAIN,
    "not_for_a_record": PLAIN,
    "not_measurable": PLAIN,
    "not_now": LATE,
    "not_signed": PLAIN,
    "not_the_demo": PLAIN,
    "nothing_to_add": Code(field="known_series"),
    "nothing_to_explain": PLAIN,
    "nothing_to_take_back": LATE,
    "no_such_proposal": PLAIN,
    "no_such_suggestion": Code(field="follow_up"),
    "other_birth_date": Code(field="patient_birth_date"),
    "other_modality": Code(409),
    "patient_mismatch": Code(field="mismatch_reason"),
    "patient_signed": LATE,
    "reason_needed": Code(field="reason"),
    "same_birth_date": Code(field="birth_date"),
    "scale_not_plausible": Code(field="length_mm"),
    "scale_stated": LATE,
    "scan_withdrawn": LATE,
    "series_known": Code(409, field="known_series"),
    "too_many_uploads": Code(429),
    "too_many_waiting": Code(429, retry_after=60),
    "upload_committed": Code(409, is_late=True),
    "upload_full": Code(413),
}
"""Why a case, its scans and its reads stay as they are."""

WORK: Mapping[str, Code] = {
    "cannot_explain": PLAIN,
    "illegal_move": Code(409),
    "no_such_data": PLAIN,
    "no_torch": PLAIN,
    "training_refused": PLAIN,
    "two_of_a_kind": PLAIN,
    "upload_lost": PLAIN,
}
"""Why work is not done, however often it is tried, or not moved."""

MODELS: Mapping[str, Code] = {
    "bad_dtype": PLAIN,
    "bad_header": PLAIN,
    "bad_offsets": PLAIN,
    "bad_record": PLAIN,
    "duplicate_name": PLAIN,
    "not_safetensors": PLAIN,
    "pickle_refused": PLAIN,
    "not_finite": PLAIN,
    "smoke_failed": PLAIN,
    "tensor_count": PLAIN,
    "version_exists": PLAIN,
    "wrong_names": PLAIN,
    "wrong_shape": PLAIN,
}
"""Why a file of weights, or a move of a version, is not taken."""

ADDRESSES: Mapping[str, Code] = {
    "bad_address": PLAIN,
    "endpoint_disabled": PLAIN,
    "forbidden_address": PLAIN,
    "host_not_allowed": PLAIN,
    "unresolved": PLAIN,
}
"""Why a webhook is not called."""

INSTALLATIONS: Mapping[str, Code] = {
    "another_version": PLAIN,
    "backup_busy": PLAIN,
    "backup_changed": PLAIN,
    "database_programs": PLAIN,
    "no_backup": PLAIN,
    "nowhere_to_store": PLAIN,
    "place_in_use": PLAIN,
}
"""Why an installation is not put away, or not brought back; told to operators at the command line."""

CODES: Mapping[str, Code] = {**FILES, **SCANS, **CASES, **WORK, **MODELS, **ADDRESSES, **INSTALLATIONS}


class Refusal(Exception):
    """Nothing was changed, and the same again would be refused again unless its code says otherwise.

    code: one of CODES. detail: one sentence. sentences: the same, and what else a page says of it, such as
    what has changed since it was opened. named: what else programs are told, as plain JSON values, such as
    the scan that is in the way. field: where the form in hand has another field for it than the table says.
    """

    def __init__(
        self, code: str, detail: str = "", more: Sequence[str] = (), *, field: str = "", **named: Any
    ) -> None:
        if code not in CODES:
            raise ValueError(f"unknown refusal: {code}")
        super().__init__(code, detail, more)
        self.code, self.detail, self.named = code, detail, named
        self.field = field or CODES[code].field
        self.sentences = [detail, *more]

    def __str__(self) -> str:
        return " ".join(self.sentences)

    @property
    def status(self) -> int:
        """The HTTP status that says the same."""
        return CODES[self.code].status

    @property
    def is_late(self) -> bool:
        """Whether the case has moved on, so that no word in a form would help."""
        return CODES[self.code].is_late

    @property
    def retry_after(self) -> int:
        """Seconds after which the same may be taken, 0 where it will not."""
        return CODES[self.code].retry_after
