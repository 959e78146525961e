"""Usage, subscriptions and Stripe events."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import accounts.tenancy.constraints
import accounts.tenancy.ids
from config.database.partitions import CreatePartitionedModel, partitions_operation


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="StripeEvent",
            fields=[
                ("stripe_id", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("type", models.CharField(max_length=80)),
                ("payload", models.JSONField()),
                ("stripe_created_at", models.DateTimeField()),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                ("processed_at", models.DateTimeField(blank=True, null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["-received_at"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("processed_at__isnull", True)),
                        fields=["received_at"],
                        name="stripe_event_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "stripe_subscription_id",
                    models.CharField(blank=True, max_length=255, null=True, unique=True),
                ),
                ("stripe_price_id", models.CharField(blank=True, max_length=255, null=True)),
                (
                    "plan",
                    models.CharField(
                        choices=[
                            ("STARTER", "Starter"),
                            ("PROFESSIONAL", "Professional"),
                            ("ENTERPRISE", "Enterprise"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("ACTIVE", "Active"),
                            ("TRIALING", "Trial"),
                            ("PAST_DUE", "Payment failed"),
                            ("CANCELLED", "Cancelled"),
                            ("UNPAID", "Unpaid"),
                            ("INCOMPLETE", "Incomplete"),
                        ],
                        max_length=10,
                    ),
                ),
                ("current_period_start", models.DateTimeField()),
                ("current_period_end", models.DateTimeField()),
                ("cancel_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_at_period_end", models.BooleanField(default=False)),
                ("stripe_updated_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["organization", "-id"], name="subscription_of_org"),
                    models.Index(fields=["status"], name="subscription_by_status"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                ["ACTIVE", "TRIALING", "PAST_DUE", "CANCELLED", "UNPAID", "INCOMPLETE"],
                            )
                        ),
                        name="subscription_status_known",
                    ),
                    accounts.tenancy.constraints.RowLevelSecurity(
                        column="organization_id", name="subscription_rls", public_rows=False
                    ),
                ],
            },
        ),
        CreatePartitionedModel(
            name="UsageEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "metric",
                    models.CharField(
                        choices=[
                            ("WORKFLOW_EXECUTIONS", "Runs"),
                            ("AI_TOKENS_USED", "AI tokens"),
                            ("API_CALLS_MADE", "Calls to services"),
                            ("STORAGE_GB", "Storage (GB)"),
                            ("ACTIVE_USERS", "Active people"),
                            ("ACTIVE_WORKFLOWS", "Active workflows"),
                        ],
                        max_length=20,
                    ),
                ),
                ("quantity", models.BigIntegerField()),
                ("cost_usd", models.DecimalField(db_default=0, decimal_places=6, default=0, max_digits=14)),
                ("workflow_id", models.UUIDField(blank=True, null=True)),
                ("execution_id", models.UUIDField(blank=True, null=True)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [models.Index(fields=["organization", "metric", "at"], name="usage_entry_of_org")],
                "constraints": [
                    accounts.tenancy.constraints.RowLevelSecurity(
                        column="organization_id", name="usage_entry_rls", public_rows=False
                    )
                ],
            },
        ),
        CreatePartitionedModel(
            name="UsageRecord",
            partition_key="period_start",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "metric",
                    models.CharField(
                        choices=[
                            ("WORKFLOW_EXECUTIONS", "Runs"),
                            ("AI_TOKENS_USED", "AI tokens"),
                            ("API_CALLS_MADE", "Calls to services"),
                            ("STORAGE_GB", "Storage (GB)"),
                            ("ACTIVE_USERS", "Active people"),
                            ("ACTIVE_WORKFLOWS", "Active workflows"),
                        ],
                        max_length=20,
                    ),
                ),
                ("quantity", models.BigIntegerField()),
                ("cost", models.DecimalField(blank=True, decimal_places=6, max_digits=14, null=True)),
                ("period_start", models.DateTimeField()),
                ("period_end", models.DateTimeField()),
                ("details", models.JSONField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "ordering": ["-period_start"],
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(
                        fields=["organization", "-period_start", "-period_end"], name="usage_of_org_by_period"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "metric", "period_start", "period_end"), name="usage_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("period_end__gt", models.F("period_start"))),
                        name="usage_period_order",
                    ),
                    accounts.tenancy.constraints.RowLevelSecurity(
                        column="organization_id", name="usage_rls", public_rows=False
                    ),
                ],
            },
        ),
        partitions_operation(),
    ]
