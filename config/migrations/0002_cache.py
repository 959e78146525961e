"""The shared cache: rate limits must hold across processes, and there is no second store."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("config", "0001_functions")]
    operations = [
        migrations.RunSQL(
            """
            -- Unlogged: a cache may be lost in a crash, and need not be written twice.
            CREATE UNLOGGED TABLE steward_cache (
              cache_key varchar(255) PRIMARY KEY,
              value text NOT NULL,
              expires timestamptz NOT NULL
            );
            CREATE INDEX steward_cache_expires ON steward_cache (expires);
            """,
            "DROP TABLE steward_cache",
        )
    ]
