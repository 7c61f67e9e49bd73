"""Jobs that ended well after a lost attempt kept its failure: the audit has it, the row does not."""

from django.db import migrations, models

# The trigger keeps a finished job finished; what it failed of, once, may go.
FORGET = """
UPDATE inference_job SET failure_code = '', failure_detail = ''
WHERE state IN ('succeeded', 'cancelled') AND (failure_code <> '' OR failure_detail <> '');
"""


class Migration(migrations.Migration):
    dependencies = [("inference", "0011_pixel_aspect")]

    operations = [
        migrations.RunSQL(FORGET, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="job",
            constraint=models.CheckConstraint(
                condition=models.Q(failure_code="") | ~models.Q(state__in=["succeeded", "cancelled"]),
                name="only_what_failed_says_why",
            ),
        ),
    ]
