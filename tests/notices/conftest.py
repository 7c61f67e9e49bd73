"""What somebody sees of their notices."""

import re
from collections.abc import Callable

import pytest

from accounts.models import User


@pytest.fixture
def sees(client_of) -> Callable[[User], list[str]]:
    """The sentences on somebody's page, newest first."""

    def seen(user: User) -> list[str]:
        page = client_of(user).get("/notices/").content.decode()
        found = re.findall(r'<button class="link">(?:<span class="unseen">\w+: </span>)?(.*?)</button>', page)
        return [sentence.strip() for sentence in found]

    return seen


@pytest.fixture
def bell(client_of) -> Callable[[User], str]:
    """What the bell says in words on any page."""

    def said(user: User) -> str:
        page = client_of(user).get("/account/tokens/").content.decode()
        return re.search(r'id="unread".*?<span class="unseen">(.*?)</span>', page, re.DOTALL).group(1)

    return said
