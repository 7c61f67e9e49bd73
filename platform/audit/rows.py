"""Do rows still say what they said when they were last written through the program?

A trigger on each kept table (`ventra_watch`, audit migration 0004) writes a digest of every row that is
inserted, updated or deleted: SHA-256 of the row as JSON, in the same transaction. The digests are chained
(audit.seals.ROWS). Whoever changes a row with the triggers off leaves a row that its newest digest does not
fit. One statement compares a whole table in one snapshot, so that nothing that is being written is a fault.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model

_COMPARE = """
WITH newest AS (
    SELECT DISTINCT ON (row_key) row_key, digest, change, form_id,
        count(*) FILTER (WHERE change IN ('update', 'delete')) OVER (PARTITION BY row_key) AS changes
    FROM audit_rowdigest WHERE table_name = %(table)s ORDER BY row_key, id DESC
), said AS (
    SELECT t.{key}::text AS row_key, to_jsonb(t) AS row FROM {table} t
)
SELECT coalesce(said.row_key, newest.row_key), CASE
    WHEN newest.row_key IS NULL THEN 'unknown'
    WHEN said.row_key IS NULL THEN CASE WHEN newest.change = 'delete' THEN 'deleted' ELSE 'gone' END
    WHEN newest.change = 'delete' THEN 'back'
    WHEN ventra_row_digest(said.row, form.columns) <> newest.digest THEN 'changed'
    ELSE 'rewritten' END
FROM said FULL JOIN newest USING (row_key) LEFT JOIN audit_rowform form ON form.id = newest.form_id
WHERE newest.row_key IS NULL
    OR (said.row_key IS NULL AND (newest.change <> 'delete' OR %(fixed)s))
    OR (said.row_key IS NOT NULL AND newest.change = 'delete')
    OR (said.row_key IS NOT NULL AND ventra_row_digest(said.row, form.columns) <> newest.digest)
    OR (%(fixed)s AND newest.changes > 0)
ORDER BY 1
"""

_REASONS = {
    "unknown": "was written past the program",
    "gone": "is gone",
    "deleted": "was deleted, and such a row never is",
    "back": "was deleted, and is back",
    "changed": "was changed past the program",
    "rewritten": "was changed, and such a row never is",
}


@dataclass(frozen=True)
class Kept:
    """A table whose rows have digests. fixed: its rows never change and are never deleted."""

    table: type[Model]
    fixed: bool = True


def faults(tables: tuple[Kept, ...]) -> Iterator[str]:
    """One sentence for each row that its digests do not vouch for, naming it."""
    for kept in tables:
        for key, what in _compared(kept):
            yield f"{_name(kept)} {key} {_REASONS[what]}"


def newest(table: type[Model], keys: Iterable[Any]) -> dict[str, str]:
    """The newest digest of each of these rows, by key."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (row_key) row_key, digest FROM audit_rowdigest"
            " WHERE table_name = %s AND row_key = ANY(%s) ORDER BY row_key, id DESC",
            [table._meta.db_table, [str(key) for key in keys]],
        )
        return dict(cursor.fetchall())


def fitting(table: type[Model], keys: Iterable[Any]) -> set[tuple[str, str]]:
    """(key, digest) of every digest, old or new, that these rows still fit as they are."""
    quote = connection.ops.quote_name
    name, key = quote(table._meta.db_table), quote(_key(table))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT was.row_key, was.digest FROM audit_rowdigest was JOIN audit_rowform form"  # noqa: S608
            f" ON form.id = was.form_id JOIN {name} t ON t.{key}::text = was.row_key"
            " WHERE was.table_name = %s AND was.row_key = ANY(%s)"
            " AND ventra_row_digest(to_jsonb(t), form.columns) = was.digest",
            [table._meta.db_table, [str(key) for key in keys]],
        )
        return set(cursor.fetchall())


def untriggered(tables: tuple[Kept, ...]) -> Iterator[str]:
    """One sentence for each table whose rows get no digests any more."""
    with connection.cursor() as cursor:
        for kept in tables:
            table = kept.table._meta.db_table
            cursor.execute(
                "SELECT tgenabled FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname = %s",
                [table, f"{table}_kept"],
            )
            if [state for (state,) in cursor.fetchall()] != ["O"]:
                yield f"the rows of {table} get no digests: its trigger is off or gone"


def catch_up(tables: tuple[Kept, ...]) -> None:
    """Record rows anew whose digests lack a column that was added since; they must fit those digests."""
    with connection.cursor() as cursor:
        for kept in tables:
            cursor.execute("SELECT ventra_catch_up(%s)", [kept.table._meta.db_table])


def _compared(kept: Kept) -> Iterator[tuple[str, str]]:
    meta = kept.table._meta
    quote = connection.ops.quote_name
    query = _COMPARE.format(table=quote(meta.db_table), key=quote(_key(kept.table)))
    with connection.cursor() as cursor:
        cursor.execute(query, {"table": meta.db_table, "fixed": kept.fixed})
        yield from cursor.fetchall()


def _key(table: type[Model]) -> str:
    pk = table._meta.pk
    return str(pk.column) if pk else "id"


def _name(kept: Kept) -> str:
    return str(kept.table._meta.verbose_name)
