"""Calipers of a version that measures, stored with its answer."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inference', '0013_missing_since'),
    ]

    operations = [
        migrations.AddField(
            model_name='prediction',
            name='measurement',
            field=models.JSONField(help_text='Calipers of a version that measures (inference.results.proposals reads them).', null=True),
        ),
    ]
