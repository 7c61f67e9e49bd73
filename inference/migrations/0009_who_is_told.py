"""A job carries whose scan it is on, for those who are told how it ended."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('inference', '0008_quality'),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='department',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.department'),
        ),
        migrations.AddField(
            model_name='job',
            name='names',
            field=models.JSONField(default=dict, help_text='What people call the scan it is on; see About.'),
        ),
    ]
