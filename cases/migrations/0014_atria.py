"""What readers say of an atrium that cannot be measured; it never changes."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models

GUARD = """
CREATE TRIGGER cases_atriumstatement_no_change BEFORE UPDATE OR DELETE ON cases_atriumstatement
    FOR EACH ROW EXECUTE FUNCTION ventra_append_only();
CREATE TRIGGER cases_atriumstatement_signed_stays BEFORE INSERT OR UPDATE OR DELETE ON cases_atriumstatement
    FOR EACH ROW EXECUTE FUNCTION ventra_signed_stays();
"""
UNGUARD = """
DROP TRIGGER cases_atriumstatement_no_change ON cases_atriumstatement;
DROP TRIGGER cases_atriumstatement_signed_stays ON cases_atriumstatement;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0013_what_readers_saw'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AtriumStatement',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('side', models.CharField(choices=[('left', 'Left'), ('right', 'Right')], max_length=5)),
                ('reason', models.CharField(blank=True, choices=[('near_field', 'Hidden in the near field'), ('shadow', 'Shadowed by the skull'), ('position', 'The fetus lies so that the plane cannot be reached'), ('outside', 'Outside the picture or the volume'), ('quality', 'Too blurred or noisy to see the walls'), ('other', 'Another reason'), ('', 'It can be seen')], max_length=12)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='atrium_statements', to='cases.case')),
                ('stated_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'statement about an atrium',
                'ordering': ('created_at',),
                'constraints': [models.CheckConstraint(condition=models.Q(('note', ''), ('reason', 'other'), _negated=True), name='another_reason_for_an_atrium_in_words')],
            },
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
