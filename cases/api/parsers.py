"""The upload door."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import DataAndFiles, MultiPartParser

from refusals import Refusal

ENVELOPE_BYTES = 1024 * 1024  # the other fields and the boundaries


class UploadParser(MultiPartParser):
    """multipart/form-data whose announced length is checked before a byte of it is spooled."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> "DataAndFiles[Any, Any]":
        """As the framework does it; Refusal too_large beyond MAX_UPLOAD_BYTES.

        Django reads no more than the announced length, so a false announcement gains nothing.
        """
        context = dict(parser_context or {})
        length = int(context["request"].META.get("CONTENT_LENGTH") or 0)
        if length > settings.MAX_UPLOAD_BYTES + ENVELOPE_BYTES:
            limit = settings.MAX_UPLOAD_BYTES >> 20
            raise Refusal("too_large", f"The file is larger than the limit of {limit} MiB.")
        return super().parse(stream, media_type, context)
