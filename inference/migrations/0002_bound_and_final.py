"""What the database itself guarantees about answers, explanations and finished jobs."""

from django.db import migrations

GUARD = """
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION ventra_append_only();
"""
UNGUARD = "DROP TRIGGER {table}_no_change ON {table};"

# An explanation of another tensor, another weights file or another preprocessing cannot be stored.
BOUND = """
ALTER TABLE inference_explanation ADD CONSTRAINT explanation_is_bound_to_its_prediction
    FOREIGN KEY (prediction_id, input_sha256, weights_sha256, preprocessing_sha256)
    REFERENCES inference_prediction (id, input_sha256, weights_sha256, preprocessing_sha256);
"""
UNBOUND = "ALTER TABLE inference_explanation DROP CONSTRAINT explanation_is_bound_to_its_prediction;"

FINAL = """
CREATE FUNCTION inference_job_is_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'job % is over: %', OLD.id, OLD.state USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER inference_job_final BEFORE UPDATE ON inference_job
    FOR EACH ROW WHEN (OLD.state IN ('succeeded', 'failed', 'cancelled') AND NEW.state <> OLD.state)
    EXECUTE FUNCTION inference_job_is_over();
"""
NOT_FINAL = "DROP TRIGGER inference_job_final ON inference_job; DROP FUNCTION inference_job_is_over();"


def guard(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(GUARD.format(table=table), UNGUARD.format(table=table))


class Migration(migrations.Migration):
    dependencies = [("inference", "0001_initial"), ("audit", "0002_append_only")]
    operations = [
        guard("inference_prediction"),
        guard("inference_explanation"),
        migrations.RunSQL(BOUND, UNBOUND),
        migrations.RunSQL(FINAL, NOT_FINAL),
    ]
