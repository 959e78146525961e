"""An organization's authorised account at a provider, and what providers send to us about it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import (
    OrganizationManager,
    OrganizationOwned,
    OrganizationQuerySet,
    RowLevelSecurity,
    SameOrganization,
)


class IntegrationProvider(models.TextChoices):
    """The 33 providers of the schema, and after them the additions that real workflows use most."""

    OPENAI = "OPENAI", "OpenAI"
    ANTHROPIC = "ANTHROPIC", "Anthropic"
    GOOGLE_GEMINI = "GOOGLE_GEMINI", "Google Gemini"
    COHERE = "COHERE", "Cohere"
    SLACK = "SLACK", "Slack"
    MICROSOFT_TEAMS = "MICROSOFT_TEAMS", "Microsoft Teams"
    DISCORD = "DISCORD", "Discord"
    GMAIL = "GMAIL", "Gmail"
    OUTLOOK = "OUTLOOK", "Outlook"
    SENDGRID = "SENDGRID", "SendGrid"
    RESEND = "RESEND", "Resend"
    HUBSPOT = "HUBSPOT", "HubSpot"
    SALESFORCE = "SALESFORCE", "Salesforce"
    PIPEDRIVE = "PIPEDRIVE", "Pipedrive"
    TRELLO = "TRELLO", "Trello"
    ASANA = "ASANA", "Asana"
    MONDAY = "MONDAY", "monday.com"
    NOTION = "NOTION", "Notion"
    LINEAR = "LINEAR", "Linear"
    SHOPIFY = "SHOPIFY", "Shopify"
    WOO_COMMERCE = "WOO_COMMERCE", "WooCommerce"
    SQUARE = "SQUARE", "Square"
    MAILCHIMP = "MAILCHIMP", "Mailchimp"
    CONVERTKIT = "CONVERTKIT", "Kit (ConvertKit)"
    ACTIVECAMPAIGN = "ACTIVECAMPAIGN", "ActiveCampaign"
    STRIPE = "STRIPE", "Stripe"
    PAYPAL = "PAYPAL", "PayPal"
    CALENDLY = "CALENDLY", "Calendly"
    ACUITY = "ACUITY", "Acuity Scheduling"
    ZAPIER = "ZAPIER", "Zapier"
    MAKE = "MAKE", "Make"
    GOOGLE_SHEETS = "GOOGLE_SHEETS", "Google Sheets"
    AIRTABLE = "AIRTABLE", "Airtable"
    # Additions.
    TELEGRAM = "TELEGRAM", "Telegram"
    GOOGLE_DRIVE = "GOOGLE_DRIVE", "Google Drive"
    GOOGLE_CALENDAR = "GOOGLE_CALENDAR", "Google Calendar"
    POSTGRESQL = "POSTGRESQL", "PostgreSQL"
    EMAIL = "EMAIL", "E-mail (SMTP and IMAP)"
    HTTP = "HTTP", "Any web service"


class IntegrationQuerySet(OrganizationQuerySet):
    """Integrations of the organization in scope."""

    def active(self) -> IntegrationQuerySet:
        return self.filter(status=Integration.Status.ACTIVE)


class Integration(OrganizationOwned):
    """A connected account. `credentials` is ciphertext bound to this row; nothing but the worker ever reads it.

    settings: the account variables that addresses need (shop domain, data centre). webhook_state: ciphertext as well,
    {"secret": ...} of deliveries that are addressed to the account as a whole.
    """

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("Working")
        EXPIRED = "EXPIRED", _("Needs reconnecting")
        ERROR = "ERROR", _("Connection error")
        DISABLED = "DISABLED", _("Switched off")

    provider = models.CharField(_("service"), max_length=32, choices=IntegrationProvider)
    name = models.CharField(_("name"), max_length=80)
    credentials = models.TextField(blank=True, editable=False)
    settings = models.JSONField(default=dict, blank=True)
    # What the service itself calls the account: "Alder Bakery", "ada@example.com".
    account_label = models.CharField(max_length=200, blank=True, db_default="")
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.ACTIVE)
    status_reason = models.CharField(max_length=300, blank=True)
    status_changed_at = models.DateTimeField(null=True, blank=True)
    owner_notified_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    webhook_url = models.URLField(max_length=500, null=True, blank=True)
    webhook_token = models.CharField(max_length=64, unique=True, null=True, blank=True)
    webhook_state = models.TextField(blank=True, editable=False, db_default="")
    expires_at = models.DateTimeField(null=True, blank=True)
    # Who is renewing the token at the moment, so that of many workers one asks; see integrations.health.
    refresh_lease = models.CharField(max_length=32, blank=True, editable=False, db_default="")
    refresh_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        "accounts.User",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_constraint=False,
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = OrganizationManager.from_queryset(IntegrationQuerySet)()

    class Meta(OrganizationOwned.Meta):
        ordering = ["provider", "name"]
        indexes = [
            models.Index(fields=["organization", "provider", "status"], name="integration_by_provider"),
            models.Index(
                fields=["status", "expires_at"],
                condition=Q(expires_at__isnull=False),
                name="integration_expiry",
            ),
            # Deliveries to our whole application name the account they are about.
            GinIndex(fields=["settings"], opclasses=["jsonb_path_ops"], name="integration_account"),
        ]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["organization", "provider", "name"],
                name="integration_name_once",
                violation_error_message=_("Another connection to this service already has this name."),
            ),
            models.UniqueConstraint(fields=["organization", "id"], name="integration_in_organization"),
            models.CheckConstraint(
                condition=Q(status__in=["ACTIVE", "EXPIRED", "ERROR", "DISABLED"]),
                name="integration_status_known",
            ),
            SameOrganization(
                name="integration_created_by_same_org",
                column="created_by_id",
                to="accounts_user",
                on_delete="SET NULL (created_by_id)",
            ),
            RowLevelSecurity(name="integration_rls"),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()}: {self.name}"

    @property
    def is_usable(self) -> bool:
        return self.status == self.Status.ACTIVE


class InboundDelivery(OrganizationOwned):
    """One raw request of a provider about an integration, on disk before it is answered.

    positions: which of its events are new; the others had been received before.
    """

    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, related_name="deliveries", db_constraint=False, db_index=False
    )
    method = models.CharField(max_length=8)
    url = models.CharField(max_length=2000)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")
    positions = models.JSONField(default=list)
    received_at = models.DateTimeField(db_default=Now())
    handed_over_at = models.DateTimeField(null=True, blank=True)

    class Meta(OrganizationOwned.Meta):
        ordering = ["-id"]
        verbose_name_plural = "inbound deliveries"
        indexes = [
            models.Index(fields=["integration", "-id"], name="inbound_of_integration"),
            models.Index(fields=["received_at"], name="inbound_age"),
        ]
        constraints: ClassVar[list[Any]] = [
            SameOrganization(
                name="inbound_integration_same_org",
                column="integration_id",
                to="integrations_integration",
                on_delete="CASCADE",
            ),
            RowLevelSecurity(name="inbound_rls"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {str(self.pk)[-8:]}"


class InboundKey(OrganizationOwned):
    """A provider's delivery id that was seen: the same event sent again starts nothing."""

    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    key = models.CharField(max_length=200)
    seen_at = models.DateTimeField(db_default=Now())

    class Meta(OrganizationOwned.Meta):
        indexes = [models.Index(fields=["seen_at"], name="inbound_key_age")]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organization", "integration", "key"], name="inbound_key_once"),
            SameOrganization(
                name="inbound_key_integration_same_org",
                column="integration_id",
                to="integrations_integration",
                on_delete="CASCADE",
            ),
            RowLevelSecurity(name="inbound_key_rls"),
        ]

    def __str__(self) -> str:
        return self.key


class EncryptionCanary(models.Model):
    """A known text encrypted with each key in use: a key of the same id that cannot open it is the wrong one."""

    key_id = models.CharField(max_length=32, primary_key=True)
    value = models.TextField()
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "encryption canaries"

    def __str__(self) -> str:
        return self.key_id
