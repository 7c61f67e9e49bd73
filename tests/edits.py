"""Edits behind the program's back, as the database's owner can make them: for tests of who finds them."""

import random
import uuid
from contextlib import contextmanager

from django.db import connection

from cases.verification import KEPT

CHANGED = {
    "pixel spacing": ("inference_image", "row_spacing = 0.05"),
    "pixels of another image": (
        "inference_image",
        "pixels_id = (SELECT pixels_id FROM inference_image x WHERE x.id <> t.id LIMIT 1)",
    ),
    "a window": ("inference_image", "window_center = 12"),
    "modality": ("inference_image", "modality = 'mri'"),
    "case to another patient": (
        "cases_case",
        "patient_id = (SELECT id FROM cases_patient x WHERE x.id <> t.patient_id LIMIT 1)",
    ),
    "gestational age": ("cases_case", "gestational_age_days = 200"),
    "question": ("cases_case", "question = 'Another?'"),
    "patient's identifier": ("cases_patient", "patient_id = 'P-9'"),
    "scan to another case": (
        "cases_scan",
        "case_id = (SELECT id FROM cases_case x WHERE x.id <> t.case_id LIMIT 1), number = 9",
    ),
    "file name": ("cases_scan", "file_name = 'other.png'"),
    "when it was added": ("cases_scan", "added_at = added_at - interval '1 day'"),
    "temperature": ("inference_modelversion", "temperature = 2"),
    "threshold": ("inference_modelversion", "threshold = 0.9"),
    "weights": (
        "inference_modelversion",
        "weights_id = (SELECT sha256 FROM blobs_blob x WHERE x.sha256 <> t.weights_id LIMIT 1)",
    ),
    "card": ("inference_modelversion", 'card = \'{"purpose": "another"}\''),
    "state of a version": ("inference_modelversion", "state = 'retired'"),
    "who activated": ("inference_activation", "activated_by_id = (SELECT min(id) FROM accounts_user)"),
    "when it answered": ("inference_activation", "started_at = started_at - interval '1 year'"),
    "evaluation": ("inference_evaluation", "figures = '{\"auc\": 1}'"),
    "kind of a job": ("inference_job", "kind = 'shadow'"),
    "frames of a job": ("inference_job", "parameters = '{\"frames\": [9]}'"),
    "probability": ("inference_prediction", "probability = 0.01"),
    "label": ("inference_prediction", "label = 'normal'"),
    "answer of another scan": (
        "inference_prediction",
        "image_id = (SELECT id FROM inference_image x WHERE x.id <> t.image_id LIMIT 1)",
    ),
    "when it was answered": ("inference_prediction", "created_at = created_at - interval '1 day'"),
    "map of another": (
        "inference_explanation",
        "heatmap_id = (SELECT sha256 FROM blobs_blob x WHERE x.sha256 <> t.heatmap_id LIMIT 1)",
    ),
    "trust in a map": ("inference_explanation", "metrics = '{\"r2\": 1}'"),
    "verdict of a repetition": ("inference_repetition", "machine = 'another'"),
    "quality": ("inference_quality", "checks = '[]'"),
    "finding": ("cases_read", "finding = 'normal'"),
    "side": ("cases_read", "laterality = 'right'"),
    "reader": ("cases_read", "reader_id = (SELECT max(id) FROM accounts_user)"),
    "when it was read": ("cases_read", "created_at = created_at - interval '1 day'"),
    "scans that were read": ("cases_read", "scans = '[]'"),
    "length": ("cases_measurement", "length_px = 58.2"),
    "ends of a caliper": ("cases_measurement", "start = '[0, 0]'"),
    "millimetres of a pixel": ("cases_calibration", "row_spacing = 0.1"),
    "why a calibration was withdrawn": ("cases_calibrationwithdrawal", "reason = 'Another.'"),
    "reason of a withdrawal": ("cases_withdrawal", "reason = 'Another.'"),
    "withdrawal of another": ("cases_withdrawal", "measurement_id = gen_random_uuid()"),
    "name under a signature": ("cases_signoff", "name = 'Somebody Else'"),
    "what was signed": ("cases_signoff", "content = '{}'"),
    "addendum": ("cases_addendum", "text = 'Not seen again.'"),
    "advice": ("cases_advice", "suggestions = '[]'"),
    "answer to advice": ("cases_adviceanswer", "outcome = 'done'"),
    "reading rules": ("cases_readingrules", "second_reader = 'never'"),
    "role": ("accounts_membership", "role = 'administrator'"),
    "name of a reader": ("accounts_user", "first_name = 'Somebody', last_name = 'Else'"),
    "name of a department": ("accounts_department", "name = 'Another'"),
    "size of a blob": ("blobs_blob", "size = size + 1"),
    "digest of a row": ("audit_rowdigest", "digest = repeat('0', 64)"),
    "columns of a digest": ("audit_rowform", "columns = columns[1:2]"),  # no table has just these two
    "link of the chain": ("audit_rowseal", "hash = md5(random()::text)"),
    "audit line": ("audit_event", "actor_name = 'nobody'"),
}
"""One column of one row: the table, and what is set there (t is the row)."""
GONE = (
    "cases_calibration",
    "cases_withdrawal",
    "cases_measurement",
    "cases_read",
    "cases_scan",
    "cases_addendum",
    "inference_prediction",
    "inference_explanation",
    "audit_rowdigest",
)
TWICE = ("cases_read", "cases_measurement", "inference_quality", "cases_advice")
KEYS = {"cases_readingrules": "department_id", "blobs_blob": "sha256", "audit_rowseal": "number"}


TABLES = (
    *(one.table._meta.db_table for one in KEPT),
    "audit_event",
    "audit_rowdigest",
    "audit_rowform",
    "audit_rowseal",
)
NO_FOREIGN_KEYS = """
DO $$ DECLARE one record; BEGIN
    FOR one IN SELECT conrelid::regclass AS tab, conname FROM pg_constraint WHERE contype = 'f' LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.tab, one.conname);
    END LOOP;
END $$;
"""


def set_triggers(cursor, what: str) -> None:
    for table in TABLES:
        cursor.execute(f"ALTER TABLE {table} {what} TRIGGER USER")


@contextmanager
def triggers_off():
    """As the database's owner would do it, who then puts the triggers back."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(NO_FOREIGN_KEYS)
        set_triggers(cursor, "DISABLE")
        yield cursor
        set_triggers(cursor, "ENABLE")


def one_of(cursor, table: str, rng: random.Random) -> str:
    key, source = KEYS.get(table, "id"), table
    if table == "audit_rowform":  # those that some row has
        key, source = "form_id", "audit_rowdigest"
    cursor.execute(f"SELECT DISTINCT {key}::text FROM {source} ORDER BY 1")
    return rng.choice(cursor.fetchall())[0]


def change(kind: str):
    table, what = CHANGED[kind]

    def act(cursor, rng) -> list[str]:
        key = one_of(cursor, table, rng)
        cursor.execute(f"UPDATE {table} t SET {what} WHERE {KEYS.get(table, 'id')}::text = %s", [key])
        assert cursor.rowcount == 1
        if table != "audit_rowform":
            return [key]
        cursor.execute("SELECT row_key FROM audit_rowdigest WHERE form_id::text = %s LIMIT 1", [key])
        return [cursor.fetchone()[0]]

    return act


def remove(table: str):
    def act(cursor, rng) -> list[str]:
        key = one_of(cursor, table, rng)
        cursor.execute(f"DELETE FROM {table} WHERE {KEYS.get(table, 'id')}::text = %s", [key])
        return [key]

    return act


def add(table: str):
    def act(cursor, rng) -> list[str]:
        other = {"version": "'other'", "state_sha256": "md5(random()::text)"}
        named = {name: value for name, value in other.items() if _has(cursor, table, name)}
        given = ", ".join(
            f"'{name}', {value}" for name, value in {"id": "gen_random_uuid()", **named}.items()
        )
        cursor.execute(
            f"INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object({given}))).*"
            f" FROM {table} t WHERE id::text = %s RETURNING id::text",
            [one_of(cursor, table, rng)],
        )
        return [cursor.fetchone()[0]]

    return act


def _has(cursor, table: str, column: str) -> bool:
    cursor.execute(
        "SELECT 1 FROM information_schema.columns WHERE table_name = %s AND column_name = %s", [table, column]
    )
    return cursor.fetchone() is not None


def swap_images(cursor, rng) -> list[str]:
    cursor.execute("SELECT id::text, image_id::text FROM cases_scan ORDER BY 1")
    (first, of_first), (second, of_second) = rng.sample(cursor.fetchall(), 2)
    for key, image in ((first, str(uuid.uuid4())), (second, of_first), (first, of_second)):
        cursor.execute("UPDATE cases_scan SET image_id = %s WHERE id = %s", [image, key])
    return [first, second]


def forge_digest(cursor, rng) -> list[str]:
    """A read is changed, and a digest that fits is written: but a read never changes."""
    (key,) = change("finding")(cursor, rng)
    cursor.execute(
        "INSERT INTO audit_rowdigest (form_id, table_name, row_key, digest, change)"
        " SELECT form.id, form.table_name, %s, ventra_row_digest(to_jsonb(t), form.columns), 'update'"
        " FROM cases_read t, audit_rowform form WHERE t.id = %s AND form.table_name = 'cases_read'",
        [key, key],
    )
    return [key]


KINDS = {
    "images of two scans swapped": swap_images,
    "a digest forged with the change": forge_digest,
    **{f"{kind} changed": change(kind) for kind in CHANGED},
    **{f"a row of {table} removed": remove(table) for table in GONE},
    **{f"a row of {table} added": add(table) for table in TWICE},
}
