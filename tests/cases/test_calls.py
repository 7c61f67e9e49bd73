"""What the models call a case: a table of situations with the call that is right, and who shows it."""

import io
from dataclasses import dataclass

import answers
import pages
import pytest
from conftest import member
from pypdf import PdfReader

from accounts.models import Role
from cases.models import Case, Read, ReadingRules
from cases.review.call_words import call_sentence
from cases.review.calls import Call, call, call_of
from inference.engine.records import SLICES_ACROSS, NotAnalysable
from inference.engine.uncertainty.undecided import NO_LIMITS, Limits
from inference.models import Job, ModelVersion, Prediction

P, N, U, X = "ventriculomegaly", "normal", "undecided", "not_analysable"


@dataclass
class Said:
    """One answer in the table. state: of its version. span, doubt: how steady it is. across: thick slices."""

    network: str
    label: str
    state: str = "active"
    span: tuple[float, float] | None = None
    doubt: float | None = None
    across: float | None = None


def ensemble(label: str, **more) -> Said:
    return Said("ensemble", label, **more)


def votes(text: str) -> list[Said]:
    """One letter for each network: p, n, or x for a refusal."""
    networks = ("cnn", "modified_cnn", "resnet18", "vgg16", "another")
    labels = {"p": P, "n": N, "x": ""}
    return [Said(network, labels[letter]) for network, letter in zip(networks, text, strict=False)]


def prediction(said: Said) -> Prediction:
    low, high = said.span or (None, None)
    return Prediction(
        model_version=ModelVersion(network=said.network, version="1", state=said.state),
        analysable=bool(said.label),
        label=said.label,
        probability={P: 0.75, N: 0.25}.get(said.label),
        probability_low=low,
        probability_high=high,
        doubt=said.doubt,
        threshold=0.5,
        quality={} if said.across is None else {SLICES_ACROSS: said.across},
    )


SITUATIONS = {
    # name: (the answers about each scan, the call, why nothing is decided)
    "nobody has answered": ([[]], None, []),
    "there is no scan": ([], None, []),
    "one version alone": ([votes("n")], N, []),
    "all agree": ([votes("pppp")], P, []),
    "a tie is not normal": ([votes("pn")], U, ["opposed"]),
    "a tie of four is not normal": ([votes("ppnn")], U, ["opposed"]),
    "half of the others contradict": ([votes("nnp")], U, ["opposed"]),
    "one of three others contradicts": ([votes("nnnp")], N, []),
    "a refused answer does not vote": ([votes("pxx")], P, []),
    "refused answers make no majority": ([votes("pnxx")], U, ["opposed"]),
    "all refused": ([votes("xx")], X, []),
    "the combined answer leads": ([[ensemble(P), *votes("npp")]], P, []),
    "the combined answer leads against one of three": ([[ensemble(N), *votes("pnn")]], N, []),
    "half of its members contradict the combined answer": ([[ensemble(N), *votes("pn")]], U, ["opposed"]),
    "three of four contradict the combined answer": ([[ensemble(N), *votes("pppn")]], U, ["opposed"]),
    "refusals do not contradict the combined answer": ([[ensemble(N), *votes("nxxx")]], N, []),
    "the combined answer is a refusal": ([[ensemble(""), *votes("nn")]], U, ["refused"]),
    "the combined answer is unsteady": ([[ensemble(N, span=(0.2, 0.6)), *votes("nn")]], U, ["turns"]),
    "its interval only touches the threshold from above": ([[ensemble(P, span=(0.5, 0.9))]], P, []),
    "its interval reaches the threshold from below": ([[ensemble(N, span=(0.3, 0.5))]], U, ["turns"]),
    "the combined answer is in doubt": ([[ensemble(N, doubt=0.25)]], U, ["doubt"]),
    "a little doubt decides": ([[ensemble(N, doubt=0.24)]], N, []),
    "thick slices cannot say that nothing is wide": ([[ensemble(N, across=20.5)]], U, ["coarse"]),
    "but what is wide in them is wide": ([[ensemble(P, across=17.2)]], P, []),
    "slices of another plane that the head spans often enough count": ([[ensemble(N, across=24.0)]], N, []),
    "an unsteady member does not lead": (
        [[ensemble(N), Said("cnn", N, span=(0.2, 0.6), doubt=0.4), Said("vgg16", N)]], N, [],
    ),
    "among peers the most doubtful leads": (
        [[Said("cnn", N), Said("resnet18", N, doubt=0.4), Said("vgg16", N)]], U, ["doubt"],
    ),
    "a peer that few follow does not lead": (
        [[Said("a", N), Said("b", N), Said("c", N), Said("d", P, doubt=0.5)]], N, [],
    ),
    "what is out of use does not count": (
        [[Said("cnn", N), Said("cnn", P, state="retired"), Said("vgg16", P, state="quarantined")]], N, [],
    ),
    "what is out of use counts where nothing else has answered": (
        [[Said("cnn", P, state="retired")]], P, [],
    ),
    "a scan that says ventriculomegaly is not outvoted": ([votes("n"), votes("n"), votes("p")], P, []),
    "nor when it is the first": ([votes("p"), votes("n"), votes("n")], P, []),
    "nor by one that is undecided": ([votes("pn"), votes("p")], P, []),
    "nor is an undecided one by normal ones": ([votes("n"), votes("pn"), votes("n")], U, ["opposed"]),
    "a scan that could not be analysed does not vote": ([votes("xx"), votes("n")], N, []),
    "nor beside one that is undecided": ([votes("x"), votes("pn")], U, ["opposed"]),
    "no scan could be analysed": ([votes("x"), votes("xx")], X, []),
    "a scan without an answer does not vote": ([[], votes("p")], P, []),
    "one not analysable, one without an answer": ([votes("x"), []], X, []),
}  # fmt: skip


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_call_is_right_in_every_situation(name):
    scans, label, reasons = SITUATIONS[name]
    found = call([(1 + n, [prediction(one) for one in scan]) for n, scan in enumerate(scans)], Limits())
    assert (found.label if found else None) == label
    assert [reason for scan in (found.deciding if found else []) for reason in scan.reasons] == reasons
    if found:
        assert call_sentence(found.content())
        assert found.agrees(N) is (None if label in {U, X} else label == N)


@pytest.mark.parametrize(
    ("scans", "label"),
    [
        ([votes("pn")], P),
        ([votes("nnp")], N),
        ([[ensemble(N, span=(0.2, 0.6), doubt=0.5), *votes("pp")]], N),
    ],
)
def test_the_rule_is_the_departments(scans, label):
    """With every limit out of reach the leading answer decides, and a tie is ventriculomegaly."""
    found = call([(1, [prediction(one) for one in scans[0]])], NO_LIMITS)
    assert found
    assert found.label == label


def test_the_leading_version_is_named_once_whatever_there_is_to_doubt():
    doubtful = [ensemble(N, span=(0.2, 0.6), doubt=0.29), *votes("pn")]
    found = call([(1, [prediction(one) for one in doubtful])], Limits())
    assert found
    assert call_sentence(found.content()) == (
        "Undecided. Ensemble 1 says normal, and held a little differently the picture is called the other "
        "way; another view turns that with a chance of 0.29; 1 of 2 others say the opposite."
    )


@pytest.mark.parametrize(
    ("scans", "sentence"),
    [
        ([votes("n"), []], "Normal. Scan 2 has no answer."),
        ([[], votes("n"), []], "Normal. Scans 1, 3 have no answer."),
        ([votes("n"), votes("x")], "Normal (by scan 1)."),
    ],
)
def test_a_call_says_on_which_scans_it_does_not_rest(scans, sentence):
    found = call([(1 + n, [prediction(one) for one in scan]) for n, scan in enumerate(scans)], Limits())
    assert found
    assert call_sentence(found.content()) == sentence


def test_an_undecided_call_says_why():
    found = call([(1, [prediction(one) for one in [ensemble(N), *votes("pppn")]])], Limits())
    assert found
    assert call_sentence(found.content()) == (
        "Undecided. Ensemble 1 says normal, and 3 of 4 others say the opposite."
    )


def test_with_several_scans_the_one_that_decides_is_named():
    def said(*scans: str) -> Call:
        by_scan = [(1 + n, [prediction(one) for one in votes(text)]) for n, text in enumerate(scans)]
        found = call(by_scan, Limits())
        assert found
        return found

    assert call_sentence(said("n", "p").content()) == "Ventriculomegaly (by scan 2)."
    assert call_sentence(said("n", "pn").content()).startswith(
        "Undecided. Scan 2: cnn 1 says ventriculomegaly"
    )


# Who shows it


@pytest.fixture
def split(case, alice, small_scan, tmp_path) -> Case:
    """Three networks say ventriculomegaly, one says normal, and so does the combined answer, which leads."""
    networks = ("ensemble", "cnn", "modified_cnn", "resnet18", "vgg16")
    for network in networks:
        answers.active_version(tmp_path, network=network)
    scan = small_scan(case, alice, shape=(1, 64, 80))
    for job in Job.objects.filter(image=scan.image):
        answers.answer(job, label=N if job.model_version.network in {"ensemble", "vgg16"} else P)
    return case


def file(client, case, kind: str, finding: str, **more) -> str:
    return pages.file_read(client, case, follow=True, kind=kind, finding=finding, **more).content.decode()


@pytest.mark.django_db
def test_page_form_list_report_and_api_show_the_one_call(split, alice, client_of, api):
    client = client_of(alice)
    page = client.get(split.get_absolute_url()).content.decode()
    assert "The models: Undecided." in page
    assert "ensemble 0 says normal, and 3 of 4 others say the opposite" in page
    assert "No finding agrees or differs" in page
    (line,) = client.get("/").context["page"].lines
    assert line.verdict == "Undecided 0.25–0.75"
    for address in (f"/cases/{split.pk}/report/", f"/cases/{split.pk}/report.pdf"):
        response = client.get(address)
        if response["Content-Type"] == "application/pdf":
            pages = PdfReader(io.BytesIO(response.content)).pages
            text = " ".join(" ".join(one.extract_text() for one in pages).split())
        else:
            text = response.content.decode()
        assert "Undecided. Ensemble 0 says normal" in text
    found = api(alice).get(f"/api/v1/cases/{split.pk}/reading/").json()["call"]
    assert found["label"] == "undecided"
    assert [(one["scan"], one["label"], one["reasons"]) for one in found["scans"]] == [
        (1, "undecided", ["opposed"])
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("finding", [N, P, "indeterminate"])
def test_nothing_agrees_with_undecided_and_a_second_reader_is_asked(split, alice, client_of, finding):
    client = client_of(alice)
    shown = file(client, split, "final", finding)
    read = Read.objects.get()
    assert (read.called, read.agrees, read.reason) == ("undecided", None, "")
    assert Case.objects.get(pk=split.pk).stage == "second"
    assert "the models were undecided" in shown
    assert "agrees with the models" not in shown
    (line,) = client.get("/").context["page"].lines
    assert line.differs is False


@pytest.mark.django_db
def test_a_department_that_asks_nobody_asks_nobody(split, department, alice, client_of):
    ReadingRules.objects.filter(department=department).update(second_reader="never")
    file(client_of(alice), split, "final", N)
    assert Case.objects.get(pk=split.pk).stage == "to_sign"


@pytest.mark.django_db
def test_the_rule_is_read_from_the_departments_rules(split, department, alice, client_of):
    ReadingRules.objects.filter(department=department).update(undecided_opposed=0.8)
    found = call_of(Case.objects.get(pk=split.pk))
    assert found
    assert found.label == N
    (line,) = client_of(alice).get("/").context["page"].lines
    assert line.verdict.startswith("Normal")


@pytest.mark.django_db
def test_a_blind_reader_is_told_no_call(split, department, client_of, api):
    ReadingRules.objects.filter(department=department).update(mode="reader_first")
    dora = member("dora", department, Role.READER)
    assert "Undecided" not in client_of(dora).get(split.get_absolute_url()).content.decode()
    assert api(dora).get(f"/api/v1/cases/{split.pk}/reading/").json()["call"] is None


@pytest.mark.django_db
def test_a_case_that_nobody_could_analyse_is_called_so(case, alice, small_scan, tmp_path, client_of, api):
    answers.active_version(tmp_path)
    scan = small_scan(case, alice, shape=(1, 64, 80))
    answers.answer(Job.objects.get(image=scan.image), refusal=NotAnalysable("no_head", "No head was found."))
    client = client_of(alice)
    assert "The models: Not analysable." in client.get(case.get_absolute_url()).content.decode()
    (line,) = client.get("/").context["page"].lines
    assert line.verdict == "Not analysable"
    file(client, case, "final", "not_diagnostic")
    assert (Read.objects.get().called, Read.objects.get().agrees) == ("not_analysable", None)
    assert Case.objects.get(pk=case.pk).stage == "to_sign"
