"""Workflows, versions, executions, deliveries and approvals."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import accounts.tenancy.constraints
import accounts.tenancy.ids
import workflows.models.workflow
from config.database.partitions import CreatePartitionedModel, partitions_operation


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("integrations", "0001_initial"),
        ("accounts", "0002_guards"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Worker",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("host", models.CharField(max_length=255)),
                ("pid", models.PositiveIntegerField()),
                ("release", models.CharField(blank=True, max_length=64)),
                (
                    "queues",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), blank=True, default=list, size=None
                    ),
                ),
                ("running", models.PositiveIntegerField(default=0)),
                ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("heartbeat_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "ordering": ["-heartbeat_at"],
            },
        ),
        CreatePartitionedModel(
            name="Execution",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("draft_definition", models.JSONField(blank=True, null=True)),
                (
                    "mode",
                    models.CharField(
                        choices=[("LIVE", "Live"), ("TEST", "Test"), ("DRY_RUN", "Dry run")],
                        db_default="LIVE",
                        default="LIVE",
                        max_length=8,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PENDING", "Queued"),
                            ("RUNNING", "Running"),
                            ("WAITING", "Waiting"),
                            ("COMPLETED", "Completed"),
                            ("FAILED", "Failed"),
                            ("CANCELLED", "Cancelled"),
                            ("TIMEOUT", "Timed out"),
                        ],
                        db_default="PENDING",
                        default="PENDING",
                        max_length=9,
                    ),
                ),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("PENDING", "Not yet known"),
                            ("SUCCESS", "Success"),
                            ("PARTIAL", "Partly"),
                            ("FAILURE", "Failure"),
                            ("CANCELLED", "Cancelled"),
                        ],
                        db_default="PENDING",
                        default="PENDING",
                        max_length=9,
                    ),
                ),
                ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                ("duration_ms", models.BigIntegerField(blank=True, null=True)),
                ("input", models.JSONField(blank=True, null=True)),
                ("output", models.JSONField(blank=True, null=True)),
                ("error", models.JSONField(blank=True, null=True)),
                (
                    "triggered_by",
                    models.CharField(
                        choices=[
                            ("MANUAL", "By hand"),
                            ("SCHEDULE", "Schedule"),
                            ("WEBHOOK", "Webhook"),
                            ("API", "API"),
                        ],
                        db_default="MANUAL",
                        default="MANUAL",
                        max_length=8,
                    ),
                ),
                ("webhook_event_id", models.UUIDField(blank=True, null=True)),
                ("trigger_key", models.CharField(blank=True, db_default="", max_length=64)),
                ("parent_id", models.UUIDField(blank=True, null=True)),
                ("parent_path", models.CharField(blank=True, db_default="", max_length=500)),
                (
                    "relation",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("CHILD", "Started by a step of"),
                            ("RESUME", "Resumes"),
                            ("RESTART", "Repeats"),
                            ("FORK", "Branches off"),
                        ],
                        db_default="",
                        max_length=7,
                    ),
                ),
                ("depth", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("priority", models.SmallIntegerField(db_default=0, default=0)),
                ("attempt", models.PositiveIntegerField(db_default=0, default=0)),
                ("worker_id", models.UUIDField(blank=True, null=True)),
                ("claimed_at", models.DateTimeField(blank=True, null=True)),
                ("wake_at", models.DateTimeField(blank=True, null=True)),
                ("waiting_for", models.JSONField(blank=True, null=True)),
                ("deadline_at", models.DateTimeField()),
                ("cancel_requested_at", models.DateTimeField(blank=True, null=True)),
                ("tokens", models.BigIntegerField(db_default=0, default=0)),
                ("cost_usd", models.DecimalField(db_default=0, decimal_places=6, default=0, max_digits=14)),
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
                    "triggered_by_user",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="executions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("path", models.CharField(max_length=500)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("APPROVAL", "Approval"),
                            ("UNCERTAIN_EFFECT", "Did this happen?"),
                            ("TOOL_CALL", "An agent asks"),
                        ],
                        default="APPROVAL",
                        max_length=16,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PENDING", "Waiting for an answer"),
                            ("APPROVED", "Approved"),
                            ("REJECTED", "Rejected"),
                            ("EXPIRED", "Not answered in time"),
                            ("CANCELLED", "No longer needed"),
                        ],
                        default="PENDING",
                        max_length=9,
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                ("message", models.TextField(blank=True)),
                ("form", models.JSONField(blank=True, null=True)),
                ("shown", models.JSONField(blank=True, null=True)),
                ("assignees", models.JSONField(default=list)),
                ("required", models.PositiveSmallIntegerField(default=1)),
                ("answer", models.JSONField(blank=True, null=True)),
                ("content_hash", models.CharField(blank=True, max_length=64)),
                ("deadline_at", models.DateTimeField(blank=True, null=True)),
                ("on_deadline", models.CharField(default="fail", max_length=10)),
                ("reminded_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
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
                    "execution",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="approvals",
                        to="workflows.execution",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        CreatePartitionedModel(
            name="ExecutionLog",
            partition_key="execution_id",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("DEBUG", "Debug"),
                            ("INFO", "Info"),
                            ("WARN", "Warning"),
                            ("ERROR", "Error"),
                            ("CRITICAL", "Critical"),
                        ],
                        db_default="INFO",
                        default="INFO",
                        max_length=8,
                    ),
                ),
                ("step_id", models.CharField(blank=True, db_default="", max_length=500)),
                ("message", models.TextField()),
                ("metadata", models.JSONField(blank=True, null=True)),
                ("timestamp", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "execution",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="logs",
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
                "ordering": ["id"],
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        CreatePartitionedModel(
            name="ExecutionStep",
            partition_key="execution_id",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("path", models.CharField(max_length=500)),
                ("step_id", models.CharField(max_length=64)),
                ("step_type", models.CharField(max_length=16)),
                ("attempt", models.PositiveIntegerField(default=1)),
                ("fence", models.PositiveIntegerField(default=0)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("RUNNING", "Running"),
                            ("WAITING", "Waiting"),
                            ("COMPLETED", "Done"),
                            ("FAILED", "Failed"),
                            ("SKIPPED", "Skipped"),
                            ("CANCELLED", "Cancelled"),
                        ],
                        max_length=9,
                    ),
                ),
                ("input", models.JSONField(blank=True, null=True)),
                ("output", models.JSONField(blank=True, null=True)),
                ("error", models.JSONField(blank=True, null=True)),
                (
                    "effect",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("read", "Read"),
                            ("key_safe", "Safe to repeat with its key"),
                            ("checkable", "Can be looked up"),
                            ("unsafe", "Cannot be checked"),
                        ],
                        db_default="",
                        default="",
                        max_length=9,
                    ),
                ),
                (
                    "effect_state",
                    models.CharField(
                        choices=[
                            ("NONE", "None"),
                            ("INTENDED", "About to happen"),
                            ("HAPPENED", "Happened"),
                            ("NOT_SENT", "Did not happen"),
                            ("UNCERTAIN", "May have happened"),
                        ],
                        db_default="NONE",
                        default="NONE",
                        max_length=9,
                    ),
                ),
                ("idempotency_key", models.CharField(blank=True, db_default="", default="", max_length=600)),
                ("recorded", models.JSONField(blank=True, null=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("duration_ms", models.BigIntegerField(blank=True, null=True)),
                ("tokens", models.BigIntegerField(db_default=0, default=0)),
                ("cost_usd", models.DecimalField(db_default=0, decimal_places=6, default=0, max_digits=14)),
                (
                    "execution",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
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
                "ordering": ["id"],
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="ResumeToken",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("path", models.CharField(max_length=500)),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                ("body", models.JSONField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "execution",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="resume_tokens",
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
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Workflow",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("description", models.TextField(blank=True, max_length=2000, verbose_name="description")),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("MARKETING", "Marketing"),
                            ("SALES", "Sales"),
                            ("OPERATIONS", "Operations"),
                            ("CUSTOMER_SUPPORT", "Customer support"),
                            ("ADMIN", "Administration"),
                            ("CUSTOM", "Custom"),
                        ],
                        default="CUSTOM",
                        max_length=16,
                        verbose_name="category",
                    ),
                ),
                ("definition", models.JSONField(default=workflows.models.workflow.empty_definition)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("ACTIVE", "Active"),
                            ("PAUSED", "Paused"),
                            ("ARCHIVED", "Archived"),
                            ("DRAFT", "Draft"),
                        ],
                        default="DRAFT",
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                ("is_template", models.BooleanField(default=False)),
                ("schedule", models.JSONField(blank=True, null=True)),
                ("triggers", models.JSONField(blank=True, default=list)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("minutes_saved_per_run", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "search_vector",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.contrib.postgres.search.SearchVector(
                            "name", "description", config="english"
                        ),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="created_workflows",
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
            ],
            options={
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        CreatePartitionedModel(
            name="WebhookDelivery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("trigger_key", models.CharField(max_length=64)),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("ACCEPTED", "Started a run"),
                            ("DUPLICATE", "Already received"),
                            ("FILTERED", "Did not match"),
                            ("CAPTURED", "Kept as a sample"),
                            ("REFUSED", "Refused"),
                        ],
                        max_length=9,
                    ),
                ),
                ("reason", models.CharField(blank=True, db_default="", max_length=200)),
                ("method", models.CharField(max_length=8)),
                ("path", models.CharField(max_length=300)),
                ("query", models.TextField(blank=True, db_default="")),
                ("headers", models.JSONField(default=dict)),
                ("content_type", models.CharField(blank=True, db_default="", max_length=120)),
                ("body", models.BinaryField(default=b"")),
                ("dedupe_key", models.CharField(blank=True, db_default="", max_length=200)),
                ("remote_address", models.GenericIPAddressField(blank=True, null=True)),
                ("execution_id", models.UUIDField(blank=True, null=True)),
                ("replay_of_id", models.UUIDField(blank=True, null=True)),
                ("received_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
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
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="workflows.workflow",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        CreatePartitionedModel(
            name="TriggerDecision",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("trigger_key", models.CharField(max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("MANUAL", "By hand"),
                            ("API", "API"),
                            ("WEBHOOK", "Webhook"),
                            ("SCHEDULE", "Schedule"),
                            ("PROVIDER", "Event in a service"),
                            ("FORM", "Form"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("STARTED", "A run was started."),
                            ("CAPTURED", "The request was kept as a sample for the editor."),
                            ("DUPLICATE", "The same delivery had been received before."),
                            ("FILTERED", "The data did not match the trigger's conditions."),
                            ("BAD_SIGNATURE", "The signature or password was wrong."),
                            ("BAD_BODY", "The request body could not be read."),
                            ("TOO_LARGE", "The request was too large."),
                            ("RATE_LIMITED", "Too many requests came in a short time."),
                            ("NOT_PUBLISHED", "The workflow has not been published."),
                            ("PAUSED", "The workflow is paused."),
                            ("ARCHIVED", "The workflow is archived."),
                            ("PLAN_LIMIT", "The plan's limit was reached; the run is held."),
                            ("BACKLOG_FULL", "Too many runs are waiting already."),
                            ("DEPTH_LIMIT", "Workflows had started one another too many times."),
                            ("MISSED_SKIPPED", "The planned time had passed, and missed runs are skipped."),
                            ("MISSED_CAUGHT_UP", "The planned time had passed; the run was made up for."),
                            ("OVERLAP_SKIPPED", "The run before was still going, and overlaps are skipped."),
                            ("OVERLAP_QUEUED", "The run before was still going; this one waits for it."),
                            ("PAUSE_DATE", "The day is one of the schedule's pause dates."),
                            ("NO_NEW_ITEMS", "The service had nothing new."),
                            ("INTEGRATION_BROKEN", "The connection to the service needs attention."),
                            ("INVALID_INPUT", "The input did not fit the workflow's form."),
                        ],
                        max_length=20,
                    ),
                ),
                ("detail", models.JSONField(blank=True, null=True)),
                ("delivery_id", models.UUIDField(blank=True, null=True)),
                ("execution_id", models.UUIDField(blank=True, null=True)),
                ("decided_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
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
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="decisions",
                        to="workflows.workflow",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="Trigger",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.CharField(max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("MANUAL", "By hand"),
                            ("API", "API"),
                            ("WEBHOOK", "Webhook"),
                            ("SCHEDULE", "Schedule"),
                            ("PROVIDER", "Event in a service"),
                            ("FORM", "Form"),
                        ],
                        max_length=8,
                    ),
                ),
                ("settings", models.JSONField(default=dict)),
                ("is_active", models.BooleanField(default=True)),
                ("token", models.CharField(blank=True, max_length=64, null=True, unique=True)),
                ("next_fire_at", models.DateTimeField(blank=True, null=True)),
                ("last_fire_at", models.DateTimeField(blank=True, null=True)),
                ("state", models.JSONField(blank=True, default=dict)),
                ("capture_until", models.DateTimeField(blank=True, null=True)),
                ("integration_id", models.UUIDField(blank=True, null=True)),
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
                (
                    "workflow",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="published_triggers",
                        to="workflows.workflow",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="execution",
            name="workflow",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="executions",
                to="workflows.workflow",
            ),
        ),
        migrations.CreateModel(
            name="DedupeKey",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("trigger_key", models.CharField(max_length=64)),
                ("key", models.CharField(max_length=200)),
                ("delivery_id", models.UUIDField(blank=True, null=True)),
                ("execution_id", models.UUIDField(blank=True, null=True)),
                ("expires_at", models.DateTimeField()),
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
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="workflows.workflow",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.CreateModel(
            name="WorkflowAssignment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
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
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="workflow_assignments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "workflow",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="assignments",
                        to="workflows.workflow",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="workflow",
            name="assigned_users",
            field=models.ManyToManyField(
                related_name="assigned_workflows",
                through="workflows.WorkflowAssignment",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.CreateModel(
            name="WorkflowVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("definition", models.JSONField()),
                ("triggers", models.JSONField(default=list)),
                ("schedule", models.JSONField(blank=True, null=True)),
                ("note", models.CharField(blank=True, max_length=300)),
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
                (
                    "published_by",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "workflow",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="workflows.workflow",
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddField(
            model_name="workflow",
            name="published_version",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="workflows.workflowversion",
            ),
        ),
        migrations.AddField(
            model_name="execution",
            name="version",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="workflows.workflowversion",
            ),
        ),
        migrations.CreateModel(
            name="ApprovalVote",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("voter_label", models.CharField(max_length=254)),
                ("is_approval", models.BooleanField()),
                ("form", models.JSONField(blank=True, null=True)),
                ("comment", models.TextField(blank=True)),
                (
                    "via",
                    models.CharField(
                        choices=[("INBOX", "Inbox"), ("EMAIL", "E-mail link"), ("API", "API")],
                        default="INBOX",
                        max_length=5,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "approval",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="votes",
                        to="workflows.approval",
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
                    "user",
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
                "ordering": ["id"],
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "approval", "user"), name="vote_once"),
                    accounts.tenancy.constraints.SameOrganization(
                        column="approval_id",
                        name="vote_approval_same_org",
                        on_delete="CASCADE",
                        to="workflows_approval",
                    ),
                    accounts.tenancy.constraints.SameOrganization(
                        column="user_id",
                        name="vote_user_same_org",
                        on_delete="SET NULL (user_id)",
                        to="accounts_user",
                    ),
                    accounts.tenancy.constraints.RowLevelSecurity(
                        column="organization_id", name="vote_rls", public_rows=False
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(
                condition=models.Q(("status", "PENDING")),
                fields=["organization", "-id"],
                name="approval_inbox",
            ),
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(fields=["organization", "-id"], name="approval_history"),
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(
                condition=models.Q(("deadline_at__isnull", False), ("status", "PENDING")),
                fields=["deadline_at"],
                name="approval_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.UniqueConstraint(fields=("execution", "path", "kind"), name="approval_once"),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.UniqueConstraint(
                fields=("organization", "id"), name="approval_in_organization"
            ),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=accounts.tenancy.constraints.RowLevelSecurity(
                column="organization_id", name="approval_rls", public_rows=False
            ),
        ),
        migrations.AddIndex(
            model_name="executionlog",
            index=models.Index(
                condition=models.Q(("level__in", ["ERROR", "CRITICAL"])),
                fields=["organization", "level", "-id"],
                name="log_errors",
            ),
        ),
        migrations.AddConstraint(
            model_name="executionlog",
            constraint=accounts.tenancy.constraints.RowLevelSecurity(
                column="organization_id", name="log_rls", public_rows=False
            ),
        ),
        migrations.AddConstraint(
            model_name="executionstep",
            constraint=models.UniqueConstraint(
                fields=("execution", "path", "attempt"), name="step_attempt_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="executionstep",
            constraint=accounts.tenancy.constraints.RowLevelSecurity(
                column="organization_id", name="step_rls", public_rows=False
            ),
        ),
        migrations.AddConstraint(
            model_name="resumetoken",
            constraint=models.UniqueConstraint(fields=("execution", "path"), name="resume_token_once"),
        ),
        migrations.AddConstraint(
            model_name="resumetoken",
            constraint=accounts.tenancy.constraints.RowLevelSecurity(
                column="organization_id", name="resume_rls", public_rows=False
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["workflow", "-id"], name="delivery_of_workflow"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=accounts.tenancy.constraints.RowLevelSecurity(
                column="organization_id", name="delivery_rls", public_rows=False
            ),
        ),
        migrations.AddIndex(
            model_name="triggerdecision",
            index=models.Index(fields=["workflow", "-id"], name="decision_of_workflow"),
        ),
        migrations.AddIndex(
            model_name="triggerdecision",
            index=models.Index(
                condition=models.Q(("reason", "STARTED"), _negated=True),
                fields=["workflow", "-id"],
                name="decision_not_started",
            ),
        ),
        migrations.AddConstraint(
            model_name="triggerdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="decision_has_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="triggerdecision",
            constraint=accounts.tenancy.constraints.RowLevelSecurity(
                column="organization_id", name="decision_rls", public_rows=False
            ),
        ),
        migrations.AddIndex(
            model_name="trigger",
            index=models.Index(
                condition=models.Q(("is_active", True), ("next_fire_at__isnull", False)),
                fields=["next_fire_at"],
                name="trigger_due",
            ),
        ),
        migrations.AddIndex(
            model_name="trigger",
            index=models.Index(fields=["organization", "integration_id"], name="trigger_of_integration"),
        ),
        migrations.AddConstraint(
            model_name="trigger",
            constraint=models.UniqueConstraint(
                fields=("organization", "workflow", "key"), name="trigger_key_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="trigger",
            constraint=models.UniqueConstraint(fields=("organization", "id"), name="trigger_in_organization"),
        ),
        migrations.AddConstraint(
            model_name="trigger",
            constraint=accounts.tenancy.constraints.RowLevelSecurity(
                column="organization_id", name="trigger_rls", public_rows=False
            ),
        ),
        migrations.AddIndex(
            model_name="dedupekey",
            index=models.Index(fields=["expires_at"], name="dedupe_expiry"),
        ),
        migrations.AddConstraint(
            model_name="dedupekey",
            constraint=models.UniqueConstraint(
                fields=("organization", "workflow", "trigger_key", "key"), name="dedupe_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="dedupekey",
            constraint=accounts.tenancy.constraints.RowLevelSecurity(
                column="organization_id", name="dedupe_rls", public_rows=False
            ),
        ),
        migrations.AddIndex(
            model_name="workflowassignment",
            index=models.Index(fields=["organization", "user"], name="assignment_of_user"),
        ),
        migrations.AddConstraint(
            model_name="workflowassignment",
            constraint=models.UniqueConstraint(
                fields=("organization", "workflow", "user"), name="assignment_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowassignment",
            constraint=accounts.tenancy.constraints.RowLevelSecurity(
                column="organization_id", name="assignment_rls", public_rows=False
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowversion",
            constraint=models.UniqueConstraint(
                fields=("organization", "workflow", "number"), name="version_number_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowversion",
            constraint=models.UniqueConstraint(fields=("organization", "id"), name="version_in_organization"),
        ),
        migrations.AddConstraint(
            model_name="workflowversion",
            constraint=accounts.tenancy.constraints.RowLevelSecurity(
                column="organization_id", name="version_rls", public_rows=False
            ),
        ),
        migrations.AddIndex(
            model_name="workflow",
            index=models.Index(
                condition=models.Q(("status", "ACTIVE")),
                fields=["organization", "status"],
                name="workflow_active_of_org",
            ),
        ),
        migrations.AddIndex(
            model_name="workflow",
            index=models.Index(fields=["organization", "-id"], name="workflow_of_org"),
        ),
        migrations.AddIndex(
            model_name="workflow",
            index=models.Index(fields=["organization", "status", "-id"], name="workflow_by_status"),
        ),
        migrations.AddIndex(
            model_name="workflow",
            index=models.Index(fields=["organization", "category", "-id"], name="workflow_by_category"),
        ),
        migrations.AddIndex(
            model_name="workflow",
            index=django.contrib.postgres.indexes.GinIndex(fields=["search_vector"], name="workflow_search"),
        ),
        migrations.AddConstraint(
            model_name="workflow",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "ARCHIVED"), _negated=True),
                fields=("organization", "name"),
                name="workflow_name_per_org",
                violation_error_message="Another workflow already has this name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="workflow",
            constraint=models.UniqueConstraint(
                fields=("organization", "id"), name="workflow_in_organization"
            ),
        ),
        migrations.AddConstraint(
            model_name="workflow",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["ACTIVE", "PAUSED", "ARCHIVED", "DRAFT"])),
                name="workflow_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="workflow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status", "DRAFT"),
                    ("status", "ARCHIVED"),
                    ("published_version__isnull", False),
                    _connector="OR",
                ),
                name="workflow_runs_a_version",
            ),
        ),
        migrations.AddConstraint(
            model_name="workflow",
            constraint=accounts.tenancy.constraints.RowLevelSecurity(
                column="organization_id", name="workflow_rls", public_rows=False
            ),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(fields=["workflow", "-started_at"], name="execution_of_workflow"),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(fields=["organization", "-started_at"], name="execution_of_org"),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(fields=["organization", "status", "-started_at"], name="execution_by_status"),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                condition=models.Q(("status", "PENDING")),
                fields=["organization", "priority", "id"],
                name="execution_queue",
            ),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                condition=models.Q(("status", "WAITING"), ("wake_at__isnull", False)),
                fields=["wake_at"],
                name="execution_due",
            ),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                condition=models.Q(("status", "RUNNING")), fields=["worker_id"], name="execution_claimed"
            ),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                condition=models.Q(("status__in", ["PENDING", "RUNNING", "WAITING"])),
                fields=["deadline_at"],
                name="execution_deadline",
            ),
        ),
        migrations.AddIndex(
            model_name="execution",
            index=models.Index(
                condition=models.Q(("parent_id__isnull", False)),
                fields=["parent_id"],
                name="execution_children",
            ),
        ),
        migrations.AddConstraint(
            model_name="execution",
            constraint=models.UniqueConstraint(
                fields=("organization", "id"), name="execution_in_organization"
            ),
        ),
        migrations.AddConstraint(
            model_name="execution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "status__in",
                        ["PENDING", "RUNNING", "WAITING", "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT"],
                    )
                ),
                name="execution_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="execution",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("version__isnull", False), ("draft_definition__isnull", False), _connector="OR"
                ),
                name="execution_has_definition",
            ),
        ),
        migrations.AddConstraint(
            model_name="execution",
            constraint=accounts.tenancy.constraints.RowLevelSecurity(
                column="organization_id", name="execution_rls", public_rows=False
            ),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="execution_id",
                name="approval_execution_same_org",
                on_delete="CASCADE",
                to="workflows_execution",
            ),
        ),
        migrations.AddConstraint(
            model_name="executionlog",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="execution_id",
                name="log_execution_same_org",
                on_delete="CASCADE",
                to="workflows_execution",
            ),
        ),
        migrations.AddConstraint(
            model_name="executionstep",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="execution_id",
                name="step_execution_same_org",
                on_delete="CASCADE",
                to="workflows_execution",
            ),
        ),
        migrations.AddConstraint(
            model_name="resumetoken",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="execution_id",
                name="resume_execution_same_org",
                on_delete="CASCADE",
                to="workflows_execution",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="workflow_id",
                name="delivery_workflow_same_org",
                on_delete="CASCADE",
                to="workflows_workflow",
            ),
        ),
        migrations.AddConstraint(
            model_name="triggerdecision",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="workflow_id",
                name="decision_workflow_same_org",
                on_delete="CASCADE",
                to="workflows_workflow",
            ),
        ),
        migrations.AddConstraint(
            model_name="trigger",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="workflow_id",
                name="trigger_workflow_same_org",
                on_delete="CASCADE",
                to="workflows_workflow",
            ),
        ),
        migrations.AddConstraint(
            model_name="trigger",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="integration_id",
                name="trigger_integration_same_org",
                on_delete="SET NULL (integration_id)",
                to="integrations_integration",
            ),
        ),
        migrations.AddConstraint(
            model_name="dedupekey",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="workflow_id",
                name="dedupe_workflow_same_org",
                on_delete="CASCADE",
                to="workflows_workflow",
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowassignment",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="workflow_id",
                name="assignment_workflow_same_org",
                on_delete="CASCADE",
                to="workflows_workflow",
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowassignment",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="user_id", name="assignment_user_same_org", on_delete="CASCADE", to="accounts_user"
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowversion",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="workflow_id",
                name="version_workflow_same_org",
                on_delete="CASCADE",
                to="workflows_workflow",
            ),
        ),
        migrations.AddConstraint(
            model_name="workflowversion",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="published_by_id",
                name="version_published_by_same_org",
                on_delete="SET NULL (published_by_id)",
                to="accounts_user",
            ),
        ),
        migrations.AddConstraint(
            model_name="workflow",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="created_by_id",
                name="workflow_created_by_same_org",
                on_delete="SET NULL (created_by_id)",
                to="accounts_user",
            ),
        ),
        migrations.AddConstraint(
            model_name="execution",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="workflow_id",
                name="execution_workflow_same_org",
                on_delete="CASCADE",
                to="workflows_workflow",
            ),
        ),
        migrations.AddConstraint(
            model_name="execution",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="version_id",
                name="execution_version_same_org",
                on_delete="CASCADE",
                to="workflows_workflowversion",
            ),
        ),
        migrations.AddConstraint(
            model_name="execution",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="triggered_by_user_id",
                name="execution_user_same_org",
                on_delete="SET NULL (triggered_by_user_id)",
                to="accounts_user",
            ),
        ),
        migrations.AddConstraint(
            model_name="workflow",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="published_version_id",
                name="workflow_version_same_org",
                on_delete="SET NULL (published_version_id)",
                to="workflows_workflowversion",
            ),
        ),
        partitions_operation(),
    ]
