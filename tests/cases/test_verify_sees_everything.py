"""What is changed behind the program's back is found and named; what the program writes is no fault."""

import io
import json
import random
import threading
from contextlib import contextmanager

import answers
import numpy as np
import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from accounts.models import Department
from audit import rows, seals
from audit.models import RowDigest
from audit.trail import record
from cases import advising, intake, measuring, review, services
from cases.desk import desk
from cases.management.commands.verify import Command
from cases.measuring import Points
from cases.models import Case, ReadingRules, SignOff
from cases.verification import KEPT
from inference import registry, results
from inference.engine.quality import Check
from inference.models import Job, Prediction, Repetition
from inference.phantom import render, sample_spec

EDITS = 60
NOT_KEPT = {
    "cases.savedview": "one's own filters",
    "cases.draft": "what somebody types, until it is filed",
    "inference.worker": "who works just now",
    "accounts.onetimelink": "spent within days",
    "accounts.installation": "whether it is a demo: of no case",
    "accounts.tokenuse": "when a token was last used",
    "accounts.attempts": "wrong passwords, for some minutes",
}
"""Tables that nothing rests on, and why."""


# -- One of everything -----------------------------------------------------------------------------------


@pytest.fixture
def world(department, alice, bob, small_scan, tmp_path) -> None:
    """Two cases of two patients, each with two scans; one case is signed and amended."""
    versions = [
        answers.active_version(tmp_path, version=name, network=network)
        for name, network in (("1", "cnn"), ("2", "vgg16"))
    ]
    for version in versions:
        registry.record_evaluation(version, {"auc": 0.9}, data="phantoms", by=None)
    for number, patient in enumerate(("P-1", "P-2")):
        case, _ = services.open_case(
            by=alice, department=department, patient_id=patient, gestational_age_days=171
        )
        for seed in (1, 2):
            _answered(small_scan(case, alice, seed=10 * number + seed), alice)
        _read(case, alice)
    first = Case.objects.order_by("opened_at").first()
    review.sign(first, by=alice, shown=desk(first, alice).shown)
    review.add_addendum(first, by=bob, text="Seen again.")
    assert found() == []


def _answered(scan, by) -> None:
    for job in Job.objects.filter(image=scan.image, state="queued"):
        prediction = published(job)
        verdicts = [{"subject": "answer", "verdict": "identical", "first": ""}]
        again = Repetition.objects.create(prediction=prediction, verdicts=verdicts, machine="a test")
        told("prediction.reproduced", again)
    quality, _ = results.create_quality(scan.image, [0], [Check("contrast", 0.5, 0, ((0, 0), (1, 1)))])
    told("quality.measured", quality)
    measuring.measure(scan, Points(0, (1.0, 1.0), (4.0, 5.0)), by=by, tool="distance")
    wrong = measuring.measure(scan, Points(0, (1.0, 1.0), (6.0, 5.0)), by=by, tool="distance")
    measuring.withdraw(wrong, by=by, reason="Wrong plane.")


def told(verb: str, row) -> None:
    """As whoever writes such a row tells the audit."""
    record(verb, actor=None, subject=row, digest=results.digest(row))


@transaction.atomic
def published(job: Job) -> Prediction:
    """An answer and its map, as a worker publishes them."""
    prediction = answers.answer(job)
    told("prediction.published", prediction)
    told("explanation.published", answers.explanation(prediction, method="gradcam"))
    return prediction


def _read(case, by) -> None:
    advice = answers.advice(case)
    told("advice.given", advice)
    advising.answer(advice, 0, by=by, outcome="declined", reason="No time.")
    shown = desk(case, by).shown
    review.file_read(
        case, by=by, kind="final", finding="ventriculomegaly", laterality="left", note="Wide.", shown=shown
    )


def found() -> list[str]:
    """What `verify` says."""
    seals.seal_all()
    return list(Command().faults({}))


# -- Edits ------------------------------------------------------------------------------------------------

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
    "columns of a digest": ("audit_rowform", "columns = columns[2:]"),
    "link of the chain": ("audit_rowseal", "hash = md5(random()::text)"),
    "audit line": ("audit_event", "actor_name = 'nobody'"),
}
"""One column of one row: the table, and what is set there (t is the row)."""
GONE = (
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


def _triggers(cursor, what: str) -> None:
    for table in TABLES:
        cursor.execute(f"ALTER TABLE {table} {what} TRIGGER USER")


@contextmanager
def triggers_off():
    """As the database's owner would do it, who then puts the triggers back."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(NO_FOREIGN_KEYS)
        _triggers(cursor, "DISABLE")
        yield cursor
        _triggers(cursor, "ENABLE")


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
    for key, image in ((first, str(answers.uuid.uuid4())), (second, of_first), (first, of_second)):
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


@pytest.mark.django_db
def test_sixty_edits_of_more_than_twenty_kinds_are_all_found_and_named(world):
    rng = random.Random(22)
    kinds = list(KINDS)
    rng.shuffle(kinds)
    kinds = (kinds * 2)[:EDITS] if len(kinds) < EDITS else kinds
    missed = []
    for number, kind in enumerate(kinds):
        with transaction.atomic():
            with triggers_off() as cursor:
                subjects = KINDS[kind](cursor, random.Random(number))
            told = list(Command().faults({}))
            transaction.set_rollback(True)
        if not all(any(subject in fault for fault in told) for subject in subjects):
            missed.append((kind, subjects, told[:3]))
    assert missed == [], missed
    assert len(kinds) >= EDITS
    assert len(set(kinds)) >= 20
    assert found() == []


@pytest.mark.django_db
def test_a_trigger_that_is_off_is_named(world):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE cases_read DISABLE TRIGGER cases_read_kept")
    assert "the rows of cases_read get no digests: its trigger is off or gone" in found()


@pytest.mark.django_db
def test_every_table_is_kept_or_has_its_reason_not_to_be():
    kept = {one.table._meta.label_lower for one in KEPT}
    tables = {
        model._meta.label_lower
        for room in ("accounts", "blobs", "cases", "inference")
        for model in apps.get_app_config(room).get_models()
    }
    assert kept | set(NOT_KEPT) == tables
    assert kept & set(NOT_KEPT) == set()
    assert list(rows.untriggered(KEPT)) == []


@pytest.mark.django_db
def test_what_the_program_changes_is_recorded_and_no_fault(world, department, bob):
    second = Case.objects.order_by("opened_at").last()
    services.assign(second, bob, by=bob)
    Department.objects.filter(pk=department.pk).update(name="Renamed")
    ReadingRules.objects.update(second_reader="never")
    bob.memberships.all().delete()
    digests = RowDigest.objects.filter(table_name="cases_case", row_key=str(second.pk))
    assert list(digests.order_by("id").values_list("change", flat=True))[-1] == "update"
    assert found() == []


@pytest.mark.django_db
def test_a_column_that_is_added_later_makes_no_fault_and_is_then_kept_too(world):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE cases_read ADD COLUMN later text NOT NULL DEFAULT ''")
    assert found() == []
    rows.catch_up(KEPT)
    assert found() == []
    with triggers_off() as cursor:
        cursor.execute("UPDATE cases_read SET later = 'x' WHERE finding = 'ventriculomegaly'")
    assert [fault for fault in found() if fault.startswith("read ")]


@pytest.mark.django_db
def test_what_was_changed_before_a_column_came_is_not_forgiven(world):
    with triggers_off() as cursor:
        cursor.execute("UPDATE cases_read SET finding = 'normal'")
        cursor.execute("ALTER TABLE cases_read ADD COLUMN later text NOT NULL DEFAULT ''")
    rows.catch_up(KEPT)
    assert len([fault for fault in found() if fault.endswith("was changed past the program")]) == 2


@pytest.mark.django_db
def test_rows_from_before_there_were_digests_are_recorded_late(world):
    """As the migration does it on an installation that has been used."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("DROP TRIGGER cases_measurement_kept ON cases_measurement")
        _triggers(cursor, "DISABLE")
        cursor.execute("DELETE FROM audit_rowseal")
        cursor.execute("DELETE FROM audit_rowdigest WHERE table_name = 'cases_measurement'")
        _triggers(cursor, "ENABLE")
        cursor.execute("SELECT ventra_watch('cases_measurement', 'id')")
    late = RowDigest.objects.filter(table_name="cases_measurement")
    assert set(late.values_list("change", flat=True)) == {"late"}
    assert found() == []
    with triggers_off() as cursor:
        cursor.execute("UPDATE cases_measurement SET length_px = 1")
    assert [fault for fault in found() if fault.startswith("measurement ")]


@pytest.mark.django_db
def test_an_anchor_holds_both_chains(world, tmp_path):
    anchor = tmp_path / "anchor.json"
    call_command("verify", write_anchor=anchor, stdout=io.StringIO())
    assert set(json.loads(anchor.read_text())) == {"number", "hash", "rows"}
    call_command("verify", anchor=anchor, stdout=io.StringIO())
    kept = json.loads(anchor.read_text())
    anchor.write_text(json.dumps(kept | {"rows": {"number": 1, "hash": "0" * 64}}))
    with pytest.raises(CommandError, match="1 faults"):
        call_command("verify", anchor=anchor, stdout=io.StringIO(), stderr=io.StringIO())


# -- While everybody works -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_nothing_that_is_being_written_is_a_fault(department, alice, bob, tmp_path):
    answers.active_version(tmp_path)
    stop, failures, written = threading.Event(), [], []

    def work(person, start: int) -> None:
        try:
            for number in range(start, start + 1000):
                if stop.is_set():
                    return
                case, _ = services.open_case(by=person, department=department, patient_id=f"P-{number}")
                spec = sample_spec(np.random.default_rng(number), label="normal")
                png = ContentFile(render(spec, "ultrasound", seed=number).png(), name="a.png")
                scan, _ = intake.receive(case, png, modality="ultrasound", by=person, file_name="a.png")
                published(Job.objects.get(image=scan.image, state="queued"))
                measuring.measure(scan, Points(0, (1.0, 1.0), (4.0, 5.0)), by=person, tool="distance")
                shown = desk(case, person).shown
                review.file_read(case, by=person, kind="final", finding="ventriculomegaly", shown=shown)
                case.refresh_from_db()
                review.sign(case, by=person, shown=desk(case, person).shown)
                written.append(case)
        except Exception as fault:  # noqa: BLE001  # told below, in the test's own thread
            failures.append(repr(fault))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(who, at)) for who, at in ((alice, 0), (bob, 5000))]
    for thread in threads:
        thread.start()
    told = []
    while len(written) < 6 and not failures:
        out = io.StringIO()
        try:
            call_command("verify", stdout=out, stderr=out)
        except CommandError:
            told.append(out.getvalue())
    stop.set()
    for thread in threads:
        thread.join()
    assert (failures, told) == ([], [])
    assert SignOff.objects.count() >= 6
    call_command("verify", stdout=io.StringIO())
