"""When the chains were last walked, and what was found."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0004_row_digests'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ChainCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('ended_at', models.DateTimeField(null=True)),
                ('events', models.BigIntegerField(default=0, help_text="Links of the events' chain that were looked at.")),
                ('events_hash', models.CharField(blank=True, max_length=64)),
                ('rows', models.BigIntegerField(default=0, help_text='Likewise of the chain of rows.')),
                ('rows_hash', models.CharField(blank=True, max_length=64)),
                ('faults', models.BigIntegerField(default=0)),
                ('first_fault', models.CharField(blank=True, max_length=300)),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('ended_at',), name='one_check_of_the_chain_at_a_time', nulls_distinct=False)],
            },
        ),
    ]
