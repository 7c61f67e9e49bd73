"""The models as the API shows them."""

from datetime import timedelta

import answers
import pytest
from django.test import Client
from django.urls import reverse

from accounts.tokens import issue_token
from inference.models import ModelVersion
from inference.registry import service as registry

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(manager) -> Client:
    """The model manager's own program."""
    token = issue_token(manager, lifetime=timedelta(hours=1))
    return Client(headers={"Authorization": f"Token {token}"})


@pytest.fixture
def versions(tmp_path) -> list[ModelVersion]:
    """One active version for each modality; the MRI one is the newer."""
    return [answers.active_version(tmp_path, modality=modality) for modality in ("ultrasound", "mri")]


def listed(client: Client, **query: str) -> list[str]:
    page = client.get(reverse("api:models"), query)
    return [version["modality"] for version in page.json()["results"]]


def test_versions_are_listed_newest_first(program, versions):
    assert listed(program) == ["mri", "ultrasound"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"modality": "mri"}, ["mri"]),
        ({"network": "cnn", "modality": "ultrasound"}, ["ultrasound"]),
        ({"network": "vgg16"}, []),
        ({"state": "retired"}, []),
    ],
)
def test_versions_are_narrowed_by_what_is_asked(program, versions, query, found):
    assert listed(program, **query) == found


def test_a_version_says_everything_that_is_needed_to_check_it(program, versions):
    said = program.get(reverse("api:model", args=[versions[0].pk])).json()
    assert said["weights_sha256"] == versions[0].weights_sha256
    assert said["preprocessing_sha256"] == versions[0].preprocessing_sha256
    assert said["labels"] == ["normal", "ventriculomegaly"]
    assert (said["threshold"], said["threshold_target"], said["temperature"]) == (0.5, "a test", 1.0)
    assert said["card"] == {"purpose": "a test"}


def test_the_history_says_when_a_version_answered(program, versions):
    registry.quarantine(versions[0], reason="a test")
    said = program.get(reverse("api:model", args=[versions[0].pk])).json()
    [interval] = said["activations"]
    assert said["state"] == "quarantined"
    assert interval["started_at"] <= interval["ended_at"]


def test_a_longer_list_costs_no_more_queries(program, versions, django_assert_num_queries):
    program.get(reverse("api:models"))  # the token's first use is noted
    # the token, the other tokens' expiry, when it was last used, the role, the versions, their activations
    with django_assert_num_queries(7):
        program.get(reverse("api:models"), {"page_size": "1"})
    with django_assert_num_queries(7):
        program.get(reverse("api:models"))


def test_a_program_asks_which_versions_answered_at_a_moment(program, versions):
    url = reverse("api:seats")
    now = program.get(url).json()["results"]
    assert {(seat["modality"], seat["role"], seat["model_version"]["version"]) for seat in now} == {
        ("mri", "cnn", "0"),
        ("ultrasound", "cnn", "0"),
    }
    assert program.get(url, {"at": "2020-01-01T14:02:00Z"}).json()["results"] == []
    for asked in ({"at": "noon"}, {"at": ""}, {"when": "2020-01-01T14:02:00Z"}):
        refused = program.get(url, asked)
        assert refused.status_code == 400
        assert refused.headers["content-type"] == "application/problem+json"
