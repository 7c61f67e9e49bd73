"""The folder of stored files goes away and comes back: work waits, nothing fails, nobody stops answering."""

import io
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.core.management import call_command
from patience import until

from audit.models import Event
from inference.jobs import state as jobs
from inference.jobs import sweep as sweeper
from inference.models import Activation, Job, ModelVersion, Prediction
from notices.models import Notice

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def folder() -> Path:
    return Path(storages["blobs"].location)


def test_while_the_folder_is_away_work_waits_and_then_goes_on(
    maintenance, worker, tmp_path, case, manager, add_scan, folder, client
):
    add_scan(case, case.opened_by, seed=1)
    add_scan(case, case.opened_by, seed=2)
    answering = set(ModelVersion.objects.filter(state="active").values_list("pk", flat=True))
    away = folder.rename(tmp_path / "away")
    with maintenance(), worker():
        until(lambda: jobs.waiting_for_storage().count() == 4)
        told = Event.objects.filter(verb="job.requeued")
        until(lambda: Job.objects.filter(token__gte=3).exists())  # it was looked at again
        assert told.count() == 4, "the audit hears of each once, however often it is looked at"
        assert client.get("/readyz").status_code == 503
        assert Notice.objects.get(code="storage.missed").user == manager
        call_command("register_shipped", stdout=io.StringIO())  # a start goes through
        assert not folder.exists(), "nothing may be laid down where the folder will come back"
        away.rename(folder)
        until(lambda: not Job.objects.filter(state__in=["queued", "running"]).exists())

    assert set(Job.objects.values_list("state", "failure_code")) == {("succeeded", "")}
    assert set(Job.objects.values_list("attempts", flat=True)) == {1}
    assert Prediction.objects.count() == 4
    assert set(ModelVersion.objects.filter(state="active").values_list("pk", flat=True)) >= answering
    assert not Activation.objects.filter(ended_at__isnull=False).exists()
    assert not Event.objects.filter(verb__in=["job.failed", "model.quarantined"]).exists()
    assert client.get("/readyz").status_code == 200
    sweeper.sweep()
    assert not Notice.objects.filter(code="storage.missed").exists()
