"""Lines of the log as JSON: each says in which request or which work it was written."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable

import pytest

from audit.context import Origin, origin
from config.log_lines import About, JsonLines
from inference.models import Job
from launcher.environment import ROOT

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines() -> Callable[[], list[dict]]:
    """What is logged from now on, as it stands in the log."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonLines())
    handler.addFilter(About())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


def test_a_line_of_a_request_has_the_id_of_its_response(lines, client_of, alice):
    answer = client_of(alice).get("/cases/00000000-0000-0000-0000-000000000000/?q=SECRET-1")
    (line,) = [one for one in lines() if one["logger"] == "django.request"]
    assert answer.status_code == 404
    assert (line["level"], line["door"]) == ("WARNING", "page")
    assert line["request_id"] == answer["X-Request-Id"]
    assert line["time"].endswith("Z")
    assert "jobs" not in line
    assert "SECRET-1" not in json.dumps(line), "a query may hold what somebody typed"


def test_a_line_of_a_worker_has_its_jobs_and_images(lines, case, alice, add_scan, run_jobs):
    scan = add_scan(case, alice)
    run_jobs(lime=False)
    done = [one for one in lines() if one["message"].startswith("predict, ")]
    predicted = {str(pk) for pk in Job.objects.filter(kind="predict").values_list("pk", flat=True)}
    assert {job for line in done for job in line["jobs"]} == predicted
    assert all(line["images"] == [str(scan.image_id)] and line["door"] == "worker" for line in done)
    assert origin.get() == Origin("command"), "what comes after is about nothing of it"


def test_a_fault_stands_in_one_line_with_its_traceback(lines):
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("somewhere").exception("It failed:\nbadly")
    (line,) = [one for one in lines() if one["logger"] == "somewhere"]
    assert line["message"] == "It failed:\nbadly"
    assert "ValueError: two" in line["exc_info"]


def test_the_setting_chooses_the_lines_and_another_word_stops_the_start(environment):
    words = "import logging; logging.getLogger('here').warning('said')"

    def run(format_: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *(arguments or ("shell", "-v0", "-c", words))]
        within = environment | {"LOG_FORMAT": format_}
        return subprocess.run(command, cwd=ROOT, env=within, capture_output=True, text=True, check=False)

    (line,) = [json.loads(line) for line in run("json").stderr.splitlines() if '"here"' in line]
    assert (line["level"], line["message"], line["door"]) == ("WARNING", "said", "command")
    assert "WARNING here said" in run("line").stderr
    refused = run("xml", "check")
    assert refused.returncode
    assert "LOG_FORMAT must be one of line, json, not 'xml'" in refused.stderr
