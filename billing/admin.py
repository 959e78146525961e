"""Staff pages of billing: what was used and bought. History is read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from accounts.tenancy.admin import HistoryAdmin, link
from billing.models import StripeEvent, Subscription, UsageEntry, UsageRecord
from config.admin import site


@admin.register(UsageRecord, site=site)
class UsageRecordAdmin(HistoryAdmin):
    list_display = ["organization_link", "metric", "quantity", "cost", "period_start", "period_end"]
    list_filter = ["metric", "period_start"]
    search_fields = ["organization__name", "=organization__id"]
    organization_link = link("organization")


@admin.register(UsageEntry, site=site)
class UsageEntryAdmin(HistoryAdmin):
    list_display = ["at", "organization_link", "metric", "quantity", "cost_usd", "execution_id"]
    list_filter = ["metric", "at"]
    search_fields = ["organization__name", "=organization__id", "=execution_id"]
    organization_link = link("organization")


@admin.register(Subscription, site=site)
class SubscriptionAdmin(HistoryAdmin):
    list_display = ["organization_link", "plan", "status", "current_period_end", "cancel_at_period_end"]
    list_filter = ["plan", "status"]
    search_fields = [
        "organization__name",
        "=organization__id",
        "stripe_subscription_id",
        "organization__users__email",
    ]
    organization_link = link("organization")


@admin.register(StripeEvent, site=site)
class StripeEventAdmin(HistoryAdmin):
    list_display = ["stripe_id", "type", "organization_link", "received_at", "processed_at", "attempts"]
    list_filter = ["type", "received_at"]
    search_fields = ["stripe_id", "type", "organization__name"]
    list_select_related: Any = ["organization"]
    organization_link = link("organization")
