"""A program opens a case, submits a scan, watches its job, and reads the answer and the heatmap."""

import io
from datetime import timedelta

import answers
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.tokens import create_service_account, issue_token
from audit.models import Event
from inference.engine.records import NotAnalysable
from inference.models import Job, ModelVersion

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def program(department) -> Client:
    user = create_service_account("scanner-room-2", department)
    return Client(headers={"Authorization": f"Token {issue_token(user, lifetime=timedelta(hours=1))}"})


@pytest.fixture
def version(tmp_path) -> ModelVersion:
    return answers.active_version(tmp_path)


@pytest.fixture
def opened(program) -> dict:
    """A case, as the API described it."""
    sent = {"department": "fetal-medicine", "patient_id": "P-7", "gestational_age_days": 171}
    sent |= {"priority": "urgent", "question": "Ventricles?"}
    response = program.post(reverse("api:cases"), sent, content_type="application/json")
    assert response.status_code == 201
    assert response["Location"] == response.json()["url"]
    return response.json()


def submit(client: Client, case: dict, content: bytes, *, modality: str = "ultrasound"):
    file = SimpleUploadedFile("scan.png", content)
    return client.post(case["scans"], {"file": file, "modality": modality})


def array(client: Client, url: str) -> np.ndarray:
    response = client.get(url)
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")
    return np.load(io.BytesIO(response.content), allow_pickle=False)


def test_from_an_opened_case_to_a_heatmap(program, models, opened, phantom_png, run_jobs):
    response = submit(program, opened, phantom_png())
    assert response.status_code == 202
    scan = program.get(response["Location"]).json()
    assert scan["jobs"]
    for job in scan["jobs"]:
        waiting = program.get(job["url"]).json()
        assert waiting["state"] == "queued"
        assert 1 <= waiting["position"] <= len(scan["jobs"])

    run_jobs()

    for job in scan["jobs"]:
        done = program.get(job["url"]).json()
        assert (done["state"], done["failure"], done["position"]) == ("succeeded", None, None)
        answer = program.get(done["prediction"]).json()
        assert answer["analysable"]
        assert answer["label"] in {"normal", "ventriculomegaly"}
        assert 0 <= answer["probability"] <= 1
        assert "not a cleared device" in answer["notice"]
        for url in answer["explanations"]:
            explanation = program.get(url).json()
            assert explanation["prediction"] == answer["url"]
            for name in ("input_sha256", "weights_sha256", "preprocessing_sha256"):
                assert explanation[name] == answer[name]
            heat = array(program, explanation["heatmap"]["url"])
            assert heat.dtype == np.float16
            assert heat.shape == (len(explanation["frames"]), scan["rows"], scan["columns"])
    methods = {program.get(url).json()["method"] for url in answer["explanations"]}
    assert methods == {"gradcam", "lime"}


def test_the_answer_leads_to_the_model_that_gave_it(program, version, opened, phantom_png):
    scan = submit(program, opened, phantom_png()).json()
    answers.answer(Job.objects.get())
    job = program.get(scan["jobs"][0]["url"]).json()
    answer = program.get(job["prediction"]).json()
    model = program.get(answer["model_version"]["url"]).json()
    assert model["state"] == "active"
    assert model["weights_sha256"] == answer["weights_sha256"]
    assert [interval["ended_at"] for interval in model["activations"]] == [None]


def test_the_same_file_again_is_the_same_scan(program, opened, phantom_png):
    first = submit(program, opened, phantom_png())
    again = submit(program, opened, phantom_png())
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json()
    assert program.get(opened["scans"]).json()["results"] == [first.json()]


def test_pixels_and_original_come_back_as_they_were(program, opened, phantom_png):
    scan = submit(program, opened, phantom_png()).json()
    original = program.get(scan["original"])
    assert b"".join(original.streaming_content) == phantom_png()
    assert original["Content-Type"] == "image/png"
    assert original["X-Content-Type-Options"] == "nosniff"
    assert original["Content-Security-Policy"].startswith("sandbox")
    assert original["Content-Disposition"] == f'attachment; filename="case-{opened["number"]}-scan-1.png"'
    pixels = array(program, f"{scan['url']}frames/0")
    assert pixels.dtype == np.uint8
    assert pixels.shape == (scan["rows"], scan["columns"])
    assert program.get(f"{scan['url']}frames/1").status_code == 404


def test_other_frames_can_be_chosen_but_only_those_the_scan_has(program, version, opened, phantom_png):
    scan = submit(program, opened, phantom_png()).json()
    url = f"{scan['url']}frames-to-read/"
    chosen = program.post(url, {"frames": [0]}, content_type="application/json")
    assert chosen.status_code == 202
    assert [job["parameters"]["frames"] for job in chosen.json()] == [[0]] * len(scan["jobs"])
    wrong = program.post(url, {"frames": [1]}, content_type="application/json")
    assert wrong.status_code == 400
    [error] = wrong.json()["errors"]
    assert error == {"field": "frames", "code": "no_such_frame", "detail": "The scan has frames 0 to 0."}


def test_a_waiting_job_is_cancelled_once(program, version, opened, phantom_png):
    scan = submit(program, opened, phantom_png()).json()
    url = scan["jobs"][0]["url"]
    assert program.post(f"{url}cancel/").json()["state"] == "cancelled"
    again = program.post(f"{url}cancel/")
    assert again.status_code == 409
    assert again.json()["code"] == "illegal_move"
    assert program.get(url).json()["state"] == "cancelled"


def test_a_refusal_is_an_answer_with_its_reason(program, version, opened, phantom_png):
    submit(program, opened, phantom_png())
    prediction = answers.answer(Job.objects.get(), refusal=NotAnalysable("no_head", "No head was found."))
    answer = program.get(reverse("api:prediction", args=[prediction.pk])).json()
    assert answer["refusal"] == {"code": "no_head", "reason": "No head was found."}
    assert (answer["analysable"], answer["label"], answer["probability"]) == (False, None, None)


def test_every_read_is_written_down_once(program, version, opened, phantom_png):
    scan = submit(program, opened, phantom_png()).json()
    answers.explanation(answers.answer(Job.objects.get()))
    answer = program.get(program.get(scan["jobs"][0]["url"]).json()["prediction"]).json()
    explanation = program.get(answer["explanations"][0]).json()
    reads = {
        reverse("api:cases"): "case.listed",
        opened["url"]: "case.viewed",
        opened["scans"]: "case.viewed",
        scan["url"]: "case.viewed",
        f"{scan['url']}frames/0": "scan.viewed",
        scan["original"]: "scan.original_downloaded",
        answer["url"]: "prediction.viewed",
        explanation["url"]: "explanation.viewed",
        explanation["heatmap"]["url"]: "explanation.viewed",
    }
    for url, verb in reads.items():
        before = Event.objects.order_by("-pk").first()
        program.get(url)
        [event] = Event.objects.filter(pk__gt=before.pk)
        assert (event.verb, event.actor_name, event.door) == (verb, "scanner-room-2", "api"), url
        assert event.thread == ("" if verb == "case.listed" else f"case:{opened['id']}")


def test_a_list_is_written_down_with_the_cases_it_showed_but_no_patient(program, opened):
    program.get(reverse("api:cases"), {"patient_id": "P-7"})
    event = Event.objects.get(verb="case.listed")
    assert event.detail == {"cases": [opened["number"]], "filters": ["patient_id"]}


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "empty_file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_type"),
        (PNG + b"not a picture", 422, "undecodable"),
    ],
    ids=["empty", "svg", "broken"],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_reason(program, opened, content, status, code):
    response = submit(program, opened, content)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["detail"]
    assert program.get(opened["scans"]).json()["results"] == []
    assert Event.objects.get(verb="scan.refused").detail["code"] == code


def test_a_file_larger_than_the_limit_is_refused_before_it_is_read(program, opened, settings):
    settings.MAX_UPLOAD_BYTES = 1000
    assert submit(program, opened, PNG + bytes(2000)).json()["code"] == "too_large"
    form = "multipart/form-data; boundary=x"
    huge = {"Content-Length": str(10**10)}
    announced = program.post(opened["scans"], b"--x--", content_type=form, headers=huge)
    assert (announced.status_code, announced.json()["code"]) == (413, "too_large")
