"""The database itself refuses to change a signed case: rows that readers write to it, its images, and the case.

What is still done to a signed case: addenda, and answers that were under way (they stand beside the report).
"""

from django.db import migrations

# The key share waits for a signature that is being written, and the next statement then sees it.
FUNCTIONS = """
CREATE FUNCTION ventra_refuse_signed(wanted uuid, what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM cases_case WHERE id = wanted FOR KEY SHARE;
    IF EXISTS (SELECT 1 FROM cases_signoff WHERE case_id = wanted) THEN
        RAISE EXCEPTION 'case_signed: % of a signed case never change', what USING ERRCODE = 'restrict_violation';
    END IF;
END $$;

-- The case that a row belongs to, by the columns that lead there; a row without any is an image.
CREATE FUNCTION ventra_case_of(said jsonb) RETURNS uuid LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE
        WHEN said ? 'case_id' THEN (said->>'case_id')::uuid
        WHEN said ? 'scan_id' THEN (SELECT case_id FROM cases_scan WHERE id = (said->>'scan_id')::uuid)
        WHEN said ? 'measurement_id' THEN (SELECT case_id FROM cases_scan scan JOIN cases_measurement one
            ON one.scan_id = scan.id WHERE one.id = (said->>'measurement_id')::uuid)
        WHEN said ? 'advice_id' THEN (SELECT case_id FROM cases_advice WHERE id = (said->>'advice_id')::uuid)
        WHEN said ? 'answer_id' THEN (SELECT case_id FROM cases_advice given JOIN cases_adviceanswer one
            ON one.advice_id = given.id WHERE one.id = (said->>'answer_id')::uuid)
        WHEN said ? 'image_id' THEN
            (SELECT case_id FROM cases_scan WHERE image_id = (said->>'image_id')::uuid)
        ELSE (SELECT case_id FROM cases_scan WHERE image_id = (said->>'id')::uuid)
    END;
END $$;

CREATE FUNCTION ventra_signed_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM ventra_refuse_signed(ventra_case_of(to_jsonb(OLD)), TG_TABLE_NAME);
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    PERFORM ventra_refuse_signed(ventra_case_of(to_jsonb(NEW)), TG_TABLE_NAME);
    RETURN NEW;
END $$;

CREATE FUNCTION ventra_signed_case_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM cases_signoff WHERE case_id = OLD.id) THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE'
        OR to_jsonb(NEW) - 'stage' - 'assignee_id' <> to_jsonb(OLD) - 'stage' - 'assignee_id'
        OR NEW.stage <> 'signed'
        OR (NEW.assignee_id IS NOT NULL AND NEW.assignee_id IS DISTINCT FROM OLD.assignee_id)
    THEN
        RAISE EXCEPTION 'case_signed: a signed case never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cases_case_signed_stays BEFORE UPDATE OR DELETE ON cases_case
    FOR EACH ROW EXECUTE FUNCTION ventra_signed_case_stays();

CREATE TRIGGER inference_image_signed_stays BEFORE UPDATE OR DELETE ON inference_image
    FOR EACH ROW EXECUTE FUNCTION ventra_signed_stays();
-- Frames that somebody chose; whatever else computes on a signed case changes nothing that was signed.
CREATE TRIGGER inference_job_signed_stays BEFORE INSERT ON inference_job
    FOR EACH ROW WHEN (NEW.kind = 'predict' AND NEW.parameters ? 'frames')
    EXECUTE FUNCTION ventra_signed_stays();
"""
NO_FUNCTIONS = """
DROP TRIGGER inference_job_signed_stays ON inference_job;
DROP TRIGGER inference_image_signed_stays ON inference_image;
DROP TRIGGER cases_case_signed_stays ON cases_case;
DROP FUNCTION ventra_signed_case_stays();
DROP FUNCTION ventra_signed_stays();
DROP FUNCTION ventra_case_of(jsonb);
DROP FUNCTION ventra_refuse_signed(uuid, text);
"""

TABLES = (
    "cases_scan",
    "cases_scanwithdrawal",
    "cases_read",
    "cases_measurement",
    "cases_withdrawal",
    "cases_advice",
    "cases_adviceanswer",
    "cases_followup",
)
GUARD = """
CREATE TRIGGER {table}_signed_stays BEFORE INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION ventra_signed_stays();
"""
UNGUARD = "DROP TRIGGER {table}_signed_stays ON {table};"


class Migration(migrations.Migration):
    dependencies = [("cases", "0011_whose_it_was"), ("inference", "0010_workers")]
    operations = [
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        *(migrations.RunSQL(GUARD.format(table=table), UNGUARD.format(table=table)) for table in TABLES),
    ]
