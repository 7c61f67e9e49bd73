"""Many files together: looked at first, then scans; by API and by page, cut off and taken up again."""

import hashlib
import io
import zipfile

import pytest
from corpus import series as made
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db.models.functions import Now

from audit.models import Event
from blobs import store
from blobs.models import Blob
from cases import verification
from cases.models import Scan, ScanFile, UploadedPart, UploadSession
from cases.uploads import committing, service, staging

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(api, alice):
    return api(alice)


@pytest.fixture
def opened(program, case):
    """An upload session of Alice's case, as the API shows it."""
    answer = program.post(f"/api/v1/cases/{case.pk}/uploads/", {"modality": "mri"}, "application/json")
    assert answer.status_code == 201
    return answer.json()


def sent(program, session, name: str, content: bytes, sha256: str = ""):
    body = {
        "file": SimpleUploadedFile(name, content),
        "name": name,
        "sha256": sha256 or hashlib.sha256(content).hexdigest(),
    }
    return program.post(session["url"] + "parts/", body)


def send_all(program, session, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        assert sent(program, session, name, content).status_code == 201, name


def commit(program, session, **said):
    return program.post(session["url"] + "commit/", said, "application/json")


def test_a_folder_becomes_what_was_shown_before_anything_was_stored(
    program, opened, case, django_capture_on_commit_callbacks
):
    files = made.folder()
    send_all(program, opened, files)
    shown = program.get(opened["url"]).json()
    assert [one["summary"] for one in shown["groups"]] == [
        "Series 3, T2 coronal: 6 slices, one volume",
        "Series 4, T2 sagittal: 4 slices, one volume",
        "notes.txt: Left out",
        "Report: Left out",
        "Series 1, localiser: Left out",
    ]
    assert len(shown["parts"]) == len(files)
    assert not Scan.objects.exists()
    assert not Blob.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        done = commit(program, opened).json()
    assert (done["state"], [one["status"] for one in done["outcomes"]]) == ("committed", ["added", "added"])
    assert [(scan.number, scan.image.frames, scan.image.slice_spacing) for scan in case.scans.all()] == [
        (1, 6, 3.0),
        (2, 4, 3.0),
    ]
    assert not staging.folder(UploadSession.objects.get().pk).exists()


def test_the_original_files_are_bound_to_the_scan_each_by_its_hash(program, opened, case):
    volume = made.voxels()
    send_all(program, opened, made.slice_files(volume))
    commit(program, opened)
    scan = case.scans.get()
    in_order = [hashlib.sha256(made.slice_file(volume[k], k)).hexdigest() for k in range(6)]
    assert list(scan.files.values_list("blob_id", flat=True)) == in_order
    assert scan.file_name == "study"
    assert [file.name for file in scan.files.all()] != sorted(file.name for file in scan.files.all())
    listed = program.get(f"/api/v1/scans/{scan.pk}/original")
    assert listed.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(listed.streaming_content))) as archive:
        hashes = [hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()]
    assert hashes == in_order
    assert list(verification.faults()) == []
    assert "everything is what it was" in _verified().lower()


def _verified() -> str:
    out = io.StringIO()
    call_command("verify", stdout=out)
    return out.getvalue()


def test_a_file_that_is_no_longer_the_scans_own_is_named(program, opened, case, intruder):
    send_all(program, opened, made.slice_files())
    commit(program, opened)
    intruder("UPDATE cases_scanfile SET place = 9 WHERE place = 0")
    assert list(verification.faults()) == [
        f"scan {case.scans.get().pk} was not made of the files that are said to be its"
    ]


def test_a_session_that_is_cut_off_in_the_middle_is_taken_up_again(program, opened, api, alice, case):
    files = made.slice_files()
    send_all(program, opened, dict(list(files.items())[:3]))
    name, content = list(files.items())[3]
    refused = sent(program, opened, name, content[:-100], hashlib.sha256(content).hexdigest())
    assert (refused.status_code, refused.json()["code"]) == (422, "checksum_mismatch")
    again = api(alice)
    here = again.get(opened["url"]).json()
    assert [group["slices"] for group in here["groups"]] == [3]
    arrived = {part["sha256"] for part in here["parts"]}
    assert len(arrived) == 3
    for name, content in files.items():
        is_here = hashlib.sha256(content).hexdigest() in arrived
        assert sent(again, opened, name, content).status_code == (200 if is_here else 201)
    assert commit(again, opened).status_code == 200
    assert commit(again, opened).json()["outcomes"] == commit(again, opened).json()["outcomes"]
    assert case.scans.get().image.frames == 6
    assert sent(again, opened, "late", b"late").json()["code"] == "upload_committed"
    assert Event.objects.filter(verb="scan.added").count() == 1
    assert Event.objects.filter(verb="upload.part_added").count() == 6
    assert Event.objects.filter(verb="upload.committed").count() == 1


def test_a_commit_that_is_cut_short_goes_on_where_it_stopped(program, opened, case, alice):
    send_all(program, opened, made.folder())
    session = UploadSession.objects.get()
    ticks = iter(range(0, 1000, 100))
    progress = committing.commit(session, by=alice, clock=lambda: float(next(ticks)))
    assert (len(progress.done), progress.left, case.scans.count()) == (1, 1, 1)
    assert commit(program, opened).status_code == 200
    assert case.scans.count() == 2


def test_a_zip_file_is_its_members(program, opened, case):
    files = made.folder()
    archive = made.zipped(files)
    assert sent(program, opened, "study.zip", archive).status_code == 201
    assert sent(program, opened, "study.zip", archive).status_code == 200
    shown = program.get(opened["url"]).json()
    assert sum(part["is_archive"] for part in shown["parts"]) == 1
    assert {part["name"] for part in shown["parts"] if part["inside_archive"]} == set(files)
    commit(program, opened)
    assert [scan.image.frames for scan in case.scans.all()] == [6, 4]


def test_an_archive_that_is_not_in_order_is_refused_and_nothing_of_it_is_kept(program, opened):
    hostile = made.zipped({"good.dcm": made.localiser(), "../../etc/passwd": b"x"})
    refused = sent(program, opened, "study.zip", hostile)
    assert (refused.status_code, refused.json()["code"]) == (422, "unsafe_archive")
    assert not UploadedPart.objects.exists()
    assert list(staging.folder(UploadSession.objects.get().pk).iterdir()) == []


def test_another_patients_series_needs_a_reason(program, opened, case):
    send_all(program, opened, made.slice_files(PatientID="P-2"))
    refused = commit(program, opened)
    assert (refused.status_code, refused.json()["code"]) == (422, "patient_mismatch")
    assert not Scan.objects.exists()
    assert commit(program, opened, mismatch_reason="Her maiden record.").status_code == 200
    assert case.scans.get().identity.mismatch == ["PatientID"]


@pytest.fixture
def held(program, opened, case):
    """The first four of six slices are scan 1 of the case; a further session holds the other two."""
    volume = made.voxels()
    files = {str(k): made.slice_file(volume[k], k) for k in range(6)}
    send_all(program, opened, {name: files[name] for name in "0123"})
    commit(program, opened)
    late = program.post(f"/api/v1/cases/{case.pk}/uploads/", {"modality": "mri"}, "application/json").json()
    send_all(program, late, {name: files[name] for name in "45"})
    return late


def test_late_slices_of_a_known_series_ask(program, held, case):
    assert program.get(held["url"]).json()["groups"][0]["known_scan"] == 1
    refused = commit(program, held)
    assert (refused.status_code, refused.json()["code"], refused.json()["scan"]) == (409, "series_known", 1)
    assert case.scans.count() == 1


def test_late_slices_join_the_others_in_one_volume(program, held, case):
    assert commit(program, held, known_series="join").status_code == 200
    first, second = case.scans.all()
    assert (first.is_withdrawn, second.is_withdrawn, second.image.frames) == (True, False, 6)
    assert "scan 2" in first.withdrawal.note
    assert second.files.count() == 6


def test_late_slices_become_a_scan_of_their_own_or_are_left_out(program, held, case):
    assert commit(program, held, known_series="leave_out").json()["code"] == "nothing_to_add"
    assert commit(program, held, known_series="separate").status_code == 200
    assert [(scan.image.frames, scan.is_withdrawn) for scan in case.scans.all()] == [(4, False), (2, False)]


def test_one_late_slice_by_the_single_file_call_asks_too(program, held, case):
    file = SimpleUploadedFile("late.dcm", made.slice_file(made.voxels()[5], 5))
    refused = program.post(f"/api/v1/cases/{case.pk}/scans/", {"file": file, "modality": "mri"})
    assert (refused.status_code, refused.json()["code"]) == (409, "series_known")
    assert case.scans.count() == 1


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_one_late_slice_on_the_page_leads_to_the_question_and_waits_there(
    accept, held, case, client_of, alice
):
    client = client_of(alice)
    file = SimpleUploadedFile("late.dcm", made.slice_file(made.voxels()[5], 5))
    sent = {"scans": file, "modality": "mri"}
    answer = client.post(f"/cases/{case.pk}/scans/", sent, headers={"accept": accept})
    page = answer["Location"] if accept == "text/html" else answer.json()["outcomes"][0]["page"]
    assert answer.status_code == (302 if accept == "text/html" else 409)
    asked = client.get(page).content.decode()
    assert "known_series" in asked
    assert case.scans.count() == 1
    assert client.post(page, {"known_series": "separate"}).status_code == 302
    assert [scan.image.frames for scan in case.scans.all()] == [4, 1]


def test_the_same_series_again_is_the_scan_that_is_there(program, opened, case):
    files = made.slice_files()
    send_all(program, opened, files)
    commit(program, opened)
    again = program.post(f"/api/v1/cases/{case.pk}/uploads/", {"modality": "mri"}, "application/json").json()
    send_all(program, again, files)
    assert [one["status"] for one in commit(program, again).json()["outcomes"]] == ["known"]
    assert case.scans.count() == 1


def test_limits_of_one_session_and_of_one_person(program, opened, case, alice, settings, monkeypatch):
    settings.MAX_SESSION_BYTES = 10_000
    full = sent(program, opened, "a.bin", bytes(10_001))
    assert (full.status_code, full.json()["code"]) == (413, "upload_full")
    packed = sent(program, opened, "a.zip", made.zipped({"a": bytes(range(256)) * 50}))
    assert (packed.status_code, packed.json()["code"]) == (413, "upload_full")
    assert not UploadedPart.objects.exists()
    monkeypatch.setattr(service, "MOST_SESSIONS", 1)
    more = program.post(f"/api/v1/cases/{case.pk}/uploads/", {"modality": "mri"}, "application/json")
    assert (more.status_code, more.json()["code"]) == (429, "too_many_uploads")


def test_abandoned_sessions_are_forgotten_with_their_files_and_others_are_not(program, opened, case, alice):
    sent(program, opened, "a", b"abandoned")
    other = service.open_session(case, "mri", by=alice)
    staging.put(other.pk, [b"kept"])
    first = UploadSession.objects.exclude(pk=other.pk)
    first.update(touched_at=Now() - service.KEPT_FOR * 1.1)
    gone = staging.folder(first.get().pk)
    assert gone.exists()
    service.tidy()
    assert not gone.exists()
    assert list(UploadSession.objects.all()) == [other]
    assert staging.folder(other.pk).exists()


# -- The page ------------------------------------------------------------------------------------------


def test_the_plain_form_shows_what_several_dicom_files_will_become(client_of, alice, case):
    client = client_of(alice)
    uploads = [SimpleUploadedFile(name.rpartition("/")[2], one) for name, one in made.folder().items()]
    answer = client.post(f"/cases/{case.pk}/scans/", {"scans": uploads, "modality": "mri"}, follow=True)
    page = answer.content.decode()
    for words in ("Series 3, T2 coronal", "6 slices, one volume", "Series 1, localiser", "SR1, SR2"):
        assert words in page, words
    assert not Scan.objects.exists()
    session = UploadSession.objects.get()
    added = client.post(session.get_absolute_url(), {}, follow=True)
    assert added.redirect_chain == [(f"{case.get_absolute_url()}?scan=1", 302)]
    assert "2 scans were added." in added.content.decode()
    assert "These files were added already." in client.get(session.get_absolute_url()).content.decode()


def test_the_plain_form_refuses_an_archive_with_its_reason(client_of, alice, case):
    file = SimpleUploadedFile("study.zip", made.zipped({"inner.zip": b"PK"}))
    answer = client_of(alice).post(f"/cases/{case.pk}/scans/", {"scans": file, "modality": "mri"})
    assert answer.status_code == 422
    assert "holds another archive" in answer.content.decode()


def test_the_page_asks_about_late_slices_and_gives_the_words_back(program, held, client_of, alice, case):
    session = UploadSession.objects.get(state="open")
    client = client_of(alice)
    assert (
        "Slices of a series that is a scan already" in client.get(session.get_absolute_url()).content.decode()
    )
    refused = client.post(session.get_absolute_url(), {"mismatch_reason": "typed with care"})
    page = refused.content.decode()
    assert refused.status_code == 409
    assert "typed with care" in page
    assert "Scan 1 of the case is of the same series already (4 slices)." in page
    joined = client.post(session.get_absolute_url(), {"known_series": "join"})
    assert joined.url == f"{case.get_absolute_url()}?scan=2"


def test_charlie_sees_no_session_and_his_department_tells_nothing(opened, api, client_of, charlie):
    assert api(charlie).get(opened["url"]).status_code == 404
    session = UploadSession.objects.get()
    assert client_of(charlie).get(session.get_absolute_url()).status_code == 404
    assert Event.objects.filter(verb="access.refused", thread=session.case.thread).count() == 2


def test_files_of_a_scan_never_change(program, opened, case):
    send_all(program, opened, made.slice_files())
    commit(program, opened)
    file = ScanFile.objects.first()
    with pytest.raises(TypeError):
        file.delete()
    assert store.read(file.blob_id)
