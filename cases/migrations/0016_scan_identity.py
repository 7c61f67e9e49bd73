"""What a scan's file says of patient and study is kept beside the scan, and found by the worklist's search."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.db import migrations, models

GUARD = """
CREATE TRIGGER cases_scanidentity_no_change BEFORE UPDATE OR DELETE ON cases_scanidentity
    FOR EACH ROW EXECUTE FUNCTION ventra_append_only();
CREATE TRIGGER cases_scanidentity_signed_stays BEFORE INSERT OR UPDATE OR DELETE ON cases_scanidentity
    FOR EACH ROW EXECUTE FUNCTION ventra_signed_stays();
"""
UNGUARD = """
DROP TRIGGER cases_scanidentity_signed_stays ON cases_scanidentity;
DROP TRIGGER cases_scanidentity_no_change ON cases_scanidentity;
"""
BEGINS = """
CREATE INDEX accession_number_begins ON cases_scanidentity (UPPER(accession_number::text) text_pattern_ops);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0015_kept_rows'),
    ]

    operations = [
        migrations.AddField(
            model_name='patient',
            name='birth_date',
            field=models.DateField(blank=True, help_text='Compared with what a DICOM file says.', null=True),
        ),
        migrations.CreateModel(
            name='ScanIdentity',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('patient_id', models.CharField(blank=True, max_length=64)),
                ('patient_birth_date', models.DateField(null=True)),
                ('accession_number', models.CharField(blank=True, max_length=64)),
                ('study_date', models.DateField(null=True)),
                ('study_instance_uid', models.CharField(blank=True, max_length=64)),
                ('series_instance_uid', models.CharField(blank=True, max_length=64)),
                ('sop_instance_uid', models.CharField(blank=True, max_length=64)),
                ('mismatch', models.JSONField(default=list)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('scan', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='identity', to='cases.scan')),
            ],
            options={
                'verbose_name': 'identity',
                'verbose_name_plural': 'identities',
                'indexes': [
                    models.Index(fields=['study_instance_uid'], name='scan_of_study'),
                    models.Index(fields=['series_instance_uid'], name='scan_of_series'),
                    models.Index(fields=['sop_instance_uid'], name='scan_of_sop_instance'),
                    models.Index(fields=['study_date'], name='scan_of_study_date'),
                ],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('mismatch', []), ('reason', '')), models.Q(('mismatch', []), ('reason', ''), _connector='OR', _negated=True), _connector='OR'), name='a_mismatch_has_its_reason')],
            },
        ),
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunSQL(
            "SELECT ventra_watch('cases_scanidentity', 'id', '{}')",
            "DROP TRIGGER cases_scanidentity_kept ON cases_scanidentity",
        ),
        migrations.RunSQL(BEGINS, "DROP INDEX accession_number_begins;"),
    ]
