"""Parts of a picture with scales of their own. Images stored before keep the one scale that they have."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inference', '0014_measurement'),
    ]

    operations = [
        migrations.AddField(
            model_name='image',
            name='regions',
            field=models.JSONField(default=list, help_text='Parts with scales of their own (inference.formats.regions); outside of them, none'),
        ),
    ]
