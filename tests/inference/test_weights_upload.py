"""Weights from outside: checked before they are opened, run once in a child, or refused with the reason."""

import json
import os
import struct
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import engine_models
import numpy as np
import pytest
import safetensors.torch
import torch
from conftest import PASSWORD
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from refused import refused

from audit.models import Event
from blobs.models import Blob
from inference.engine.networks import NETWORKS
from inference.engine.records import NETWORK_NAMES, WeightsRecord
from inference.engine.weights import smoke
from inference.engine.weights.weights_file import MAX_HEADER_BYTES, MAX_TENSORS, inspect
from inference.jobs import lease
from inference.jobs import state as jobs
from inference.jobs import sweep as sweeper
from inference.models import Job, ModelVersion
from inference.registry import service as registry
from inference.registry import weights_upload
from refusals import Refusal

NETWORK = "modified_cnn"
GOOD = engine_models.packed(NETWORK)


def file(header: dict | bytes, data: bytes = b"", length: int | None = None) -> bytes:
    """A safetensors file with any header at all."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(shape: list, start: int, stop: int, dtype: str = "F32") -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


HOSTILE = {
    "empty": (b"", "bad_header"),
    "a PyTorch archive": (b"PK\x03\x04" + b"\0" * 64, "pickle_refused"),
    "a pickle": (b"\x80\x04}\x94.", "pickle_refused"),
    "a Keras file": (b"\x89HDF\r\n\x1a\n" + b"\0" * 64, "not_safetensors"),
    "a header longer than the file": (file(b"{}", length=1 << 40), "bad_header"),
    "a header longer than allowed": (file(b" " * (MAX_HEADER_BYTES + 1)), "bad_header"),
    "a header that is no JSON": (file(b"{not json"), "bad_header"),
    "a header nested too deep": (file(b"[" * 200_000), "bad_header"),
    "a header that is a list": (file(b"[]"), "bad_header"),
    "no tensors": (file({}), "tensor_count"),
    "too many tensors": (file({str(n): tensor([0], 0, 0) for n in range(MAX_TENSORS + 1)}), "tensor_count"),
    "one name twice": (file(b'{"a": 1, "a": 2}'), "duplicate_name"),
    "a tensor without a shape": (file({"a": {"dtype": "F32"}}), "bad_header"),
    "a negative offset": (file({"a": tensor([1], -4, 0)}), "bad_header"),
    "a fractional shape": (file({"a": tensor([1.0], 0, 4)}, b"\0" * 4), "bad_header"),
    "an unknown type": (file({"a": tensor([1], 0, 8, "F64")}, b"\0" * 8), "bad_dtype"),
    "fewer bytes than the shape": (file({"a": tensor([2], 0, 4)}, b"\0" * 4), "bad_offsets"),
    "overlapping tensors": (file({"a": tensor([2], 0, 8), "b": tensor([1], 4, 8)}, b"\0" * 8), "bad_offsets"),
    "a gap between tensors": (
        file({"a": tensor([1], 0, 4), "b": tensor([1], 8, 12)}, b"\0" * 12),
        "bad_offsets",
    ),
    "bytes that no tensor owns": (file({"a": tensor([1], 0, 4)}, b"\0" * 5), "bad_offsets"),
    "a file cut short": (GOOD[:-1], "bad_offsets"),
    "an empty zip archive": (b"PK\x05\x06" + b"\0" * 18, "pickle_refused"),
    "an ONNX file": (b"\x08\x07\x12\x07pytorch" + b"\0" * 64, "not_safetensors"),
    "a compressed file": (b"\x1f\x8b\x08" + b"\0" * 64, "not_safetensors"),
    "a header in another encoding": (file('{"a": 1}'.encode("utf-16")), "bad_header"),
    "a header nested too deep in a table": (file(b'{"a":' + b"[" * 200_000), "bad_header"),
    "a name with a control character": (file({"\0": tensor([1], 0, 4)}, b"\0" * 4), "bad_header"),
    "a name with half a character": (file(b'{"\\ud800": 1}'), "bad_header"),
    "a type that is a list": (file({"a": tensor([1], 0, 4, [])}, b"\0" * 4), "bad_dtype"),
    "a tensor that says more than it should": (file({"a": tensor([0], 0, 0) | {"run": "me"}}), "bad_header"),
    "a tensor that is a list": (file({"a": [1, 2, 3]}), "bad_header"),
    "three offsets": (file({"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0, 0]}}), "bad_header"),
    "a shape that says yes": (file({"a": tensor([True], 0, 4)}, b"\0" * 4), "bad_header"),
    "remarks that are no text": (file({"__metadata__": [1], "a": tensor([0], 0, 0)}), "bad_header"),
    "a shape whose product would take a minute": (
        file({"a": tensor([2**27 - 1] * 80_000, 0, 4)}, b"\0" * 4), "bad_header",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_header_is_refused_with_its_code_before_anything_is_parsed(name):
    content, code = HOSTILE[name]
    with pytest.raises(Refusal) as refused:
        inspect(content)
    assert refused.value.code == code
    assert refused.value.detail.endswith((".", "FILE.safetensors"))


def test_a_pytorch_file_is_refused_with_the_command_that_converts_it():
    with pytest.raises(Refusal, match=r"backbones convert FILE\.pth FILE\.safetensors"):
        inspect(b"PK\x03\x04")


@pytest.mark.parametrize("length", [0x80, 0x280, 0x308, 0x58])
def test_a_good_file_is_not_taken_for_another_by_the_length_of_its_header(length):
    text = json.dumps({"a": tensor([1], 0, 4)}).encode().ljust(length)
    assert [entry.name for entry in inspect(file(text, b"\0" * 4))] == ["a"]


def test_a_good_file_is_read_tensor_by_tensor():
    assert len(inspect(GOOD)) == len(safetensors.torch.load(GOOD))


def test_the_names_of_the_networks_are_known_without_torch():
    assert set(NETWORKS) == set(NETWORK_NAMES)


def changed(change) -> bytes:
    tensors = safetensors.torch.load(GOOD)
    change(tensors)
    return safetensors.torch.save(tensors)


def rename(tensors):
    tensors["another"] = tensors.pop("head.1.bias")


def reshape(tensors):
    tensors["head.1.bias"] = torch.zeros(3)


def spoil(tensors):
    tensors["head.1.bias"][0] = np.nan


def overflow(tensors):
    tensors["head.1.weight"].fill_(3e38)


def recount(tensors):
    tensors["head.1.bias"] = torch.zeros(2, dtype=torch.int64)


@pytest.fixture
def upload(db, manager, run_jobs):
    """Upload as a page does, let a worker check it, and give back the job as it ended."""

    def send(content: bytes, *, version: str = "7.1", record: bytes = b"") -> Job:
        job = weights_upload.submit(NETWORK, "ultrasound", version, content, record, by=manager)
        run_jobs()
        job.refresh_from_db()
        assert not waiting_files()
        return job

    return send


def waiting_files() -> list[Path]:
    return list((Path(settings.WORK_ROOT) / "uploads").glob("*"))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (rename, "wrong_names"),
        (reshape, "wrong_shape"),
        (spoil, "not_finite"),
        (overflow, "smoke_failed"),
        (recount, "bad_dtype"),
    ],
)
def test_weights_that_do_not_fit_or_do_not_run_are_refused(change, code):
    with pytest.raises(Refusal) as refused:
        smoke.first_run(changed(change), NETWORKS[NETWORK], "ultrasound")
    assert refused.value.code == code


def test_a_refused_file_leaves_nothing_but_a_line_in_the_audit(upload):
    job = upload(changed(spoil))
    assert (job.state, job.failure_code) == ("failed", "not_finite")
    assert not ModelVersion.objects.exists()
    assert not Blob.objects.exists()
    (event,) = Event.objects.filter(verb="model.upload_refused")
    assert event.detail["code"] == "not_finite"


def test_a_good_file_becomes_a_draft_that_cannot_answer_before_it_is_measured(upload, manager):
    job = upload(GOOD)
    version = job.model_version
    assert (job.state, version.state, version.preprocessing) == (
        "succeeded",
        "draft",
        "ultrasound-outline-2-128",
    )
    assert upload(GOOD).model_version == version, "the same upload again is the same version"
    assert upload(engine_models.packed(NETWORK, seed=1)).failure_code == "version_exists"
    with refused("illegal_move"):
        registry.activate(version, by=manager, reason="a test")


def test_a_record_brings_threshold_and_card_but_not_the_right_to_answer(upload):
    stated = engine_models.record_of(GOOD, NETWORK, threshold=0.31, card={"data": "a test"})
    version = upload(GOOD, record=stated.to_json()).model_version
    assert (version.threshold, version.card, version.state) == (0.31, {"data": "a test"}, "draft")


@pytest.mark.parametrize(
    "change",
    [
        {"network": "cnn"},
        {"weights_sha256": "0" * 64},
        {"threshold": 1.5},
        {"temperature": 0.0},
        {"card": [1]},
    ],
)
def test_a_record_of_something_else_is_refused(change):
    own = engine_models.record_of(GOOD, NETWORK)
    with pytest.raises(Refusal) as refused:
        weights_upload.adopted(own, WeightsRecord(**(asdict(own) | change)).to_json())
    assert refused.value.code == "bad_record"


def form(content: bytes, **changes) -> dict:
    sent = {"network": NETWORK, "modality": "ultrasound", "version": "7.1", "password": PASSWORD}
    return sent | {"weights": SimpleUploadedFile("w.safetensors", content)} | changes


@pytest.mark.django_db
def test_a_model_manager_uploads_on_a_page(manager, client_of, run_jobs):
    page = client_of(manager)
    waits = page.post("/models/upload/", form(GOOD), follow=True)
    assert "Waits for a worker" in waits.content.decode()
    run_jobs()
    done = page.get(waits.redirect_chain[0][0]).content.decode()
    assert "modified_cnn 7.1" in page.get("/models/work/").content.decode()
    assert "is registered, draft" in done
    refused = page.post("/models/upload/", form(b"PK\x03\x04"))
    assert refused.status_code == 422
    assert "(pickle_refused)" in refused.content.decode()


@pytest.mark.django_db
def test_a_file_that_does_not_run_is_refused_on_the_page_of_its_check(manager, client_of, run_jobs):
    page = client_of(manager)
    waits = page.post("/models/upload/", form(changed(spoil)), follow=True)
    run_jobs()
    said = page.get(waits.redirect_chain[0][0]).content.decode()
    assert "Nothing was stored." in said
    assert "not_finite" in said


@pytest.mark.django_db
def test_the_same_file_sent_twice_is_checked_twice_and_registered_once(manager, run_jobs):
    sent = [weights_upload.submit(NETWORK, "ultrasound", "7.3", GOOD, b"", by=manager) for _ in range(2)]
    run_jobs()
    states = [Job.objects.get(pk=job.pk).state for job in sent]
    assert states == ["succeeded", "succeeded"]
    assert ModelVersion.objects.filter(version="7.3").count() == 1


@pytest.mark.django_db
def test_a_file_whose_check_was_cancelled_is_forgotten_after_a_week(manager, run_jobs):
    job = weights_upload.submit(NETWORK, "ultrasound", "7.4", GOOD, b"", by=manager)
    jobs.cancel(job, by=manager)
    (left,) = waiting_files()
    os.utime(left, (0, 0))
    young = weights_upload.submit(NETWORK, "ultrasound", "7.5", GOOD, b"", by=manager)
    weights_upload.tidy()
    assert [path.name for path in waiting_files()] == [young.parameters["file"]]


@pytest.mark.django_db
def test_a_worker_that_dies_over_an_upload_leaves_it_to_the_next(manager, run_jobs):
    job = weights_upload.submit(NETWORK, "ultrasound", "7.2", GOOD, b"", by=manager)
    (held,) = lease.claim(job.pk)
    Job.objects.filter(pk=job.pk).update(lease_until=Now() - timedelta(seconds=1))
    sweeper.sweep()
    Job.objects.filter(pk=job.pk).update(not_before=Now())
    run_jobs()
    assert ModelVersion.objects.filter(version="7.2").count() == 1
    with pytest.raises(lease.Fenced):
        lease.finish(held)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "said"), [({"password": "wrong"}, "not your password"), ({"version": "v1"}, "Enter a valid")]
)
def test_nothing_is_uploaded_without_the_password_or_a_version_number(changes, said, manager, client_of):
    refused = client_of(manager).post("/models/upload/", form(GOOD, **changes))
    assert said in refused.content.decode()
    assert not ModelVersion.objects.exists()


@pytest.mark.django_db
def test_nobody_else_uploads(alice, auditor, client_of):
    for who in (alice, auditor):
        assert client_of(who).post("/models/upload/", form(GOOD)).status_code == 403
