"""One thing done to many runs, in the background."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.tenancy.constraints
import accounts.tenancy.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_guards"),
        ("workflows", "0006_draft_changes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BulkAction",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("RESUME", "Resume where it stopped"),
                            ("RESTART", "Run again"),
                            ("RESTART_NEWEST", "Run again with the newest version"),
                            ("CANCEL", "Cancel"),
                        ],
                        max_length=14,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("RUNNING", "Running"), ("COMPLETED", "Done"), ("CANCELLED", "Stopped")],
                        default="RUNNING",
                        max_length=9,
                    ),
                ),
                ("selected", models.JSONField(blank=True, null=True)),
                ("filters", models.JSONField(blank=True, default=dict)),
                ("total", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("skipped", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("newest", models.UUIDField()),
                ("position", models.UUIDField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["organization", "-id"], name="bulk_of_organization")],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "id"), name="bulk_in_organization"),
                    accounts.tenancy.constraints.SameOrganization(
                        column="requested_by_id",
                        name="bulk_user_same_org",
                        on_delete="SET NULL (requested_by_id)",
                        to="accounts_user",
                    ),
                    accounts.tenancy.constraints.RowLevelSecurity(
                        column="organization_id", name="bulk_rls", public_rows=False
                    ),
                ],
            },
        ),
    ]
