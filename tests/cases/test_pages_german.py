"""Ventra in German, through the public door: words, numbers, dates, and what never depends on a language."""

import io
import json
import re
from collections.abc import Iterator

import answers
import pages
import pytest
from conftest import PASSWORD
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pypdf import PdfReader

from accounts.models import User
from audit.models import Event
from cases.advice import service as advice_service
from cases.models import Advice, Case, Measurement, ReadingRules, SignOff
from digests import canonical_json, sha256_hex
from inference.models import Job, Prediction

pytestmark = pytest.mark.django_db
GERMAN = {"Accept-Language": "de"}
DISCLAIMER = "Forschung und Entscheidungsunterstützung, kein zugelassenes Medizinprodukt."
POINTS = {"frame": 0, "start_row": 10, "start_column": 10, "end_row": 22.5, "end_column": 10}


@pytest.fixture
def german(alice, client_of) -> Client:
    """Alice, who has chosen German."""
    User.objects.filter(pk=alice.pk).update(language="de", time_zone="Europe/Berlin")
    return client_of(alice)


@pytest.fixture
def answered(case, alice, small_scan, tmp_path) -> Case:
    """A case with one scan that a model calls ventriculomegaly at 0.75, and its Grad-CAM."""
    answers.active_version(tmp_path)
    scan = small_scan(case, alice, shape=(1, 64, 80))
    answers.explanation(answers.answer(Job.objects.get(image=scan.image)), method="gradcam")
    return case


def html(client: Client, address: str, **more) -> str:
    return client.get(address, **more).content.decode()


def test_a_visitor_reads_the_language_of_the_browser_and_may_choose_another(client):
    assert '<html lang="de"' in html(client, "/account/login/", headers=GERMAN)
    assert "Bei Ventra anmelden" in html(client, "/account/login/", headers=GERMAN)
    assert '<html lang="en"' in html(client, "/account/login/")
    assert '<html lang="en"' in html(client, "/account/login/", headers={"Accept-Language": "fr"})
    chosen = client.post("/account/language/", {"language": "de", "next": "/account/login/"})
    assert chosen["Location"] == "/account/login/"
    assert '<html lang="de"' in html(client, "/account/login/")
    assert client.cookies["ventra_language"]["httponly"]


def test_the_switch_leads_nowhere_else_and_knows_no_other_language(client):
    away = client.post("/account/language/", {"language": "de", "next": "https://elsewhere.example"})
    assert away["Location"] == "/"
    client.post("/account/language/", {"language": "tlh", "next": "/account/login/"})
    assert "ventra_language" not in client.cookies or client.cookies["ventra_language"].value == "de"
    assert client.get("/account/language/").status_code == 405


def test_what_is_refused_before_all_else_is_refused_in_the_browsers_language(client):
    page = client.get("/%00/", headers=GERMAN)
    assert page.status_code == 400
    assert '<html lang="de"' in page.content.decode()
    assert "Die Adresse wurde nicht verstanden" in page.content.decode()
    client.post("/account/language/", {"language": "de", "next": "/account/login/"})
    assert "nicht verstanden" in html(client, "/%00/")
    assert "was not understood" in html(Client(), "/%00/")


def test_a_persons_choice_follows_them_to_every_browser(alice, client_of):
    first, second = client_of(alice), client_of(alice)
    first.post("/account/language/", {"language": "de", "next": "/"})
    response = second.get("/", headers={"Accept-Language": "en"})
    assert '<html lang="de"' in response.content.decode()
    assert response["Content-Language"] == "de"
    assert not Event.objects.filter(
        verb="account.changed"
    ).exists()  # how one reads is no change of an account


def test_worklist_and_case_page_are_german(german, answered):
    worklist = html(german, "/")
    for words in ("Arbeitsliste", "Befund offen", "Ventrikulomegalie 0,75", DISCLAIMER):
        assert words in worklist
    page = html(german, answered.get_absolute_url())
    assert f"<h1>Fall {answered.number}</h1>" in page
    assert '<span class="chance">0,75</span>' in page
    assert "Kalibrierte Wahrscheinlichkeit. Ab 0,50" in page
    assert "Endbefund abgeben" in page
    assert DISCLAIMER in page
    assert "hat den Fall angelegt" in page


def test_advice_is_german_on_the_page_and_english_in_the_record(german, answered):
    advice_service.give(answered)
    page = html(german, answered.get_absolute_url())
    assert "Aufnahme mit Pixelabstand erneut exportieren" in page
    assert "Die Aufnahme hat keinen Maßstab" in page
    assert "lokale Einstellung: Der Schweregrad ergibt sich nur aus Millimetern" in page
    assert "Nicht beurteilbar, Aufnahme 1: noch kein Modell hat die Aufnahme ausgewertet." in page
    advice = Advice.objects.get()
    assert advice.suggestions[0]["says"] == "Export the scan again with its pixel spacing"
    sent = {"place": 0, "outcome": "not_possible", "reason": "Das Gerät gibt es nicht her."}
    german.post(f"/advice/{advice.pk}/answer/", sent)
    pages.file_read(german, answered, kind="final", finding="ventriculomegaly")
    pages.sign(german, answered, PASSWORD)
    department = html(german, "/department/")
    assert '<th scope="row">Aufnahme mit Pixelabstand erneut exportieren</th>' in department
    report = html(german, f"/cases/{answered.pk}/report/")
    assert "Aufnahme mit Pixelabstand erneut exportieren, Aufnahme 1: nicht möglich: Das Gerät" in report


def test_machine_numbers_on_a_german_page_stay_machine_numbers(german, answered):
    page = html(german, answered.get_absolute_url())
    assert re.search(r'class="scale-mark" x="74\.00" y="1"', page)
    picture = json.loads(re.search(r'<script id="picture"[^>]*>(.*?)</script>', page)[1])
    assert (picture["rows"], picture["columns"]) == (64, 80)
    scan = answered.scans.get()
    german.post(f"/scans/{scan.pk}/measurements/", {"tool": "distance", **POINTS})
    marks = re.search(
        r'<script id="measurements"[^>]*>(.*?)</script>', html(german, answered.get_absolute_url())
    )
    (mark,) = json.loads(marks[1])
    assert mark["end"] == [22.5, 10.0]
    assert mark["words"] == "Abstand: 12,5 Pixel (Maßstab unbekannt)"
    charts = html(german, "/department/")
    assert not re.search(
        r'(?:points|x1|y1|cx|cy|width)="[^"]*\d,\d+[" ]', re.sub(r'points="[^"]*"', "", charts)
    )


def test_dates_are_german_and_in_the_readers_zone(german, answered):
    page = html(german, f"/cases/{answered.pk}/report/")
    assert re.search(r"Erstellt \d\d\.\d\d\.\d{4} \d\d:\d\d CES?T\.", page)
    assert not re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", page)


def test_the_report_is_german_as_a_page_and_as_pdf(german, answered, alice):
    sent = {"kind": "final", "finding": "ventriculomegaly", "laterality": "both"}
    pages.file_read(german, answered, **sent)
    pages.sign(german, answered, PASSWORD)
    file = german.get(f"/cases/{answered.pk}/report.pdf")
    reader = PdfReader(io.BytesIO(file.content))
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    page = html(german, f"/cases/{answered.pk}/report/")
    for shown in (text, page):
        assert DISCLAIMER in shown
        assert "Ventrikulomegalie, beidseits" in shown
        assert "Ventrikulomegalie, 0,75" in shown
        assert "Ich habe diesen Fall befundet, und dies ist mein Befund." in shown
    assert "Seite 1" in text
    assert "Grad-CAM für Ventrikulomegalie" in text
    assert reader.trailer["/Root"]["/Lang"] == "de"


def test_what_is_signed_is_said_in_english_too(german, answered):
    pages.file_read(german, answered, kind="final", finding="ventriculomegaly")
    page = html(german, f"/cases/{answered.pk}/sign/")
    assert "„Ich habe diesen Fall befundet, und dies ist mein Befund.“" in page
    assert '<span lang="en">“I have read this case, and this is my finding.”</span>' in page


def test_a_refused_file_is_refused_in_german_and_kept_in_english(german, case):
    sent = {"modality": "ultrasound", "scans": SimpleUploadedFile("a.webp", b"RIFF\0\0\0\0WEBP")}
    response = german.post(f"/cases/{case.pk}/scans/", sent, headers={"Accept": "application/json"})
    (outcome,) = response.json()["outcomes"]
    assert outcome["code"] == "unsupported_type"
    assert outcome["sentence"] == (
        "Dies ist ein WebP-Bild; senden Sie DICOM, NIfTI, ein Bild (PNG, JPEG, TIFF, BMP) oder eine "
        "Bildfolge (MP4, AVI, MPEG, GIF)."
    )
    reason = Event.objects.get(verb="scan.refused").detail["reason"]
    assert reason.startswith("This is a WebP picture; send DICOM, NIfTI, a picture (PNG, JPEG, TIFF, BMP)")
    assert "Dies ist ein WebP-Bild" in html(german, case.get_absolute_url())


def test_a_page_that_is_refused_says_so_in_german(german, charlie, client_of):
    page = german.get("/audit/")
    assert page.status_code == 403
    assert "Ihre Rolle umfasst diese Seite nicht. Es wurde nichts geändert." in page.content.decode()
    missing = german.get("/cases/00000000-0000-0000-0000-000000000000/").content.decode()
    assert "Hier gibt es nichts, das Sie sehen dürfen" in missing


def test_a_fault_of_our_own_is_told_in_german(german, answered, settings):
    settings.DEBUG = False
    scan = answered.scans.get()
    answers.damage(scan.image.pixels_id)
    german.raise_request_exception = False
    page = german.get(f"/scans/{scan.pk}/frames/0")
    assert page.status_code == 500
    assert '<html lang="de">' in page.content.decode()
    assert "Bei uns ist etwas fehlgeschlagen" in page.content.decode()


def test_api_errors_have_a_stable_code_and_the_callers_language(api, alice, case):
    program = api(alice)
    for language, sentence in (("de", "Die Anfrage ist nicht gültig: siehe errors."),
                               ("en", "The request is not valid: see errors.")):  # fmt: skip
        body = program.post(
            "/api/v1/cases/", {"nonsense": 1}, "application/json", headers={"Accept-Language": language}
        ).json()
        assert (body["code"], body["detail"]) == ("invalid", sentence)
        unknown = next(error for error in body["errors"] if error["field"] == "nonsense")
        assert unknown["code"] == "unknown"
    german = program.get("/api/v1/cases/00000000-0000-0000-0000-000000000000/", headers=GERMAN).json()
    assert (german["code"], german["detail"]) == (
        "not_found",
        "Hier ist nichts, oder Sie dürfen es nicht sehen.",
    )
    plain = program.get("/api/v1/cases/00000000-0000-0000-0000-000000000000/").json()
    assert plain["detail"] == "There is nothing here, or you may not see it."


def test_what_the_api_says_of_the_record_does_not_depend_on_the_language(api, alice, answered):
    program = api(alice)
    address = f"/api/v1/cases/{answered.pk}/reading/"
    scan = answered.scans.get()
    answer = Prediction.objects.get()
    program_pages = [
        address,
        f"/api/v1/cases/{answered.pk}/",
        f"/api/v1/scans/{scan.pk}/",
        f"/api/v1/cases/{answered.pk}/advice/",
        f"/api/v1/predictions/{answer.pk}/",
        f"/api/v1/explanations/{answer.explanations.get().pk}/",
        "/api/v1/models/",
    ]
    for page in program_pages:
        assert program.get(page, headers=GERMAN).json() == program.get(page).json()


def test_the_schema_is_english_for_everybody(client):
    german = client.get("/api/v1/schema/", headers=GERMAN).content
    assert german == client.get("/api/v1/schema/").content
    assert b"Blind read" in german


def everything_done(client: Client, alice: User, department, small_scan, patient: str) -> list[tuple]:
    """A case from its opening to its addendum, through the pages; what the audit says of it."""
    before = Event.objects.count()
    opening = {"department": department.pk, "patient_id": patient, "priority": 0, "key": "", "weeks": 24}
    client.post("/cases/new/", opening | {"key": "00000000-0000-0000-0000-0000000000" + patient[-2:]})
    case = Case.objects.get(patient__patient_id=patient)
    client.post(f"/cases/{case.pk}/scans/", {"modality": "mri", "scans": SimpleUploadedFile("a.png", b"BM")})
    scan = small_scan(case, alice, shape=(1, 64, 80))
    job = Job.objects.get(image=scan.image)
    answers.explanation(answers.answer(job), method="gradcam")
    client.post(f"/cases/{case.pk}/assign/", {"to": alice.username})
    client.post(f"/scans/{scan.pk}/measurements/", {"tool": "atrial_width", "side": "left", **POINTS})
    one = Measurement.objects.get(scan=scan)
    client.post(f"/measurements/{one.pk}/withdraw/", {"reason": "Too far out."})
    client.post(f"/scans/{scan.pk}/try-again/")
    pages.file_read(client, case, kind="final", finding="ventriculomegaly")
    client.get(case.get_absolute_url())
    pages.sign(client, case, PASSWORD)
    client.post(f"/cases/{case.pk}/addenda/", {"text": "Later.", "password": PASSWORD})
    told = Event.objects.order_by("pk")[before:]
    return [(event.verb, _without_keys(event.detail)) for event in told]


def _without_keys(detail: dict) -> str:
    """Hashes, keys and case numbers differ between any two cases."""
    text = json.dumps(detail, sort_keys=True)
    return re.sub(r"[0-9a-f]{64}|[0-9a-f-]{36}|\d{4}-\d{6}", "…", text)


def told(content, *, but: set[str]) -> Iterator[object]:
    """Every word and number in a content, except keys, hashes and times."""
    if isinstance(content, dict):
        for name, value in sorted(content.items()):
            if name not in but | {"rests_on", "measurement", "prediction", "model_version", "explanations"}:
                yield from told(value, but=but)
    elif isinstance(content, list):
        for value in content:
            yield from told(value, but=but)
    elif not re.fullmatch(r"[0-9a-f]{64}", str(content)):
        yield content


def test_audit_and_signature_are_the_same_whatever_the_language(
    alice, client_of, department, small_scan, tmp_path
):
    answers.active_version(tmp_path)
    client = client_of(alice)
    in_english = everything_done(client, alice, department, small_scan, "P-01")
    User.objects.filter(pk=alice.pk).update(language="de")
    assert "Arbeitsliste" in html(client, "/")
    in_german = everything_done(client, alice, department, small_scan, "P-02")
    assert [one for one in in_german if one[0] != "case.listed"] == in_english
    for signature in SignOff.objects.all():
        assert signature.meaning == "I have read this case, and this is my finding."
        assert sha256_hex(canonical_json(signature.content)) == signature.content_sha256
    english, german = (row.content for row in SignOff.objects.order_by("signed_at"))
    same = {"id", "at", "number", "patient_id"}
    assert list(told(english, but=same)) == list(told(german, but=same))


def test_a_german_auditor_reads_the_trail_in_german_and_exports_it_as_it_is(
    auditor, client_of, answered, alice
):
    scan = answered.scans.get()
    client_of(alice).post(
        f"/scans/{scan.pk}/measurements/", {"tool": "atrial_width", "side": "left", **POINTS}
    )
    User.objects.filter(pk=auditor.pk).update(language="de")
    client = client_of(auditor)
    page = html(client, "/audit/")
    assert "hat gemessen" in page
    assert "Atriumweite, links: 12,5 Pixel (Maßstab unbekannt)" in page
    csv = b"".join(client.get("/audit/export.csv").streaming_content).decode()
    assert "Atrial width, left: 12.5 pixels (no scale known)" in csv
    filtered = html(client, "/audit/?since=2026-01-31")
    assert 'value="2026-01-31"' in filtered


def test_the_scripts_get_their_sentences_in_german_only_where_they_differ(german, case, client_of, bob):
    words = json.loads(
        re.search(r'<script id="words"[^>]*>(.*?)</script>', html(german, case.get_absolute_url()))[1]
    )
    assert words["Choose at least one file."] == "Wählen Sie mindestens eine Datei."
    english = html(client_of(bob), case.get_absolute_url())
    assert json.loads(re.search(r'<script id="words"[^>]*>(.*?)</script>', english)[1]) == {}


def test_the_administration_speaks_german(administrator, client_of):
    User.objects.filter(pk=administrator.pk).update(language="de")
    page = html(client_of(administrator), "/admin/cases/readingrules/add/")
    for words in ("Befundungsregeln", "Schweregradschema", "Zweitbefunder"):
        assert words in page


@pytest.mark.parametrize("typed", ["0,025", "0.025"])
def test_a_decimal_is_taken_with_a_comma_and_with_a_point(administrator, client_of, department, typed):
    User.objects.filter(pk=administrator.pk).update(language="de")
    client, address = client_of(administrator), f"/admin/cases/readingrules/{department.pk}/change/"
    assert 'value="0,25"' in html(client, address)
    sent = {"mode": "concurrent", "second_reader": "never", "severity_scheme": "smfm-45"}
    sent |= {"undecided_doubt": typed, "undecided_opposed": "0,5", "own_password": PASSWORD}
    response = client.post(address, sent | {"department": department.pk})
    assert response.status_code == 302, response.content.decode()
    assert ReadingRules.objects.get(department=department).undecided_doubt == 0.025
