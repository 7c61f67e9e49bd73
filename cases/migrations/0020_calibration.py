"""A scan whose file states no scale is calibrated by hand; what is measured then names what it rests on."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models

# A measurement has both a scan and a calibration: the scan is asked first, and leads to the same case.
CASE_OF = """
CREATE OR REPLACE FUNCTION ventra_case_of(said jsonb) RETURNS uuid LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE
        WHEN said ? 'case_id' THEN (said->>'case_id')::uuid
        WHEN said ? 'scan_id' THEN (SELECT case_id FROM cases_scan WHERE id = (said->>'scan_id')::uuid)
        WHEN said ? 'measurement_id' THEN (SELECT case_id FROM cases_scan scan JOIN cases_measurement one
            ON one.scan_id = scan.id WHERE one.id = (said->>'measurement_id')::uuid)
{calibration}        WHEN said ? 'advice_id' THEN (SELECT case_id FROM cases_advice WHERE id = (said->>'advice_id')::uuid)
        WHEN said ? 'answer_id' THEN (SELECT case_id FROM cases_advice given JOIN cases_adviceanswer one
            ON one.advice_id = given.id WHERE one.id = (said->>'answer_id')::uuid)
        WHEN said ? 'image_id' THEN
            (SELECT case_id FROM cases_scan WHERE image_id = (said->>'image_id')::uuid)
        ELSE (SELECT case_id FROM cases_scan WHERE image_id = (said->>'id')::uuid)
    END;
END $$;
"""
CALIBRATION = """\
        WHEN said ? 'calibration_id' THEN (SELECT case_id FROM cases_scan scan JOIN cases_calibration one
            ON one.scan_id = scan.id WHERE one.id = (said->>'calibration_id')::uuid)
"""
TABLES = ("cases_calibration", "cases_calibrationwithdrawal")
GUARD = """
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION ventra_append_only();
CREATE TRIGGER {table}_signed_stays BEFORE INSERT OR UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION ventra_signed_stays();
SELECT ventra_watch('{table}', 'id');
"""
UNGUARD = """
DROP TRIGGER {table}_no_change ON {table};
DROP TRIGGER {table}_signed_stays ON {table};
DROP TRIGGER {table}_kept ON {table};
"""


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0019_proposals'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Calibration',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('frame', models.PositiveIntegerField(help_text='Index in the scan, from 0.')),
                ('start', models.JSONField()),
                ('end', models.JSONField()),
                ('length_mm', models.FloatField()),
                ('row_spacing', models.FloatField(help_text='mm between rows')),
                ('column_spacing', models.FloatField(help_text='mm between columns')),
                ('note', models.CharField(blank=True, max_length=200)),
                ('marks', models.JSONField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('scan', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='calibrations', to='cases.scan')),
            ],
            options={
                'ordering': ('created_at',),
                'indexes': [models.Index(fields=['scan', 'created_at'], name='calibration_of_scan')],
            },
        ),
        migrations.CreateModel(
            name='CalibrationWithdrawal',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('calibration', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='withdrawal', to='cases.calibration')),
                ('withdrawn_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddField(
            model_name='measurement',
            name='calibration',
            field=models.ForeignKey(help_text='What the millimetres rest on, where the file states none.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='measurements', to='cases.calibration'),
        ),
        migrations.RunSQL(CASE_OF.format(calibration=CALIBRATION), CASE_OF.format(calibration='')),
        *(migrations.RunSQL(GUARD.format(table=table), UNGUARD.format(table=table)) for table in TABLES),
    ]
