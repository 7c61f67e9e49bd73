"""A one-time link is bound to the browser that opens it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0007_token_use'),
    ]

    operations = [
        migrations.AddField(
            model_name='onetimelink',
            name='browser',
            field=models.CharField(blank=True, max_length=64),
        ),
    ]
