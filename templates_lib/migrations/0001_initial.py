"""Templates, ratings and installs."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.tenancy.constraints
import accounts.tenancy.ids
import templates_lib.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        ("workflows", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Template",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(max_length=80, unique=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("description", models.TextField(verbose_name="description")),
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
                        max_length=16,
                        verbose_name="category",
                    ),
                ),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), blank=True, default=list, size=None
                    ),
                ),
                (
                    "difficulty",
                    models.CharField(
                        choices=[
                            ("BEGINNER", "Beginner"),
                            ("INTERMEDIATE", "Intermediate"),
                            ("ADVANCED", "Advanced"),
                        ],
                        default="BEGINNER",
                        max_length=12,
                    ),
                ),
                ("estimated_time_savings", models.CharField(max_length=60)),
                ("time_savings_reasoning", models.TextField(blank=True)),
                ("definition", models.JSONField()),
                ("triggers", models.JSONField(blank=True, default=list)),
                ("schedule", models.JSONField(blank=True, null=True)),
                (
                    "required_integrations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), blank=True, default=list, size=None
                    ),
                ),
                (
                    "optional_integrations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), blank=True, default=list, size=None
                    ),
                ),
                ("configuration_schema", models.JSONField(blank=True, null=True)),
                ("sample_data", models.JSONField(blank=True, null=True)),
                ("tests", models.JSONField(blank=True, default=list)),
                (
                    "author",
                    models.CharField(
                        choices=[("OFFICIAL", "Steward"), ("COMMUNITY", "Community")],
                        default="OFFICIAL",
                        max_length=9,
                    ),
                ),
                ("is_public", models.BooleanField(default=True)),
                ("popularity", models.PositiveIntegerField(default=0)),
                ("rating", models.FloatField(default=0)),
                ("rating_count", models.PositiveIntegerField(default=0)),
                (
                    "review",
                    models.CharField(
                        choices=[
                            ("NONE", "Not submitted"),
                            ("PENDING", "Waiting for review"),
                            ("APPROVED", "Approved"),
                            ("REJECTED", "Rejected"),
                        ],
                        default="NONE",
                        max_length=8,
                    ),
                ),
                ("review_note", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "search_vector",
                    models.GeneratedField(
                        db_persist=True,
                        expression=templates_lib.models.SearchDocument(),
                        output_field=django.contrib.postgres.search.SearchVectorField(),
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-popularity", "-id"],
            },
        ),
        migrations.CreateModel(
            name="TemplateInstall",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("template_version", models.PositiveIntegerField()),
                ("configuration", models.JSONField(blank=True, default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "installed_by",
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
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="installs",
                        to="templates_lib.template",
                    ),
                ),
                (
                    "workflow",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="template_install",
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
            name="TemplateRating",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "stars",
                    models.PositiveSmallIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5),
                        ]
                    ),
                ),
                ("comment", models.CharField(blank=True, max_length=500)),
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
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="ratings",
                        to="templates_lib.template",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        migrations.AddIndex(
            model_name="template",
            index=models.Index(
                models.F("category"),
                models.OrderBy(models.F("rating"), descending=True),
                models.OrderBy(models.F("popularity"), descending=True),
                condition=models.Q(("is_public", True)),
                name="template_by_category",
            ),
        ),
        migrations.AddIndex(
            model_name="template",
            index=models.Index(
                models.OrderBy(models.F("popularity"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("is_public", True)),
                name="template_by_popularity",
            ),
        ),
        migrations.AddIndex(
            model_name="template",
            index=models.Index(
                models.OrderBy(models.F("rating"), descending=True),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("is_public", True)),
                name="template_by_rating",
            ),
        ),
        migrations.AddIndex(
            model_name="template",
            index=models.Index(fields=["author"], name="template_by_author"),
        ),
        migrations.AddIndex(
            model_name="template",
            index=models.Index(
                condition=models.Q(("organization__isnull", False)),
                fields=["organization"],
                name="template_of_org",
            ),
        ),
        migrations.AddIndex(
            model_name="template",
            index=django.contrib.postgres.indexes.GinIndex(fields=["tags"], name="template_tags"),
        ),
        migrations.AddIndex(
            model_name="template",
            index=django.contrib.postgres.indexes.GinIndex(fields=["search_vector"], name="template_search"),
        ),
        migrations.AddConstraint(
            model_name="template",
            constraint=models.CheckConstraint(
                condition=models.Q(("rating__gte", 0), ("rating__lte", 5)), name="template_rating_range"
            ),
        ),
        migrations.AddConstraint(
            model_name="template",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_public", False), ("organization__isnull", True), _connector="OR"),
                name="template_public_belongs_to_nobody",
            ),
        ),
        migrations.AddConstraint(
            model_name="template",
            constraint=accounts.tenancy.constraints.RowLevelSecurity(
                column="organization_id", name="template_rls", public_rows=True
            ),
        ),
        migrations.AddIndex(
            model_name="templateinstall",
            index=models.Index(fields=["organization", "template"], name="install_of_org"),
        ),
        migrations.AddConstraint(
            model_name="templateinstall",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="workflow_id",
                name="install_workflow_same_org",
                on_delete="CASCADE",
                to="workflows_workflow",
            ),
        ),
        migrations.AddConstraint(
            model_name="templateinstall",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="installed_by_id",
                name="install_user_same_org",
                on_delete="SET NULL (installed_by_id)",
                to="accounts_user",
            ),
        ),
        migrations.AddConstraint(
            model_name="templateinstall",
            constraint=accounts.tenancy.constraints.RowLevelSecurity(
                column="organization_id", name="install_rls", public_rows=False
            ),
        ),
        migrations.AddConstraint(
            model_name="templaterating",
            constraint=models.UniqueConstraint(
                fields=("organization", "template", "user"), name="rating_once_per_user"
            ),
        ),
        migrations.AddConstraint(
            model_name="templaterating",
            constraint=models.CheckConstraint(
                condition=models.Q(("stars__gte", 1), ("stars__lte", 5)), name="rating_stars_range"
            ),
        ),
        migrations.AddConstraint(
            model_name="templaterating",
            constraint=accounts.tenancy.constraints.SameOrganization(
                column="user_id", name="rating_user_same_org", on_delete="CASCADE", to="accounts_user"
            ),
        ),
        migrations.AddConstraint(
            model_name="templaterating",
            constraint=accounts.tenancy.constraints.RowLevelSecurity(
                column="organization_id", name="rating_rls", public_rows=False
            ),
        ),
    ]
