"""The files that a scan was made of, to be taken away again."""

import zipfile
from tempfile import TemporaryFile
from typing import IO

from blobs import store
from cases.models import Scan


def as_zip(scan: Scan) -> IO[bytes]:
    """A ZIP file of a scan's originals, in the order of its slices, by number and hash; uncompressed.

    Raises BlobUnavailable.
    """
    archive = TemporaryFile()  # noqa: SIM115  # whoever sends it closes it
    with zipfile.ZipFile(archive, "w") as packed:
        for file in scan.files.all():
            name = f"{file.place + 1:04}-{file.blob_id[:12]}.dcm"
            with store.open_unverified(file.blob_id) as one, packed.open(name, "w") as member:
                for chunk in one.chunks():
                    member.write(chunk)
    archive.seek(0)
    return archive
