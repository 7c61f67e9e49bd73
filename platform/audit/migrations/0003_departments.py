"""An event names the departments it was about. What was written before is found as well as it can be.

Its seal stays valid: it covers what it covered (version 1). Events of a case's thread are named by `cases`,
which knows whose a case is.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.fields.json
from django.db import migrations, models

FIND = """
ALTER TABLE audit_event DISABLE TRIGGER audit_event_no_change;
UPDATE audit_event AS event SET departments = ARRAY(
    SELECT DISTINCT member.department_id FROM accounts_membership AS member
    WHERE CASE
        WHEN event.subject_type = 'accounts.user' THEN member.user_id::text = event.subject_id
        ELSE member.user_id = event.actor_id
    END ORDER BY member.department_id)
WHERE event.version = 1 AND event.thread = '' AND event.departments = '{}' AND event.verb NOT LIKE 'model.%';
UPDATE audit_event AS event SET departments = ARRAY(
    SELECT DISTINCT member.department_id FROM accounts_membership AS member
    JOIN accounts_user AS person ON person.id = member.user_id
    WHERE person.username = event.actor_name ORDER BY member.department_id)
WHERE event.version = 1 AND event.verb = 'account.login_failed' AND event.departments = '{}';
UPDATE audit_event SET departments = ARRAY[subject_id::bigint]
WHERE version = 1 AND subject_type = 'accounts.department';
ALTER TABLE audit_event ENABLE TRIGGER audit_event_no_change;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('audit', '0002_append_only'),
    ]

    operations = [
        migrations.AddField(
            model_name='event',
            name='departments',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None),
        ),
        migrations.AddField(
            model_name='event',
            name='version',
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AlterField(
            model_name='event',
            name='version',
            field=models.PositiveSmallIntegerField(default=2),
        ),
        migrations.AddIndex(
            model_name='event',
            index=django.contrib.postgres.indexes.GinIndex(fields=['departments'], name='event_departments'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(django.db.models.fields.json.KeyTextTransform('number', 'detail'), condition=models.Q(('verb', 'case.opened')), name='event_case_number'),
        ),
        migrations.RunSQL(FIND, migrations.RunSQL.noop),
    ]
