"""What identifies a patient stands in the record alone: in no log, broker, temporary file or file name.

A canary goes through a real ./run by the ways in which somebody types, sends, searches or mistypes one.
"""

import re
import signal
import stat
import threading
from pathlib import Path

import pytest
import requests
from corpus.dicoms import file
from corpus.pictures import noise
from launched import Launcher

from accounts.installation import PUBLISHED_PASSWORD

pytestmark = pytest.mark.faults
CANARY = "ZZCANARY"


class Person:
    """Somebody at a browser: each form carries the token of the page it stands on."""

    def __init__(self, address: str, name: str) -> None:
        self.address, self.browser = address.rstrip("/"), requests.Session()
        self.send("/account/login/", login=name, password=PUBLISHED_PASSWORD)

    def look(self, path: str) -> requests.Response:
        return self.browser.get(self.address + path, timeout=60)

    def send(
        self, path: str, *, page: str = "", files: list | None = None, **filled: str
    ) -> requests.Response:
        """Fill in the form that stands on the page."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.look(page or path).text)
        assert token, path
        data = {"csrfmiddlewaretoken": token[1], **filled}
        return self.browser.post(self.address + path, data=data, files=files, timeout=120)


def open_a_case(reader: Person, patient_id: str) -> str:
    """Its path."""
    page = reader.look("/cases/new/").text
    kept = {
        name: re.search(rf'name="{name}"[^>]* value="([^"]+)"', page)[1] for name in ("department", "key")
    }
    opened = reader.send("/cases/new/", patient_id=patient_id, priority="0", question=f"{CANARY}?", **kept)
    return opened.url.removeprefix(reader.address).partition("?")[0]


def sent(name: str, content: bytes) -> list[tuple]:
    return [("scans", (name, content, "application/octet-stream"))]


def a_journey(reader: Person) -> None:
    """Opening, uploading, searching, filtering, and failing at each of them."""
    case = open_a_case(reader, CANARY)
    both = [threading.Thread(target=open_a_case, args=(reader, f"{CANARY}-2")) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    dicom = file(noise(64, 64), PatientID=f"{CANARY}-OTHER", PatientName=CANARY, AccessionNumber=CANARY)
    scans = f"{case}scans/"
    reader.send(scans, page=case, files=sent(f"{CANARY}.dcm", dicom), modality="mri")
    reader.send(
        scans,
        page=case,
        files=sent(f"{CANARY}.dcm", dicom),
        modality="mri",
        mismatch_reason=f"{CANARY} it is.",
    )
    reader.send(scans, page=case, files=sent(f"{CANARY}.png", b"no picture"), modality="ultrasound")
    reader.send("/", q=CANARY)
    for path in (f"/?q={CANARY}", f"/?search={CANARY}", f"{case}?scan={CANARY}"):
        reader.look(path)
    reader.send("/cases/new/", patient_id=CANARY * 20, question=CANARY, department=CANARY)
    reader.send(f"{case}reads/", page=case, kind="final", finding=CANARY, note=CANARY)
    reader.send("/account/login/", page=case, login=CANARY, password=CANARY)


def a_program(address: str, reader: Person) -> None:
    """The same through the API, with and without a right."""
    issued = reader.send("/account/tokens/", scope="all", days="7", password=PUBLISHED_PASSWORD).text
    token = re.search(r"ventra_\w{20,}", issued)[0]
    program = requests.Session()
    program.headers["Authorization"] = f"Token {token}"
    api = f"{address}api/v1/cases/"
    for query in ({"patient_id": CANARY}, {"number": CANARY}, {"no_such": CANARY}):
        program.get(api, params=query, timeout=60)
    for body in (
        {"patient_id": CANARY, "department": CANARY},
        {"patient_id": CANARY, "other": CANARY},
        CANARY,
    ):
        program.post(api, json=body, headers={"Idempotency-Key": CANARY}, timeout=60)
    requests.get(api, params={"patient_id": CANARY}, headers={"Authorization": f"Token {CANARY}"}, timeout=60)


def holding(folder: Path, *, content: bool) -> list[str]:
    """Files below whose name holds the canary, or whose content does."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [
        str(path)
        for path in files
        if CANARY in path.name or (content and CANARY.encode() in path.read_bytes())
    ]


def test_no_log_no_broker_no_temporary_file_and_no_file_name_holds_an_identity(tmp_path: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    temporary.mkdir()
    launcher = Launcher(home, TMPDIR=str(temporary))
    try:
        address = launcher.address()
        reader = Person(address, "reader")
        a_journey(reader)
        a_program(address, reader)
        assert holding(temporary, content=True) == []
        launcher.popen.send_signal(signal.SIGINT)
        said, _ = launcher.popen.communicate(timeout=120)
    finally:
        launcher.popen.kill()
        launcher.popen.communicate()
    assert CANARY not in launcher.said + said
    assert any(
        CANARY.encode() in path.read_bytes() for path in (home / "blobs").rglob("*") if path.is_file()
    ), "the original itself is kept, and is no place to look"
    for folder in ("logs", "valkey"):
        assert holding(home / folder, content=True) == []
    assert holding(home, content=False) == []
    assert {oct(stat.S_IMODE(log.stat().st_mode)) for log in (home / "logs").iterdir()} == {"0o600"}
