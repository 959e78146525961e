"""The queue: indexes that claims read, who waits for an answer, and how many runs may be in progress."""

import django.db.models.fields.json
import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True  # it belongs to the first schema: the tables it changes have no rows yet

    dependencies = [
        ("accounts", "0002_guards"),
        ("workflows", "0002_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="execution",
            name="execution_queue",
        ),
        migrations.RemoveIndex(
            model_name="execution",
            name="execution_claimed",
        ),
        migrations.AddField(
            model_name="execution",
            name="reply_to",
            field=models.CharField(blank=True, db_default="", max_length=48),
        ),
        migrations.AddField(
            model_name="execution",
            name="response",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="workflowversion",
            name="concurrency",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.comparison.Coalesce(
                    django.db.models.functions.comparison.Cast(
                        django.db.models.fields.json.KeyTextTransform(
                            "concurrency",
                            django.db.models.fields.json.KeyTextTransform("settings", "definition"),
                        ),
                        models.IntegerField(),
                    ),
                    models.Value(10),
                ),
                output_field=models.IntegerField(),
            ),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                condition=models.Q(("status", "PENDING")),
                fields=["organization", "workflow", "priority", "id"],
                name="execution_pending",
            ),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                condition=models.Q(("status", "RUNNING")),
                fields=["organization", "workflow"],
                name="execution_in_progress",
            ),
        ),
    ]
