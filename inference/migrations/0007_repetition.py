"""An answer run again is kept, and never changes."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

GUARD = """
CREATE TRIGGER inference_repetition_no_change BEFORE UPDATE OR DELETE ON inference_repetition
    FOR EACH ROW EXECUTE FUNCTION ventra_append_only();
"""
UNGUARD = "DROP TRIGGER inference_repetition_no_change ON inference_repetition;"


class Migration(migrations.Migration):
    dependencies = [("inference", "0006_steadiness")]
    operations = [
        migrations.AlterField(
            model_name="job",
            name="kind",
            field=models.CharField(
                choices=[
                    ("predict", "Classify"),
                    ("explain", "Explain"),
                    ("shadow", "Classify, unseen"),
                    ("repeat", "Run again"),
                    ("check", "Check uploaded weights"),
                    ("train", "Train"),
                ],
                max_length=8,
            ),
        ),
        migrations.CreateModel(
            name="Repetition",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "verdicts",
                    models.JSONField(
                        help_text="subject, verdict and the first thing that differs, for each row"
                    ),
                ),
                ("machine", models.CharField(max_length=120)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                (
                    "job",
                    models.OneToOneField(
                        help_text="None: by command.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="repetition",
                        to="inference.job",
                    ),
                ),
                (
                    "prediction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="repetitions",
                        to="inference.prediction",
                    ),
                ),
            ],
            options={"ordering": ("-created_at",)},
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
