"""The worklist's search looks at the beginning of numbers and patient IDs, in any case."""

from django.db import migrations

INDEX = "CREATE INDEX {name} ON {table} (UPPER({column}::text) text_pattern_ops);"


class Migration(migrations.Migration):
    dependencies = [("cases", "0005_saved_views")]
    operations = [
        migrations.RunSQL(
            INDEX.format(name="case_number_begins", table="cases_case", column="number"),
            "DROP INDEX case_number_begins;",
        ),
        migrations.RunSQL(
            INDEX.format(name="patient_id_begins", table="cases_patient", column="patient_id"),
            "DROP INDEX patient_id_begins;",
        ),
    ]
