from django.db import migrations, models

import accounts.models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_one_time_links")]

    operations = [
        migrations.AlterField(
            model_name="user",
            name="time_zone",
            field=models.CharField(
                default="UTC",
                help_text="IANA name, e.g. Europe/Paris.",
                max_length=64,
                validators=[accounts.models.check_time_zone],
                verbose_name="time zone",
            ),
        ),
    ]
