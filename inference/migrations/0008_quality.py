"""What the checks found in a scan is kept, and never changes."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.db import migrations, models


GUARD = """
CREATE TRIGGER inference_quality_no_change BEFORE UPDATE OR DELETE ON inference_quality
    FOR EACH ROW EXECUTE FUNCTION ventra_append_only();
"""
UNGUARD = "DROP TRIGGER inference_quality_no_change ON inference_quality;"


class Migration(migrations.Migration):

    dependencies = [
        ('inference', '0007_repetition'),
    ]

    operations = [
        migrations.CreateModel(
            name='Quality',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('version', models.CharField(help_text='Of the checks.', max_length=20)),
                ('frames', models.JSONField(help_text='Indices of the frames that were looked at.')),
                ('checks', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('image', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='qualities', to='inference.image')),
            ],
            options={
                'verbose_name_plural': 'qualities',
                'constraints': [models.UniqueConstraint(fields=('image', 'version'), name='one_quality_for_each_version')],
            },
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
