"""What is changed behind the program's back is found and named; what the program writes is no fault."""

import io
import json
import random
import threading

import answers
import numpy as np
import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from edits import KINDS, set_triggers, triggers_off

from accounts.models import Department
from audit import rows, seals
from audit.models import RowDigest
from audit.trail import record
from cases import calibrations, intake, services
from cases.advice import service as advice_service
from cases.management.commands.verify import Command
from cases.models import Case, ReadingRules, SignOff
from cases.review import measurements
from cases.review import service as review
from cases.review.measurements import Points
from cases.review.panel import review_panel
from cases.verification import KEPT, TOLD
from inference.engine.quality import Check
from inference.models import Explanation, Job, Prediction, Quality, Repetition
from inference.phantom import render, sample_spec
from inference.registry import service as registry
from inference.results import store as results

EDITS = 60
NOT_KEPT = {
    "cases.savedview": "one's own filters",
    "cases.uploadsession": "files on their way in, forgotten in time; what comes of them is a scan",
    "cases.uploadedpart": "likewise",
    "cases.presence": "who has a case open just now",
    "cases.draft": "what somebody types, until it is filed",
    "cases.advised": "a mark of what was last looked through",
    "inference.worker": "who works just now",
    "accounts.onetimelink": "spent within days",
    "accounts.installation": "whether it is a demo: of no case",
    "accounts.tokenscope": "of a token, which is as little kept",
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
            _answered(small_scan(case, alice, seed=10 * number + seed, shape=(1, 48, 64)), alice)
        _read(case, alice)
    first = Case.objects.order_by("opened_at").first()
    review.sign(first, by=alice, shown=review_panel(first, alice).shown)
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
    calibrations.calibrate(scan, Points(0, (1.0, 1.0), (1.0, 41.0)), by=by, length_mm=20)
    slip = calibrations.calibrate(scan, Points(0, (1.0, 1.0), (1.0, 41.0)), by=by, length_mm=25)
    calibrations.withdraw(slip, by=by, reason="Other ticks.")
    measurements.measure(scan, Points(0, (1.0, 1.0), (4.0, 5.0)), by=by, tool="distance")
    wrong = measurements.measure(scan, Points(0, (1.0, 1.0), (6.0, 5.0)), by=by, tool="distance")
    measurements.withdraw(wrong, by=by, reason="Wrong plane.")


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
    advice_service.answer(advice, 0, by=by, outcome="declined", reason="No time.")
    shown = review_panel(case, by).shown
    review.file_read(
        case, by=by, kind="final", finding="ventriculomegaly", laterality="left", note="Wide.", shown=shown
    )


def found() -> list[str]:
    """What `verify` says."""
    seals.seal_all()
    return list(Command().faults({}))


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


DIGESTED = {
    "cases.read": "id case_id reader_id kind finding laterality note agrees reason seen scans seconds",
    "cases.confirmation": "id read_id confirmed_by_id",
    "cases.measurement": (
        "id scan_id frame tool side start end length_px length_mm pixel_spacing pixel_spacing_source "
        "checklist made_by_id"
    ),
    "cases.calibration": (
        "id scan_id frame start end length_mm row_spacing column_spacing note marks made_by_id"
    ),
    "cases.calibrationwithdrawal": "id withdrawn_by_id reason",
    "cases.withdrawal": "id measurement_id withdrawn_by_id reason",
    "cases.atriumstatement": "id case_id side reason note stated_by_id",
    "cases.scanidentity": (
        "id scan_id patient_id patient_birth_date accession_number study_date study_instance_uid "
        "series_instance_uid sop_instance_uid mismatch reason"
    ),
    "cases.birthdatecorrection": "id patient_id before after reason corrected_by_id",
    "cases.scanwithdrawal": "id scan_id withdrawn_by_id reason note",
    "cases.signoff": "id case_id read_id signed_by_id name meaning content content_sha256 signed_at",
    "cases.addendum": "id case_id text written_by_id name previous_sha256 content_sha256 written_at",
    "cases.advice": (
        "id case_id state_sha256 is_informed suggestions stop not_assessable before rules_version "
        "rules_sha256 values_sha256"
    ),
    "cases.adviceanswer": "id advice_id place outcome reason follow_up_id answered_by_id",
    "cases.followup": "id answer_id before after",
    "inference.prediction": (
        "id job_id image_id model_version_id analysable refusal_code refusal_reason label probability "
        "threshold threshold_target temperature logits frame_logits frames frame_rule quality input_sha256 "
        "weights_sha256 preprocessing preprocessing_sha256 backend device versions seconds"
    ),
    "inference.explanation": (
        "id prediction_id job_id method class_label explains_prediction heatmap_id segments_id signed unit "
        "frames parameters seed metrics input_sha256 weights_sha256 preprocessing preprocessing_sha256 "
        "seconds"
    ),
    "inference.repetition": "id prediction_id job_id verdicts machine",
    "inference.quality": "id image_id version frames checks",
}
"""What the digests in audit lines cover, as the first rows had it: used installations have such lines."""


def test_a_column_that_came_later_leaves_the_digests_in_audit_lines_as_they_were():
    """Whoever adds a column to such a table names it in results.LATER; its rows' own digests take it in."""
    tables = [*(table for _, table in TOLD), Prediction, Explanation, Repetition, Quality]
    now = {
        table._meta.label_lower: {field.attname for field in table._meta.concrete_fields}
        - results.LATER
        - {"created_at"}
        for table in tables
    }
    assert now == {name: set(columns.split()) for name, columns in DIGESTED.items()}


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
        set_triggers(cursor, "DISABLE")
        cursor.execute("DELETE FROM audit_rowseal")
        cursor.execute("DELETE FROM audit_rowdigest WHERE table_name = 'cases_measurement'")
        set_triggers(cursor, "ENABLE")
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
                measurements.measure(scan, Points(0, (1.0, 1.0), (4.0, 5.0)), by=person, tool="distance")
                shown = review_panel(case, person).shown
                review.file_read(case, by=person, kind="final", finding="ventriculomegaly", shown=shown)
                case.refresh_from_db()
                review.sign(case, by=person, shown=review_panel(case, person).shown)
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
