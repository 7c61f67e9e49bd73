"""A scan can be withdrawn: the withdrawal never changes, and its file may then be added to the case again."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models

GUARD = """
CREATE TRIGGER cases_scanwithdrawal_no_change BEFORE UPDATE OR DELETE ON cases_scanwithdrawal
    FOR EACH ROW EXECUTE FUNCTION ventra_append_only();
"""
UNGUARD = "DROP TRIGGER cases_scanwithdrawal_no_change ON cases_scanwithdrawal;"

# The case is locked first, so that two uploads of one file come one after the other.
ONE_FILE = """
CREATE FUNCTION ventra_one_standing_scan_per_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM cases_case WHERE id = NEW.case_id FOR UPDATE;
    IF EXISTS (
        SELECT 1 FROM cases_scan other
        LEFT JOIN cases_scanwithdrawal gone ON gone.scan_id = other.id
        WHERE other.case_id = NEW.case_id AND other.original_sha256 = NEW.original_sha256
            AND other.id <> NEW.id AND gone.id IS NULL
    ) THEN
        RAISE EXCEPTION 'one_scan_per_file_in_a_case' USING ERRCODE = 'unique_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cases_scan_one_per_file BEFORE INSERT OR UPDATE OF case_id, original_sha256 ON cases_scan
    FOR EACH ROW EXECUTE FUNCTION ventra_one_standing_scan_per_file();
"""
NO_ONE_FILE = """
DROP TRIGGER cases_scan_one_per_file ON cases_scan;
DROP FUNCTION ventra_one_standing_scan_per_file();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0008_words_of_the_rules'),
        ('inference', '0010_workers'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ScanWithdrawal',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reason', models.CharField(choices=[('wrong_modality', 'Wrong modality'), ('wrong_patient', "Another patient's scan"), ('wrong_file', 'Wrong file'), ('other', 'Another reason')], max_length=16)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='scan',
            name='one_scan_per_file_in_a_case',
        ),
        migrations.AddIndex(
            model_name='scan',
            index=models.Index(fields=['case', 'original_sha256'], name='scan_of_file'),
        ),
        migrations.AddField(
            model_name='scanwithdrawal',
            name='scan',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='withdrawal', to='cases.scan'),
        ),
        migrations.AddField(
            model_name='scanwithdrawal',
            name='withdrawn_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='scanwithdrawal',
            constraint=models.CheckConstraint(condition=models.Q(('note', ''), ('reason', 'other'), _negated=True), name='another_reason_is_put_into_words'),
        ),
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunSQL(ONE_FILE, NO_ONE_FILE),
    ]
