"""Health is asked by machines, which name this machine and not the hospital's."""

import pytest

pytestmark = pytest.mark.django_db


def test_a_probe_is_answered_under_every_name(client, settings):
    settings.ALLOWED_HOSTS = ["ventra.hospital.example"]
    settings.SECURE_SSL_REDIRECT = True
    for path in ("/healthz", "/readyz"):
        assert client.get(path, headers={"host": "127.0.0.1:8000"}).status_code == 200
    assert client.get("/", headers={"host": "127.0.0.1:8000"}).status_code == 400
