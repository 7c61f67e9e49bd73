"""How a volume lies in the patient. Of images stored before nothing is known of it but their plane."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inference', '0017_turns'),
    ]

    operations = [
        migrations.AddField(
            model_name='image',
            name='affine',
            field=models.JSONField(help_text='Of a volume: (column, row, frame, 1) to mm towards left, back and head', null=True),
        ),
        migrations.AddField(
            model_name='image',
            name='affine_source',
            field=models.CharField(blank=True, db_default='', default='', max_length=60),
        ),
    ]
