"""How installed templates do: success rate and typical run time over at least five organizations."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("templates_lib", "0002_adoptions_and_updates"),
    ]

    operations = [
        migrations.AddField(
            model_name="template",
            name="median_duration_ms",
            field=models.BigIntegerField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="template",
            name="success_rate",
            field=models.FloatField(blank=True, editable=False, null=True),
        ),
    ]
