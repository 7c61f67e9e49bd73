"""Whose case it was: for audit events that were written before they named departments, and for old jobs."""

from django.db import migrations

EVENTS = """
ALTER TABLE audit_event DISABLE TRIGGER audit_event_no_change;
UPDATE audit_event AS event SET departments = ARRAY[found.department_id]
FROM cases_case AS found
WHERE event.version = 1 AND event.thread = 'case:' || found.id::text;
ALTER TABLE audit_event ENABLE TRIGGER audit_event_no_change;
"""
JOBS = """
UPDATE inference_job AS job SET department_id = found.department_id, names = jsonb_build_object(
    'case', found.id::text, 'case_number', found.number, 'scan_number', scan.number)
FROM cases_scan AS scan JOIN cases_case AS found ON found.id = scan.case_id
WHERE job.image_id = scan.image_id AND job.department_id IS NULL AND job.kind <> 'shadow';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0003_departments"),
        ("cases", "0010_undecided"),
        ("inference", "0009_who_is_told"),
    ]
    operations = [
        migrations.RunSQL(EVENTS, migrations.RunSQL.noop),
        migrations.RunSQL(JOBS, migrations.RunSQL.noop),
    ]
