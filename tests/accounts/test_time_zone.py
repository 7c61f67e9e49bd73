"""A time zone that is none locks nobody out, and is not taken."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["Europe/Nowhere", "../etc/passwd", "", "a\0b", "x" * 64])
def test_whose_zone_is_none_still_reaches_every_page(alice, client_of, name):
    User.objects.filter(pk=alice.pk).update(time_zone=name.replace("\0", ""))
    client = client_of(alice)
    assert client.get("/").status_code == 200
    assert client.post("/account/logout/").status_code == 302


def test_a_zone_that_is_none_is_not_taken(alice):
    alice.time_zone = "Europe/Nowhere"
    with pytest.raises(ValidationError, match="no time zone of this name"):
        alice.full_clean()
