"""A measurement keeps the proposed caliper that it came from."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0018_birth_date_correction'),
        ('inference', '0014_measurement'),
    ]

    operations = [
        migrations.AddField(
            model_name='measurement',
            name='proposal',
            field=models.ForeignKey(help_text='The answer whose proposed caliper the reader confirmed or moved.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inference.prediction'),
        ),
        migrations.AddField(
            model_name='measurement',
            name='proposal_atrium',
            field=models.PositiveSmallIntegerField(help_text='Which of its atria, from 0.', null=True),
        ),
        migrations.AddConstraint(
            model_name='measurement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('proposal__isnull', True), ('proposal_atrium__isnull', True)), models.Q(('proposal__isnull', False), ('proposal_atrium__isnull', False), ('tool', 'atrial_width')), _connector='OR'), name='a_proposal_names_its_atrium'),
        ),
    ]
