"""The stack in containers, read by a parser."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

DOCKER = Path(__file__).resolve().parents[2] / "docker"
STACK: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, Any] = STACK["services"]
OURS = {"migrate", "web", "maintenance", "backup", "worker", "trainer", "sender", "worker-gpu"}
ENDS_BY_ITSELF = {"migrate", "backup"}
SECRET_NAMES = re.compile(r"(PASSWORD|SECRET|TOKEN)\w*$")


def test_the_stack_is_complete() -> None:
    assert set(SERVICES) == OURS | {"postgres", "redis"}


def test_every_top_level_key_is_one_of_composes_own() -> None:
    own = {"name", "services", "networks", "volumes", "configs", "secrets", "include"}
    assert {key for key in STACK if not key.startswith("x-")} <= own


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ENDS_BY_ITSELF))
def test_a_lasting_service_says_whether_it_is_well_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_services_wait_for_healthy_servers(name: str) -> None:
    waits = SERVICES[name]["depends_on"]
    assert waits["postgres"] == waits["redis"] == {"condition": "service_healthy"}
    if name != "migrate":
        assert waits["migrate"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_secrets_come_from_files(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    assert not [key for key in environment if SECRET_NAMES.search(key) and not key.endswith("_FILE")]
    named = {Path(value).name for key, value in environment.items() if key.endswith("_FILE")}
    assert named == set(SERVICES[name].get("secrets", []))
    assert all("@" not in str(value) or "://ventra@" in str(value) for value in environment.values())


def test_every_secret_is_a_file_that_up_makes_and_git_ignores() -> None:
    made = (DOCKER / "up").read_text()
    for name, secret in STACK["secrets"].items():
        assert secret == {"file": f"secrets/{name}"}
        assert name in made
    assert "/secrets/" in (DOCKER / ".gitignore").read_text().split()


@pytest.mark.parametrize("name", sorted(set(SERVICES) - OURS))
def test_foreign_images_are_pinned_to_a_release(name: str) -> None:
    assert re.fullmatch(r"[a-z/]+:\d+\.\d+(\.\d+)?-[a-z]+", SERVICES[name]["image"])


def test_the_gpu_worker_is_the_same_worker_with_a_device_and_a_queue() -> None:
    worker, gpu = SERVICES["worker"], SERVICES["worker-gpu"]
    assert gpu["profiles"] == ["gpu"]
    assert "profiles" not in worker
    assert "CUDA_VISIBLE_DEVICES" in gpu["environment"]
    assert gpu["command"][gpu["command"].index("-Q") + 1] == "gpu,inference"
    assert gpu["build"]["target"] == worker["build"]["target"] == "worker"
    assert gpu["build"]["args"]["BASE_IMAGE"].startswith("nvidia/cuda:")
    device = gpu["deploy"]["resources"]["reservations"]["devices"][0]
    assert device["capabilities"] == ["gpu"]


def test_only_the_web_is_reachable_and_only_from_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}
    assert STACK["networks"]["inside"] == {"internal": True}
    reach_out = {name for name, service in SERVICES.items() if "outside" in service["networks"]}
    assert reach_out == {"web", "sender"}


def test_the_sender_hears_of_webhooks_only_and_runs_no_network() -> None:
    sender = SERVICES["sender"]
    assert sender["command"][sender["command"].index("-Q") + 1] == "webhooks"
    assert sender["image"] == "ventra-web"


def test_the_queue_refuses_to_forget_and_survives_a_restart() -> None:
    command = SERVICES["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert command[command.index("--appendonly") + 1] == "yes"


def test_web_and_workers_share_their_blobs() -> None:
    for name in ("migrate", "web", "maintenance", "backup", "worker", "worker-gpu"):
        assert SERVICES[name]["volumes"][0] == "blobs:/var/lib/ventra/blobs"


def test_each_image_is_built_by_one_service_alone() -> None:
    """Two that build the same tag at once disturb each other; `up` builds before anything starts."""
    builders = [service["image"] for service in SERVICES.values() if "build" in service]
    assert sorted(builders) == ["ventra-web", "ventra-worker", "ventra-worker-gpu"]
    assert {SERVICES[name]["image"] for name in OURS} == set(builders)
    up = (DOCKER / "up").read_text()
    assert up.index('docker compose "$@" build') < up.index('docker compose "$@" up')


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_no_service_takes_all_memory_or_fills_the_disk_with_its_log(name: str) -> None:
    assert re.fullmatch(r"\d+[mg]|\$\{\w+:-\d+g\}", SERVICES[name]["mem_limit"])
    assert SERVICES[name]["logging"]["options"] == {"max-size": "20m", "max-file": "5"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_any_setting_reaches_our_services_by_one_file(name: str) -> None:
    assert SERVICES[name]["env_file"] == [{"path": "ventra.env", "required": False}]
    assert "/ventra.env" in (DOCKER / ".gitignore").read_text().split()
