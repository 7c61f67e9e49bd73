"""What readers filed, measured and signed never changes."""

from django.db import migrations

TABLES = ("cases_read", "cases_measurement", "cases_withdrawal", "cases_signoff", "cases_addendum")
GUARD = """
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION ventra_append_only();
"""
UNGUARD = "DROP TRIGGER {table}_no_change ON {table};"


class Migration(migrations.Migration):
    dependencies = [("cases", "0003_reading"), ("audit", "0002_append_only")]
    operations = [
        migrations.RunSQL(GUARD.format(table=table), UNGUARD.format(table=table)) for table in TABLES
    ]
