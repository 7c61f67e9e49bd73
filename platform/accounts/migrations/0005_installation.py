import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_time_zone_is_one")]

    operations = [
        migrations.CreateModel(
            name="Installation",
            fields=[
                ("only", models.BooleanField(default=True, primary_key=True, serialize=False)),
                ("is_demo", models.BooleanField()),
                (
                    "decided_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("only", True)), name="one_installation")
                ],
            },
        ),
    ]
