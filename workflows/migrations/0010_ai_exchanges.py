"""What models were asked, what they answered, and what may be spent on asking them."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import accounts.tenancy.constraints
import accounts.tenancy.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_api"),
        ("workflows", "0009_details_awaited"),
    ]

    operations = [
        migrations.CreateModel(
            name="AiAllowance",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("MONTH", "All workflows in a month"),
                            ("WORKFLOW", "One workflow in a month"),
                            ("RUN", "One run"),
                            ("STEP", "One step of a run"),
                        ],
                        max_length=8,
                    ),
                ),
                ("key", models.CharField(max_length=600)),
                ("spent", models.BigIntegerField(db_default=0, default=0)),
                ("reserved", models.BigIntegerField(db_default=0, default=0)),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "scope", "key"), name="ai_allowance_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("spent__gte", 0), ("reserved__gte", 0)),
                        name="ai_allowance_not_negative",
                    ),
                    accounts.tenancy.constraints.RowLevelSecurity(
                        column="organization_id", name="ai_allowance_rls", public_rows=False
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AiExchange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("workflow_id", models.UUIDField(blank=True, null=True)),
                ("purpose", models.CharField(blank=True, db_default="", max_length=40)),
                ("path", models.CharField(blank=True, db_default="", max_length=500)),
                ("key", models.CharField(blank=True, db_default="", max_length=600)),
                ("attempt", models.PositiveIntegerField(default=1)),
                ("turn", models.PositiveIntegerField(default=1)),
                ("request_hash", models.CharField(max_length=64)),
                ("provider", models.CharField(max_length=40)),
                ("model", models.CharField(max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("ANSWERED", "Answered"),
                            ("REJECTED", "Answered, but not as asked"),
                            ("FAILED", "Not answered"),
                        ],
                        max_length=8,
                    ),
                ),
                ("request", models.JSONField(blank=True, null=True)),
                ("answer", models.JSONField(blank=True, null=True)),
                ("error", models.TextField(blank=True, db_default="")),
                ("input_tokens", models.BigIntegerField(default=0)),
                ("output_tokens", models.BigIntegerField(default=0)),
                ("cost_micro", models.BigIntegerField(default=0)),
                ("duration_ms", models.PositiveIntegerField(default=0)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "execution",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ai_exchanges",
                        to="workflows.execution",
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
            ],
            options={
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(fields=["organization", "-id"], name="ai_exchange_of_org"),
                    models.Index(fields=["execution", "path", "id"], name="ai_exchange_of_step"),
                    models.Index(
                        condition=models.Q(("status", "ANSWERED")),
                        fields=["organization", "key", "attempt", "turn"],
                        name="ai_exchange_replay",
                    ),
                ],
                "constraints": [
                    accounts.tenancy.constraints.SameOrganization(
                        column="execution_id",
                        name="ai_exchange_execution_same_org",
                        on_delete="CASCADE",
                        to="workflows_execution",
                    ),
                    accounts.tenancy.constraints.RowLevelSecurity(
                        column="organization_id", name="ai_exchange_rls", public_rows=False
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AiPolicy",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "keep_content",
                    models.BooleanField(
                        db_default=True, default=True, verbose_name="Keep questions and answers"
                    ),
                ),
                (
                    "redact",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        verbose_name="Take e-mail addresses, phone and card numbers out of questions",
                    ),
                ),
                (
                    "month_cents",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="Most to spend in a month, in cents"
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
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("organization",), name="ai_policy_once"),
                    accounts.tenancy.constraints.RowLevelSecurity(
                        column="organization_id", name="ai_policy_rls", public_rows=False
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AiReservation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("RESERVED", "Reserved"),
                            ("SETTLED", "Settled"),
                            ("RELEASED", "Given back"),
                        ],
                        db_default="RESERVED",
                        default="RESERVED",
                        max_length=8,
                    ),
                ),
                ("amount", models.BigIntegerField()),
                ("settled", models.BigIntegerField(db_default=0, default=0)),
                ("allowances", models.JSONField()),
                ("deadline_at", models.DateTimeField()),
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
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "RESERVED")),
                        fields=["organization", "deadline_at"],
                        name="ai_reservation_open",
                    )
                ],
                "constraints": [
                    accounts.tenancy.constraints.RowLevelSecurity(
                        column="organization_id", name="ai_reservation_rls", public_rows=False
                    )
                ],
            },
        ),
    ]
