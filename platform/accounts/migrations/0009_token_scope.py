"""Tokens have a name, and may be for reading alone. Those of before may do all that their owner may."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0008_link_of_one_browser'),
        ('knox', '0009_extend_authtoken_field'),
    ]

    operations = [
        migrations.CreateModel(
            name='TokenScope',
            fields=[
                ('token', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='scope', serialize=False, to='knox.authtoken')),
                ('name', models.CharField(blank=True, max_length=80)),
                ('reads_only', models.BooleanField(default=False)),
            ],
        ),
    ]
