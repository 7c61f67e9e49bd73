"""A mistyped birth date is corrected with a reason, and never once a case of the patient is signed."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models

GUARD = """
CREATE TRIGGER cases_birthdatecorrection_no_change BEFORE UPDATE OR DELETE ON cases_birthdatecorrection
    FOR EACH ROW EXECUTE FUNCTION ventra_append_only();
"""
UNGUARD = "DROP TRIGGER cases_birthdatecorrection_no_change ON cases_birthdatecorrection;"

# A date that is learnt where none was known changes nothing that somebody signed for.
SIGNED = """
CREATE FUNCTION ventra_signed_birth_date_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM cases_signoff JOIN cases_case ON cases_case.id = cases_signoff.case_id
        WHERE cases_case.patient_id = NEW.id
    ) THEN
        RAISE EXCEPTION 'patient_signed: the birth date of a patient with a signed case never changes'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cases_patient_signed_stays BEFORE UPDATE OF birth_date ON cases_patient
    FOR EACH ROW WHEN (OLD.birth_date IS NOT NULL AND NEW.birth_date IS DISTINCT FROM OLD.birth_date)
    EXECUTE FUNCTION ventra_signed_birth_date_stays();
"""
UNSIGNED = """
DROP TRIGGER cases_patient_signed_stays ON cases_patient;
DROP FUNCTION ventra_signed_birth_date_stays();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0017_advised'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='BirthDateCorrection',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('before', models.DateField(null=True)),
                ('after', models.DateField()),
                ('reason', models.CharField(max_length=300)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('corrected_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='birth_date_corrections', to='cases.patient')),
            ],
            options={
                'ordering': ('created_at',),
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='a_corrected_birth_date_has_its_reason')],
            },
        ),
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunSQL(
            "SELECT ventra_watch('cases_birthdatecorrection', 'id', '{}')",
            "DROP TRIGGER cases_birthdatecorrection_kept ON cases_birthdatecorrection",
        ),
        migrations.RunSQL(SIGNED, UNSIGNED),
    ]
