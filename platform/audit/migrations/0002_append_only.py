"""The database itself refuses to change or remove a line of the trail."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION ventra_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""
GUARD = """
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION ventra_append_only();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION ventra_append_only();
"""
UNGUARD = "DROP TRIGGER {table}_no_change ON {table}; DROP TRIGGER {table}_no_truncate ON {table};"


def guard(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(GUARD.format(table=table), UNGUARD.format(table=table))


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION ventra_append_only()"),
        guard("audit_event"),
        guard("audit_seal"),
    ]
