"""Files on the case page: every one is added, already there, or refused with a sentence."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from audit.models import Event
from blobs.models import Blob
from cases.models import Scan

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(case, client_of, alice):
    """Send files as the page's script does (script=True) or as its plain form does."""
    client = client_of(alice)

    def sent(*files: tuple[str, bytes], modality: str = "ultrasound", script: bool = True):
        headers = {"Accept": "application/json"} if script else {"Accept": "text/html"}
        uploads = [SimpleUploadedFile(name, content) for name, content in files]
        body = {"scans": uploads, "modality": modality}
        return client.post(f"/cases/{case.pk}/scans/", body, headers=headers)

    return sent


def test_a_file_becomes_a_scan(send, phantom_png, case):
    response = send(("head.png", phantom_png()))
    assert response.status_code == 201
    (outcome,) = response.json()["outcomes"]
    assert (outcome["outcome"], outcome["scan"]) == ("added", 1)
    assert outcome["sentence"].startswith("Added as scan 1.")
    assert case.scans.get().image.modality == "ultrasound"


def test_sending_a_file_again_adds_nothing(send, phantom_png):
    send(("head.png", phantom_png()))
    response = send(("again.png", phantom_png()))
    assert response.status_code == 200
    assert response.json()["outcomes"][0]["sentence"].startswith("Already here as scan 1.")
    assert Scan.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("empty.png", b"", 422, "empty_file"),
        ("words.png", b"these are words", 415, "unsupported_type"),
        ("cut.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 422, "undecodable"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_reason(name, content, status, code, send, case):
    response = send((name, content))
    (outcome,) = response.json()["outcomes"]
    assert (response.status_code, outcome["code"], outcome["outcome"]) == (status, code, "refused")
    assert outcome["sentence"].endswith(".")
    assert not Scan.objects.exists()
    assert not Blob.objects.exists()
    (event,) = Event.objects.filter(verb="scan.refused", thread=case.thread)
    assert event.detail["code"] == code


def test_a_file_that_is_too_large_is_refused(send, phantom_png, settings):
    settings.MAX_UPLOAD_BYTES = 1000
    response = send(("large.png", phantom_png()))
    assert response.status_code == 413
    assert response.json()["outcomes"][0]["code"] == "too_large"


def test_the_modality_must_be_said(send, phantom_png):
    response = send(("head.png", phantom_png()), modality="")
    assert response.status_code == 400
    assert response.json()["sentence"] == "Say whether these are ultrasound or MRI scans."
    assert not Scan.objects.exists()


def test_the_plain_form_takes_many_files_and_goes_back_to_the_case(send, phantom_png, case):
    files = [(f"{seed}.png", phantom_png(seed=seed)) for seed in (1, 2)]
    response = send(*files, script=False)
    assert response.status_code == 302
    assert response.headers["Location"] == f"{case.get_absolute_url()}?scan=2"
    assert case.scans.count() == 2


def test_the_plain_form_says_what_became_of_each_file(send, phantom_png, case):
    response = send(("good.png", phantom_png()), ("bad.png", b"words"), script=False)
    page = response.content.decode()
    assert response.status_code == 422
    assert "Added as scan 1." in page
    assert "bad.png" in page
    assert "Nothing of it was kept." in page
    assert case.scans.count() == 1


def test_a_single_refused_file_answers_with_its_own_status(send):
    assert send(("bad.png", b"words"), script=False).status_code == 415


def test_a_plain_form_without_a_file_says_so(case, client_of, alice):
    where = f"/cases/{case.pk}/scans/"
    page = client_of(alice).post(where, {"modality": "mri"}).content.decode()
    assert "Choose at least one file." in page
    assert "Nothing was added. Choose the files again." in page
    assert re.search(r'value="mri"[^>]*checked', page), "what was chosen is chosen still"
