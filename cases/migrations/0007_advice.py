"""What was advised, what became of it and what it brought is kept, and never changes."""

import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models


TABLES = ("cases_advice", "cases_adviceanswer", "cases_followup")
GUARD = """
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION ventra_append_only();
"""
UNGUARD = "DROP TRIGGER {table}_no_change ON {table};"


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0006_find_by_beginning'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Advice',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('state_sha256', models.CharField(help_text='Of everything the advice rests on.', max_length=64)),
                ('is_informed', models.BooleanField(help_text='Whether it rests on what models and readers said.')),
                ('suggestions', models.JSONField(default=list)),
                ('stop', models.CharField(blank=True, max_length=16)),
                ('not_assessable', models.JSONField(default=list)),
                ('before', models.JSONField(default=dict)),
                ('rules_version', models.CharField(max_length=20)),
                ('rules_sha256', models.CharField(max_length=64)),
                ('values_sha256', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='advice', to='cases.case')),
            ],
            options={
                'verbose_name_plural': 'advice',
                'ordering': ('created_at',),
            },
        ),
        migrations.CreateModel(
            name='AdviceAnswer',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('place', models.PositiveSmallIntegerField(help_text='Index of the suggestion, from 0.')),
                ('outcome', models.CharField(choices=[('done', 'Done'), ('not_possible', 'Not possible'), ('declined', 'Declined')], max_length=12)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('advice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='answers', to='cases.advice')),
                ('answered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('follow_up', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='follows_advice', to='cases.scan')),
            ],
            options={
                'ordering': ('created_at',),
            },
        ),
        migrations.CreateModel(
            name='FollowUp',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('before', models.JSONField(help_text='probability, bits and checks of the scan that was advised on')),
                ('after', models.JSONField(help_text='the same of the follow-up scan')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('answer', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='effect', to='cases.adviceanswer')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddConstraint(
            model_name='advice',
            constraint=models.UniqueConstraint(fields=('case', 'state_sha256'), name='one_advice_for_a_state'),
        ),
        migrations.AddConstraint(
            model_name='adviceanswer',
            constraint=models.UniqueConstraint(fields=('advice', 'place'), name='one_answer_for_a_suggestion'),
        ),
        *(migrations.RunSQL(GUARD.format(table=table), UNGUARD.format(table=table)) for table in TABLES),
    ]
