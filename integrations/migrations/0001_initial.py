"""Integrations."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.tenancy.constraints
import accounts.tenancy.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Integration",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.tenancy.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "provider",
                    models.CharField(
                        choices=[
                            ("OPENAI", "OpenAI"),
                            ("ANTHROPIC", "Anthropic"),
                            ("GOOGLE_GEMINI", "Google Gemini"),
                            ("COHERE", "Cohere"),
                            ("SLACK", "Slack"),
                            ("MICROSOFT_TEAMS", "Microsoft Teams"),
                            ("DISCORD", "Discord"),
                            ("GMAIL", "Gmail"),
                            ("OUTLOOK", "Outlook"),
                            ("SENDGRID", "SendGrid"),
                            ("RESEND", "Resend"),
                            ("HUBSPOT", "HubSpot"),
                            ("SALESFORCE", "Salesforce"),
                            ("PIPEDRIVE", "Pipedrive"),
                            ("TRELLO", "Trello"),
                            ("ASANA", "Asana"),
                            ("MONDAY", "monday.com"),
                            ("NOTION", "Notion"),
                            ("LINEAR", "Linear"),
                            ("SHOPIFY", "Shopify"),
                            ("WOO_COMMERCE", "WooCommerce"),
                            ("SQUARE", "Square"),
                            ("MAILCHIMP", "Mailchimp"),
                            ("CONVERTKIT", "Kit (ConvertKit)"),
                            ("ACTIVECAMPAIGN", "ActiveCampaign"),
                            ("STRIPE", "Stripe"),
                            ("PAYPAL", "PayPal"),
                            ("CALENDLY", "Calendly"),
                            ("ACUITY", "Acuity Scheduling"),
                            ("ZAPIER", "Zapier"),
                            ("MAKE", "Make"),
                            ("GOOGLE_SHEETS", "Google Sheets"),
                            ("AIRTABLE", "Airtable"),
                            ("TELEGRAM", "Telegram"),
                            ("GOOGLE_DRIVE", "Google Drive"),
                            ("GOOGLE_CALENDAR", "Google Calendar"),
                            ("POSTGRESQL", "PostgreSQL"),
                            ("EMAIL", "E-mail (SMTP and IMAP)"),
                            ("HTTP", "Any web service"),
                        ],
                        max_length=32,
                        verbose_name="service",
                    ),
                ),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("credentials", models.TextField(blank=True, editable=False)),
                ("settings", models.JSONField(blank=True, default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("ACTIVE", "Working"),
                            ("EXPIRED", "Needs reconnecting"),
                            ("ERROR", "Connection error"),
                            ("DISABLED", "Switched off"),
                        ],
                        default="ACTIVE",
                        max_length=8,
                        verbose_name="status",
                    ),
                ),
                ("status_reason", models.CharField(blank=True, max_length=300)),
                ("status_changed_at", models.DateTimeField(blank=True, null=True)),
                ("owner_notified_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("checked_at", models.DateTimeField(blank=True, null=True)),
                ("webhook_url", models.URLField(blank=True, max_length=500, null=True)),
                ("webhook_token", models.CharField(blank=True, max_length=64, null=True, unique=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
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
            ],
            options={
                "ordering": ["provider", "name"],
                "abstract": False,
                "base_manager_name": "objects",
                "indexes": [
                    models.Index(
                        fields=["organization", "provider", "status"], name="integration_by_provider"
                    ),
                    models.Index(
                        condition=models.Q(("expires_at__isnull", False)),
                        fields=["status", "expires_at"],
                        name="integration_expiry",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "provider", "name"),
                        name="integration_name_once",
                        violation_error_message="Another connection to this service already has this name.",
                    ),
                    models.UniqueConstraint(
                        fields=("organization", "id"), name="integration_in_organization"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["ACTIVE", "EXPIRED", "ERROR", "DISABLED"])),
                        name="integration_status_known",
                    ),
                    accounts.tenancy.constraints.SameOrganization(
                        column="created_by_id",
                        name="integration_created_by_same_org",
                        on_delete="SET NULL (created_by_id)",
                        to="accounts_user",
                    ),
                    accounts.tenancy.constraints.RowLevelSecurity(
                        column="organization_id", name="integration_rls", public_rows=False
                    ),
                ],
            },
        ),
    ]
