"""Case numbers count in the database, so that two readers never get the same one."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]
    operations = [
        migrations.RunSQL("CREATE SEQUENCE cases_case_number", "DROP SEQUENCE cases_case_number"),
    ]
