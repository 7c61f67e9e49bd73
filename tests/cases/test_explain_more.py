"""Another explanation of an answer: by another method, or for the class that was not called."""

import pytest
from refused import refused

from cases import services
from inference.models import Explanation, Job, Prediction

pytestmark = pytest.mark.django_db
OTHER = {"ventriculomegaly": "normal", "normal": "ventriculomegaly"}


@pytest.fixture
def prediction(case, alice, add_scan, run_jobs) -> Prediction:
    scan = add_scan(case, alice)
    run_jobs(lime=False)
    return Prediction.objects.get(image=scan.image, model_version__network="cnn")


def test_the_other_class_is_explained_and_named_as_such(prediction, case, alice, client_of, run_jobs):
    client, other = client_of(alice), OTHER[prediction.label]
    client.post(f"/answers/{prediction.pk}/explain/", {"method": "gradcam", "class_label": other})
    run_jobs(lime=False)
    row = Explanation.objects.get(prediction=prediction, class_label=other)
    assert not row.explains_prediction
    assert f"Grad-CAM, for {other}" in client.get(case.get_absolute_url()).content.decode()


def test_another_method_is_run_once_however_often_it_is_asked_for(prediction, alice, api, run_jobs):
    client, address = api(alice), f"/api/v1/predictions/{prediction.pk}/explanations/"
    asked = [client.post(address, {"method": "occlusion"}, content_type="application/json") for _ in range(2)]
    assert [response.status_code for response in asked] == [202, 200]
    assert len({response.json()["id"] for response in asked}) == 1
    run_jobs(lime=False)
    row = Explanation.objects.get(prediction=prediction, method="occlusion")
    assert row.class_label == prediction.label
    assert "deletion" in row.metrics


def test_an_unknown_method_is_refused_in_the_form_and_in_the_api(prediction, alice, client_of, api):
    before = Job.objects.count()
    client_of(alice).post(f"/answers/{prediction.pk}/explain/", {"method": "tarot", "class_label": "normal"})
    refused = api(alice).post(
        f"/api/v1/predictions/{prediction.pk}/explanations/",
        {"method": "tarot"},
        content_type="application/json",
    )
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "method"
    assert Job.objects.count() == before


def test_a_refusal_has_nothing_to_explain(case, alice, add_scan, run_jobs, api):
    scan = add_scan(case, alice)
    run_jobs(lime=False)
    answered = Prediction.objects.filter(image=scan.image).first()
    Prediction.objects.filter(pk=answered.pk)
    answered.analysable = False
    with refused("nothing_to_explain", match="not analysable"):
        services.explain(answered, method="lime", class_label="normal", by=alice)


def test_an_ensemble_says_that_its_members_are_explained(case, alice, add_scan, run_jobs):
    from conftest import seat_shipped

    seat_shipped({"ensemble"})
    scan = add_scan(case, alice)
    run_jobs(lime=False)
    combined = Prediction.objects.get(image=scan.image, model_version__network="ensemble")
    job, _ = services.explain(combined, method="gradcam", class_label=combined.label, by=alice)
    run_jobs(lime=False)
    job.refresh_from_db()
    assert (job.state, job.failure_code) == ("failed", "cannot_explain")
    assert "its members have" in job.failure_detail


def test_only_readers_of_the_department_may_ask(prediction, auditor, charlie, client_of):
    sent = {"method": "rise", "class_label": "normal"}
    assert client_of(auditor).post(f"/answers/{prediction.pk}/explain/", sent).status_code == 403
    assert client_of(charlie).post(f"/answers/{prediction.pk}/explain/", sent).status_code == 404
