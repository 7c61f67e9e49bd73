"""Upload sessions and their parts, and the files that a scan was made of, which never change."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models

GUARD = """
CREATE TRIGGER cases_scanfile_no_change BEFORE UPDATE OR DELETE ON cases_scanfile
    FOR EACH ROW EXECUTE FUNCTION ventra_append_only();
CREATE TRIGGER cases_scanfile_signed_stays BEFORE INSERT OR UPDATE OR DELETE ON cases_scanfile
    FOR EACH ROW EXECUTE FUNCTION ventra_signed_stays();
"""
UNGUARD = """
DROP TRIGGER cases_scanfile_signed_stays ON cases_scanfile;
DROP TRIGGER cases_scanfile_no_change ON cases_scanfile;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('blobs', '0001_initial'),
        ('cases', '0020_calibration'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='UploadSession',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('modality', models.CharField(choices=[('ultrasound', 'Ultrasound'), ('mri', 'MRI')], max_length=12)),
                ('opened_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('touched_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('state', models.CharField(choices=[('open', 'open'), ('committed', 'committed')], default='open', max_length=9)),
                ('outcome', models.JSONField(default=list)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='uploads', to='cases.case')),
                ('opened_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='UploadedPart',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('sha256', models.CharField(max_length=64)),
                ('name', models.CharField(blank=True, max_length=400)),
                ('size', models.BigIntegerField()),
                ('is_archive', models.BooleanField(default=False)),
                ('added_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('inside', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='members', to='cases.uploadedpart')),
                ('session', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='cases.uploadsession')),
            ],
            options={
                'ordering': ('added_at', 'name'),
            },
        ),
        migrations.CreateModel(
            name='ScanFile',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('place', models.PositiveIntegerField()),
                ('name', models.CharField(blank=True, max_length=400)),
                ('blob', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='blobs.blob')),
                ('scan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='files', to='cases.scan')),
            ],
            options={
                'ordering': ('place',),
                'constraints': [models.UniqueConstraint(fields=('scan', 'place'), name='one_file_per_slice')],
            },
        ),
        migrations.AddIndex(
            model_name='uploadsession',
            index=models.Index(fields=['touched_at'], name='upload_touched'),
        ),
        migrations.AddConstraint(
            model_name='uploadedpart',
            constraint=models.UniqueConstraint(fields=('session', 'sha256', 'name'), name='one_part_per_file'),
        ),
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunSQL(
            "SELECT ventra_watch('cases_scanfile', 'id', '{}')",
            "DROP TRIGGER cases_scanfile_kept ON cases_scanfile",
        ),
    ]
