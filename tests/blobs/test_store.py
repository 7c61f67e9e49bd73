"""Bytes go in once, come out the same, and never half."""

import hashlib
import io
import os
from pathlib import Path

import pytest
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.storage import storages
from django.db import transaction

from blobs import store
from blobs.models import Blob
from blobs.store import BlobCorrupt, BlobUnavailable

pytestmark = pytest.mark.django_db
CONTENT = b"the bytes of a scan"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def folder() -> Path:
    """Where this test's blobs lie."""
    return Path(storages["blobs"].location)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


class TornUpload(io.BytesIO):
    """A stream that is read well once, when it is measured, and fails in the middle of the second time."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.passes = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self.passes += offset == 0 and whence == os.SEEK_SET
        return super().seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        if self.passes > 2:
            raise OSError("the disk is gone")
        return super().read(size)


def test_bytes_come_back_as_they_went_in():
    blob = store.put(CONTENT)
    assert (blob.sha256, blob.size) == (SHA256, len(CONTENT))
    assert store.read(SHA256) == CONTENT


def test_a_stream_is_stored_whole_from_its_beginning():
    stream = io.BytesIO(CONTENT * 100_000)
    blob = store.put(stream)
    assert blob.size == len(CONTENT) * 100_000
    assert store.read(blob.sha256) == CONTENT * 100_000


def test_no_bytes_at_all_are_bytes_too():
    assert store.read(store.put(b"").sha256) == b""


def test_the_same_bytes_are_kept_once(folder):
    assert store.put(CONTENT) == store.put(io.BytesIO(CONTENT))
    assert Blob.objects.count() == len(files(folder)) == 1


def test_a_blob_is_named_by_its_hash_and_nothing_else(folder):
    store.put(CONTENT)
    assert files(folder) == [folder / SHA256[:2] / SHA256[2:4] / SHA256]


def test_a_changed_blob_is_found_when_it_is_read(folder):
    store.put(CONTENT)
    [path] = files(folder)
    path.write_bytes(CONTENT.replace(b"scan", b"scam"))
    with pytest.raises(BlobCorrupt, match=f"{SHA256} has changed"):
        store.read(SHA256)
    assert list(store.corrupt()) == [f"blob {SHA256} has changed"]


def test_a_missing_blob_is_found(folder):
    store.put(CONTENT)
    [path] = files(folder)
    path.unlink()
    for door in (store.read, store.open_unverified):
        with pytest.raises(BlobUnavailable, match="missing"):
            door(SHA256)
    assert list(store.corrupt()) == [f"blob {SHA256} is missing"]


def test_what_is_whole_is_not_reported():
    store.put(CONTENT)
    assert list(store.corrupt()) == []


def test_a_failed_write_leaves_nothing(folder):
    with pytest.raises(OSError, match="the disk is gone"):
        store.put(TornUpload(CONTENT))
    assert files(folder) == []
    assert not Blob.objects.exists()


def test_after_a_failed_write_the_same_bytes_can_be_stored(folder):
    with pytest.raises(OSError, match="the disk is gone"):
        store.put(TornUpload(CONTENT))
    assert store.read(store.put(CONTENT).sha256) == CONTENT


def test_a_row_that_is_rolled_back_leaves_bytes_that_can_be_used_again(folder):
    with transaction.atomic():
        store.put(CONTENT)
        transaction.set_rollback(True)
    assert not Blob.objects.exists()
    assert len(files(folder)) == 1
    assert store.read(store.put(CONTENT).sha256) == CONTENT


@pytest.mark.parametrize("name", ["../../../../etc/passwd", "/etc/passwd"])
def test_a_name_that_leads_out_of_the_folder_is_refused(name):
    with pytest.raises(SuspiciousFileOperation):
        store.read(name)


@pytest.mark.parametrize("harm", [CONTENT.replace(b"scan", b"scam"), CONTENT[:-1], b"", CONTENT + b"."])
def test_good_bytes_put_again_heal_a_blob_that_has_changed(folder, harm):
    store.put(CONTENT)
    [path] = files(folder)
    path.write_bytes(harm)
    store.put(io.BytesIO(CONTENT))
    assert store.read(SHA256) == CONTENT
    assert files(folder) == [path]


def test_a_blob_that_is_whole_is_not_written_again(folder):
    store.put(CONTENT)
    [path] = files(folder)
    before = path.stat()
    store.put(CONTENT)
    assert path.stat().st_ino == before.st_ino
