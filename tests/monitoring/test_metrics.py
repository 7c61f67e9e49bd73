"""Figures for operators: whoever may, sees what the rows say, and nothing about anybody."""

import ipaddress
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.db import OperationalError, connection
from django.db.models.functions import Now
from prometheus_client.parser import text_string_to_metric_families

from audit import seals
from inference.jobs import lease
from inference.jobs.lease import Fault
from inference.models import Job, Worker

pytestmark = pytest.mark.django_db

TOKEN = "a token of this test"
MONITORING = Path(__file__).resolve().parents[2] / "docker" / "monitoring"
OUR_NAME = re.compile(r"\bventra_\w+")


@pytest.fixture(autouse=True)
def with_token(settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def scraped(client) -> dict[str, dict[tuple[str, ...], float]]:
    """By name of the figure: its value by the values of its labels, in the order of their names."""
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}", "Host": "10.9.8.7"})
    assert answer.status_code == 200
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        found[family.name] = {
            tuple(value for _, value in sorted(one.labels.items())): one.value for one in family.samples
        }
    return found


def test_figures_are_there_for_the_token_and_for_nobody_else(client, client_of, administrator):
    assert client.get("/metrics").status_code == 404
    assert client_of(administrator).get("/metrics").status_code == 404
    for wrong in ("Bearer another", "Bearer ", f"Token {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe4"):
        assert client.get("/metrics", headers={"Authorization": wrong}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_without_a_token_that_is_set_an_empty_one_opens_nothing(client, settings):
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize(
    ("peer", "forwarded", "status"),
    [
        ("10.1.0.9", "", 200),
        ("10.2.0.9", "", 404),
        ("10.2.0.9", "10.1.0.9", 404),  # anybody can say so
        ("10.1.0.9", "192.0.2.1", 404),  # a proxy inside that nobody trusts brings somebody from outside
        ("10.3.0.1", "10.1.0.9", 200),  # by a trusted proxy
        ("10.3.0.1", "192.0.2.1", 404),
        ("10.3.0.1", "nonsense", 404),
    ],
)
def test_a_network_is_that_of_the_client_and_not_of_a_proxy(client, settings, peer, forwarded, status):
    settings.METRICS_NETWORKS = [ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("10.3.0.0/16")]
    settings.TRUSTED_PROXIES = [ipaddress.ip_network("10.3.0.1/32")]
    more = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client.get("/metrics", headers=more, REMOTE_ADDR=peer).status_code == status


def test_the_queue_is_told_by_kind_and_department_with_its_oldest(case, alice, add_scan, client):
    add_scan(case, alice)
    Job.objects.update(created_at=Now() - timedelta(minutes=2))
    one = Job.objects.first()
    lease.claim(one.pk)
    found = scraped(client)
    key = (case.department.name, "predict")
    assert found["ventra_jobs_waiting"][key] + found["ventra_jobs_running"][key] == Job.objects.count()
    assert found["ventra_jobs_running"][key] >= 1
    assert found["ventra_urgent_oldest_seconds"][()] == 0
    Job.objects.update(state="queued", priority=20)
    later = scraped(client)
    assert 120 <= later["ventra_job_oldest_seconds"][key] < 180
    assert 120 <= later["ventra_urgent_oldest_seconds"][()] < 180


def test_what_ended_lately_is_told_with_its_reason_its_attempts_and_its_time(case, alice, add_scan, client):
    add_scan(case, alice)
    done, failed = Job.objects.order_by("pk")[:2]
    times = {"created_at": Now() - timedelta(seconds=50), "started_at": Now() - timedelta(seconds=40)}
    times["finished_at"] = Now() - timedelta(seconds=10)
    Job.objects.filter(pk=done.pk).update(state="succeeded", attempts=2, faults={"crash": 1}, **times)
    Job.objects.filter(pk=failed.pk).update(state="failed", failure_code="poison", attempts=3, **times)
    found = scraped(client)
    assert found["ventra_jobs_ended_1h"] == {
        ("poison", "predict", "failed"): 1,
        ("", "predict", "succeeded"): 1,
    }
    assert found["ventra_job_attempts_1h"][("poison", "predict", "failed")] == 3
    assert found["ventra_job_faults_1h"] == {(fault.value,): float(fault == Fault.CRASH) for fault in Fault}
    assert found["ventra_job_seconds_1h"][("predict", "0.5", "waiting")] == pytest.approx(10)
    assert found["ventra_job_seconds_1h"][("predict", "0.99", "working")] == pytest.approx(30)
    Job.objects.update(finished_at=Now() - timedelta(hours=2))
    assert scraped(client)["ventra_jobs_ended_1h"] == {}


def test_workers_versions_seals_and_places_are_told(models, case, client, settings):
    soon, ago = Now() + timedelta(minutes=1), Now() - timedelta(minutes=1)
    Worker.objects.create(name="a:1", queues="inference,training", lease_until=soon)
    Worker.objects.create(name="a:2", queues="inference", lease_until=ago)
    found = scraped(client)
    assert found["ventra_workers"] == {
        ("inference", "present"): 1,
        ("inference", "lost"): 1,
        ("training", "present"): 1,
        ("training", "lost"): 0,
    }
    assert {key[:2] for key in found["ventra_model_in_use"]} == {
        (modality, network) for modality in ("mri", "ultrasound") for network in ("cnn", "modified_cnn")
    }
    assert found["ventra_seals_waiting"][("event",)] > 0
    assert found["ventra_seal_lag_seconds"][("digest",)] > 0
    seals.seal_all()
    sealed = scraped(client)
    assert sealed["ventra_seals_waiting"] == {("event",): 0, ("digest",): 0}
    assert sealed["ventra_seal_lag_seconds"] == {("event",): 0, ("digest",): 0}
    assert sealed["ventra_storage_up"][()] == sealed["ventra_broker_up"][()] == 1
    assert sealed["ventra_maintenance_up"][()] == 0
    assert sealed["ventra_disk_free_bytes"][()] > 0
    assert sealed["ventra_disk_reserve_bytes"][()] == settings.DISK_RESERVE_BYTES


def test_no_figure_names_a_case_a_person_or_a_patient(case, alice, add_scan, run_jobs, client):
    add_scan(case, alice)
    run_jobs(lime=False)
    said = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode()
    assert len(said) > 2000
    for secret in (case.patient.patient_id, str(case.pk), alice.username, f"case {case.number}"):
        assert secret not in said


def test_a_scrape_asks_as_much_however_much_work_there_is(
    case, alice, add_scan, client, django_assert_max_num_queries
):
    with django_assert_max_num_queries(24):
        scraped(client)
    add_scan(case, alice)
    with django_assert_max_num_queries(24):
        scraped(client)


def test_a_scrape_while_the_database_is_away_says_so(client):
    with connection.execute_wrapper(_away):
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.content) == (503, b"The database does not answer.\n")


def _away(*_arguments):
    raise OperationalError("gone")


def _expressions(node) -> list[str]:
    """Every expression for Prometheus in a dashboard or a file of rules, however deep."""
    if isinstance(node, dict):
        own = [value for key, value in node.items() if key == "expr" and isinstance(value, str)]
        return own + [found for value in node.values() for found in _expressions(value)]
    return [found for value in node for found in _expressions(value)] if isinstance(node, list) else []


@pytest.mark.parametrize("file", ["alerts.yaml", "dashboard.json"])
def test_alerts_and_dashboard_ask_only_for_figures_that_there_are(
    file, client, models, case, alice, add_scan
):
    add_scan(case, alice)
    known = set(scraped(client)) | {"ventra_info"}
    expressions = _expressions(yaml.safe_load((MONITORING / file).read_text()))  # JSON is YAML
    assert len(expressions) > 8
    assert {name for said in expressions for name in OUR_NAME.findall(said)} - known == set()


def test_each_alert_fires_when_it_should_and_has_advice():
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"][0]["rules"]
    tried = yaml.safe_load((MONITORING / "alerts.test.yaml").read_text())["tests"]
    names = {rule["alert"] for rule in rules}
    assert {one["name"] for one in tried} == names
    advice = (MONITORING.parents[1] / "docs" / "operations.md").read_text()
    assert [name for name in names if f"`{name}`" not in advice] == []
    if not (promtool := shutil.which("promtool")):
        pytest.skip("promtool, which evaluates the rules, comes with Prometheus and is not here")
    asked = [promtool, "test", "rules", "alerts.test.yaml"]
    said = subprocess.run(asked, cwd=MONITORING, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def test_every_figure_is_explained_to_operators(client, models):
    explained = (MONITORING.parents[1] / "docs" / "operations.md").read_text()
    assert [name for name in scraped(client) if f"`{name}`" not in explained and name != "ventra"] == []
