from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inference', '0010_workers'),
    ]

    operations = [
        migrations.AddField(
            model_name='image',
            name='pixel_aspect',
            field=models.FloatField(help_text='Height over width of a pixel, where no spacing is stated', null=True),
        ),
    ]
