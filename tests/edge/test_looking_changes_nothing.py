"""Whoever looks changes nothing: a GET writes no row, whatever the address and the role, but the audit's."""

from datetime import timedelta

import long
import pytest
from django.db import connection
from edge.everything import Visitor, addresses, keys_of_everything, ways_in

from accounts.models import User
from accounts.tokens import issue_token

pytestmark = pytest.mark.django_db

MAY_BE_WRITTEN = {"audit_event", "audit_rowdigest", "django_session", "accounts_tokenuse"}
"""That somebody looked is kept; a session and a token say when they were last used."""


def written() -> dict[str, tuple[int, int, int]]:
    """Rows inserted, updated and deleted in this transaction, by table, as PostgreSQL counts them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables")
        return {name: (inserted, updated, deleted) for name, inserted, updated, deleted in cursor.fetchall()}


def visitors(user: User | None) -> tuple[Visitor, Visitor]:
    """The same person with a browser and with a program."""
    if user is None:
        return Visitor(), Visitor()
    person = Visitor()
    person.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return person, Visitor(Authorization=f"Token {issue_token(user, lifetime=timedelta(hours=1))}")


EVERYBODY, OTHERS = "everybody", 2
"""Each address is asked by who may do all, and by so many of the others; in a long run by each."""
WHO = [EVERYBODY, "alice", "bob", "auditor", "manager", "administrator", "charlie", None]


def test_no_get_writes_a_row(request, world):
    keys, changed = keys_of_everything(), []
    [finder, finding_program] = visitors(world.user)
    paths = [
        door[2]
        for address in addresses()
        for door in ways_in(_of(address.route, finder, finding_program), address, keys, methods=("GET",))
    ]
    for who in WHO:
        person, program = visitors(request.getfixturevalue(who) if who else None)
        for path in paths:
            if who != EVERYBODY and who not in long.share(WHO[1:], OTHERS, path):
                continue
            before = written()
            _of(path, person, program).get(path)
            after = written()
            tables = {name for name in after if after[name] != before.get(name)} - MAY_BE_WRITTEN
            changed += [f"{who}: {path}: {', '.join(sorted(tables))}"] if tables else []
    assert not changed, "\n".join(changed)


def _of(path: str, person: Visitor, program: Visitor) -> Visitor:
    return program if path.startswith("/api/v1/") else person
