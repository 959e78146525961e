"""Who has ever installed a template, and what each install began with."""

import django.db.models.deletion
from django.db import migrations, models

import accounts.tenancy.constraints
import accounts.tenancy.ids


class Migration(migrations.Migration):
    initial = True  # it belongs to the first schema: the tables it changes have no rows yet

    dependencies = [
        ("accounts", "0002_guards"),
        ("templates_lib", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="templateinstall",
            name="base_definition",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="TemplateAdoption",
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
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="adoptions",
                        to="templates_lib.template",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "template"), name="adoption_once_per_org"
                    ),
                    accounts.tenancy.constraints.RowLevelSecurity(
                        column="organization_id", name="adoption_rls", public_rows=False
                    ),
                ],
            },
        ),
    ]
