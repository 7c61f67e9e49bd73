"""A distance may lie in one of the planes that are cut through all frames of a volume. Those of before lie in frames."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0023_presence'),
    ]

    operations = [
        migrations.AddField(
            model_name='measurement',
            name='across',
            field=models.CharField(blank=True, choices=[('', 'Frame'), ('rows', 'Cut at one row'), ('columns', 'Cut at one column')], db_default='', default='', max_length=7),
        ),
        migrations.AlterField(
            model_name='measurement',
            name='frame',
            field=models.PositiveIntegerField(help_text='Index in the scan, or in its plane, from 0.'),
        ),
        migrations.AddConstraint(
            model_name='measurement',
            constraint=models.CheckConstraint(condition=models.Q(('across', ''), ('tool', 'distance'), _connector='OR'), name='atrial_widths_are_measured_on_frames'),
        ),
    ]
