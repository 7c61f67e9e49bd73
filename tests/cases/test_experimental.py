"""An answer that nobody may rely on says so wherever it is shown, and for good in what was signed."""

import io

import answers
import pages
import pytest
from conftest import PASSWORD
from pypdf import PdfReader

from cases.models import Case, ReadingRules, SignOff
from cases.review.calls import call_of
from inference.engine.fitness import gates
from inference.models import Job, ModelVersion
from inference.registry import service as registry

pytestmark = pytest.mark.django_db
MARK = "Experimental: do not rely on it."
P, N = "ventriculomegaly", "normal"


def card(specificity: float) -> dict:
    """Of a version that left one hospital of normals out of its training."""
    rest = {
        "learnt_from": False, "low": 0.5, "high": 1.0, "count": 200, "unit": "case", "shown_only": False,
    }  # fmt: skip
    figures = [
        {"source": "a hospital", "label": N, "measure": "specificity", "value": specificity},
        {"source": "a clinic", "label": P, "measure": "sensitivity", "value": 0.9},
    ]
    return {"evaluation": {"by_source": [one | rest for one in figures]}}


@pytest.fixture(autouse=True)
def good_gate(monkeypatch) -> None:
    good = gates.GateFigures(gates.GateFigure("a hospital", 0.02, 100), gates.GateFigure("", 0.99, 200))
    monkeypatch.setattr("inference.engine.fitness.rule.gate_figures", lambda _: good)


@pytest.fixture
def answered(case, alice, small_scan, tmp_path):
    """A case that versions have answered: answered({"cnn": (0.95, "normal")}), by specificity and label."""

    def make(said: dict[str, tuple[float, str]]) -> Case:
        # What fails comes first: beside what meets the rule it could not be put into use.
        for network, (specificity, _) in sorted(said.items(), key=lambda one: one[1][0]):
            answers.active_version(tmp_path, network=network, version=network, card=card(specificity))
        scan = small_scan(case, alice, shape=(1, 64, 80))
        for job in Job.objects.filter(image=scan.image):
            answers.answer(job, label=said[job.model_version.network][1])
        return case

    return make


def everything_shown(case: Case, client, program) -> dict[str, str]:
    """Each place that shows what the models say, with its text."""
    paper = io.BytesIO(client.get(f"/cases/{case.pk}/report.pdf").content)
    printed = " ".join(" ".join(page.extract_text() for page in PdfReader(paper).pages).split())
    return {
        "page": client.get(case.get_absolute_url()).content.decode(),
        "list": client.get("/").content.decode(),
        "report": client.get(f"/cases/{case.pk}/report/").content.decode(),
        "pdf": printed,
        "api": program.get(f"/api/v1/cases/{case.pk}/reading/").content.decode(),
    }


def test_an_experimental_answer_is_marked_wherever_it_is_shown(answered, alice, client_of, api):
    case = answered({"cnn": (0.6, P)})
    shown = everything_shown(case, client_of(alice), api(alice))
    for place in ("page", "report", "pdf"):
        assert MARK in shown[place], place
        assert "0.600 (0.500 to 1.000) are not alarmed" in shown[place], place
    version = ModelVersion.objects.get()
    assert f'/models/{version.pk}/#fitness"' in shown["page"]
    assert "experimental</span>" in shown["list"]
    assert '"experimental":true' in shown["api"].replace(" ", "")
    prediction = Job.objects.get().answer
    told = api(alice).get(f"/api/v1/predictions/{prediction.pk}/").json()
    assert told["experimental"] is True
    assert [one["code"] for one in told["experimental_because"]] == ["specificity"]


def test_an_answer_of_what_meets_the_rule_is_marked_nowhere(answered, alice, client_of, api):
    case = answered({"cnn": (0.95, P)})
    shown = everything_shown(case, client_of(alice), api(alice))
    for place in ("page", "list", "report", "pdf"):
        assert "xperimental" not in shown[place], place
    assert '"experimental":true' not in shown["api"].replace(" ", "")


def test_a_blind_reader_learns_nothing_of_the_mark(answered, alice, client_of, department):
    ReadingRules.objects.filter(department=department).update(mode=ReadingRules.Mode.READER_FIRST)
    case = answered({"cnn": (0.6, P)})
    assert MARK not in client_of(alice).get(case.get_absolute_url()).content.decode()


def test_only_what_meets_the_rule_counts_for_the_call_where_it_has_answered(answered):
    found = call_of(answered({"cnn": (0.6, P), "modified_cnn": (0.6, P), "vgg16": (0.95, N)}))
    assert (found.label, found.experimental) == (N, False)
    assert [one.model_version.network for one in found.answers] == ["vgg16"]


def test_where_nothing_meets_it_all_count_and_the_call_is_marked(answered):
    found = call_of(answered({"cnn": (0.6, P), "vgg16": (0.6, P)}))
    assert (found.label, found.experimental) == (P, True)
    assert len(found.answers) == 2


def sign(client, case: Case) -> SignOff:
    pages.file_read(client, case, kind="final", finding=P)
    pages.sign(client, case, PASSWORD)
    return SignOff.objects.get(case=case)


def test_the_mark_is_signed_as_it_was_and_stays(answered, alice, client_of, api, monkeypatch):
    case = answered({"cnn": (0.6, P)})
    client = client_of(alice)
    content = sign(client, case).content
    assert content["call"]["experimental"] is True
    (answer,) = content["scans"][0]["answers"]
    assert [one["code"] for one in answer["experimental"]] == ["specificity"]
    good = {"figures": {"specificity": {"value": 0.95, "low": 0.9, "high": 1.0, "count": 99}}}
    version = ModelVersion.objects.get()
    better = card(0.95)["evaluation"]
    registry.record_evaluation(version, better | good, data="a later release", by=None)
    case.refresh_from_db()
    shown = everything_shown(case, client, api(alice))
    for place in ("report", "pdf"):
        assert MARK in shown[place], place
    assert call_of(case).experimental, "a signed case's call is what was signed"


def test_a_mark_that_came_later_is_no_part_of_what_was_signed(answered, alice, client_of):
    case = answered({"cnn": (0.95, P)})
    client = client_of(alice)
    assert sign(client, case).content["call"]["experimental"] is False
    worse = card(0.5)["evaluation"]
    registry.record_evaluation(ModelVersion.objects.get(), worse, data="a later release", by=None)
    assert MARK not in client.get(f"/cases/{case.pk}/report/").content.decode()


def test_a_mark_that_came_since_the_page_was_opened_is_told_before_anything_is_signed(
    answered, alice, client_of
):
    case = answered({"cnn": (0.95, P)})
    client = client_of(alice)
    form = pages.shown_by(client, case.get_absolute_url())
    worse = card(0.5)["evaluation"]
    registry.record_evaluation(ModelVersion.objects.get(), worse, data="our own normals", by=None)
    refused = client.post(f"/cases/{case.pk}/reads/", form | {"kind": "final", "finding": P})
    assert refused.status_code == 409
    assert (
        "The models now say: Ventriculomegaly. Experimental: do not rely on it." in refused.content.decode()
    )
