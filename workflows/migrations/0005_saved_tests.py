"""Runs saved as tests."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.tenancy.constraints
import accounts.tenancy.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_guards"),
        ("workflows", "0004_intake"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedTest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("input", models.JSONField(blank=True, null=True)),
                ("started", models.JSONField(default=dict)),
                ("answers", models.JSONField(default=dict)),
                ("assertions", models.JSONField(default=list)),
                ("is_enabled", models.BooleanField(db_default=True, default=True)),
                ("from_execution_id", models.UUIDField(blank=True, null=True)),
                (
                    "last_result",
                    models.CharField(
                        blank=True,
                        choices=[("", "Not run yet"), ("PASSED", "Passed"), ("FAILED", "Failed")],
                        db_default="",
                        default="",
                        max_length=6,
                    ),
                ),
                ("report", models.JSONField(blank=True, default=list)),
                ("last_run_at", models.DateTimeField(blank=True, null=True)),
                ("deleted_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
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
                    "workflow",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_tests",
                        to="workflows.workflow",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(
                        condition=models.Q(("deleted_at", None)),
                        fields=["organization", "workflow", "-id"],
                        name="saved_test_of_workflow",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "id"), name="saved_test_in_organization"),
                    models.CheckConstraint(
                        condition=models.Q(("last_result__in", ["", "PASSED", "FAILED"])),
                        name="saved_test_result_known",
                    ),
                    accounts.tenancy.constraints.SameOrganization(
                        column="workflow_id",
                        name="saved_test_workflow_same_org",
                        on_delete="CASCADE",
                        to="workflows_workflow",
                    ),
                    accounts.tenancy.constraints.SameOrganization(
                        column="created_by_id",
                        name="saved_test_created_by_same_org",
                        on_delete="SET NULL (created_by_id)",
                        to="accounts_user",
                    ),
                    accounts.tenancy.constraints.RowLevelSecurity(
                        column="organization_id", name="saved_test_rls", public_rows=False
                    ),
                ],
            },
        ),
    ]
