"""Versions and their history become evidence: immutable, and one answer for every moment of the past."""

import uuid

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models

import inference.models.registry

# Only the state of a version changes, and only the end of an interval, once.
FIXED = """
CREATE FUNCTION inference_version_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(NEW) - 'state' <> to_jsonb(OLD) - 'state' THEN
        RAISE EXCEPTION 'a model version never changes: register another' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER inference_modelversion_fixed BEFORE UPDATE OR DELETE ON inference_modelversion
    FOR EACH ROW EXECUTE FUNCTION inference_version_is_fixed();
CREATE FUNCTION inference_interval_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE'
        OR to_jsonb(NEW) - 'ended_at' - 'activated_by_id' <> to_jsonb(OLD) - 'ended_at' - 'activated_by_id'
        OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at)
    THEN
        RAISE EXCEPTION 'the history of model versions never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER inference_activation_fixed BEFORE UPDATE OR DELETE ON inference_activation
    FOR EACH ROW EXECUTE FUNCTION inference_interval_is_fixed();
CREATE TRIGGER inference_evaluation_no_change BEFORE UPDATE OR DELETE ON inference_evaluation
    FOR EACH ROW EXECUTE FUNCTION ventra_append_only();
"""
LOOSE = """
DROP TRIGGER inference_evaluation_no_change ON inference_evaluation;
DROP TRIGGER inference_activation_fixed ON inference_activation;
DROP FUNCTION inference_interval_is_fixed();
DROP TRIGGER inference_modelversion_fixed ON inference_modelversion;
DROP FUNCTION inference_version_is_fixed();
"""


class Migration(migrations.Migration):
    dependencies = [("inference", "0002_bound_and_final")]

    operations = [
        BtreeGistExtension(),
        migrations.AddField(
            model_name="modelversion",
            name="code_version",
            field=models.CharField(blank=True, help_text="Of Ventra, when it was registered.", max_length=40),
        ),
        migrations.CreateModel(
            name="Evaluation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("data", models.CharField(help_text="What it was measured on, in a few words.", max_length=120)),
                ("figures", models.JSONField()),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "model_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="evaluations",
                        to="inference.modelversion",
                    ),
                ),
            ],
            options={"ordering": ("-created_at",)},
        ),
        migrations.AddConstraint(
            model_name="activation",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    ("modality", "="),
                    ("role", "="),
                    (
                        inference.models.registry._Interval(
                            "started_at", "ended_at", django.contrib.postgres.fields.ranges.RangeBoundary()
                        ),
                        "&&",
                    ),
                ],
                name="one_version_at_any_time",
            ),
        ),
        migrations.RunSQL(FIXED, LOOSE),
    ]
