"""SQL functions that the other apps' migrations rely on."""

from django.db import migrations

from config.database.partitions import DROP_FUNCTIONS, FUNCTIONS


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.RunSQL(FUNCTIONS, DROP_FUNCTIONS)]
