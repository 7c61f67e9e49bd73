"""Since when a job waits for a file that is missing."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inference', '0012_only_what_failed_says_why'),
    ]

    operations = [
        migrations.AddField(
            model_name='job',
            name='missing_since',
            field=models.DateTimeField(help_text='Since when a file of it is missing while the store answers.', null=True),
        ),
    ]
