"""Rows that an answer, a read, a signature or a report rests on get digests; those that are there, as late."""

from django.db import migrations

# Left out: what changes with every log-in and every look of a worker.
WATCHED = (
    ("accounts_department", "id", ""),
    ("accounts_membership", "id", ""),
    ("accounts_user", "id", "password, last_login, language, time_zone, email"),
    ("blobs_blob", "sha256", ""),
    ("inference_image", "id", ""),
    ("inference_modelversion", "id", ""),
    ("inference_activation", "id", ""),
    ("inference_evaluation", "id", ""),
    (
        "inference_job",
        "id",
        "state, stage, progress, token, attempts, worker, lease_until, not_before, rung_at, started_at,"
        " finished_at, failure_code, failure_detail, queue, priority, names",
    ),
    ("inference_prediction", "id", ""),
    ("inference_explanation", "id", ""),
    ("inference_repetition", "id", ""),
    ("inference_quality", "id", ""),
    ("cases_patient", "id", ""),
    ("cases_case", "id", ""),
    ("cases_scan", "id", ""),
    ("cases_scanwithdrawal", "id", ""),
    ("cases_readingrules", "department_id", ""),
    ("cases_read", "id", ""),
    ("cases_confirmation", "id", ""),
    ("cases_measurement", "id", ""),
    ("cases_withdrawal", "id", ""),
    ("cases_atriumstatement", "id", ""),
    ("cases_signoff", "id", ""),
    ("cases_addendum", "id", ""),
    ("cases_advice", "id", ""),
    ("cases_adviceanswer", "id", ""),
    ("cases_followup", "id", ""),
)


def watch(table: str, key: str, without: str) -> migrations.RunSQL:
    names = "{" + without.replace(", ", ",") + "}"
    return migrations.RunSQL(
        f"SELECT ventra_watch('{table}', '{key}', '{names}')", f"DROP TRIGGER {table}_kept ON {table}"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_one_time_links"),
        ("audit", "0004_row_digests"),
        ("blobs", "0001_initial"),
        ("cases", "0014_atria"),
        ("inference", "0012_only_what_failed_says_why"),
    ]
    operations = [watch(*row) for row in WATCHED]
