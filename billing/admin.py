"""Staff pages of billing: what was used and bought. History is read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.tenancy.admin import HistoryAdmin, SupportAdmin, link
from billing.grants import grant
from billing.models import BillingGrant, BillingNotice, StripeEvent, Subscription, UsageEntry, UsageRecord
from billing.stripe_events import replay
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
    actions = ["work_on_again"]

    @admin.action(description="Work on them again")
    def work_on_again(self, request: HttpRequest, events: QuerySet[StripeEvent]) -> None:
        """Queue the chosen events: each reads Stripe anew, so doing it twice changes nothing."""
        for key in events.values_list("pk", flat=True):
            replay(key)
        self.message_user(request, f"{len(events)} events are queued.", messages.SUCCESS)


@admin.register(BillingGrant, site=site)
class BillingGrantAdmin(SupportAdmin):
    """Give a plan or a longer trial: written once, with the reason, and into the organization's audit trail."""

    list_display = ["granted_at", "organization_link", "kind", "plan", "until", "granted_by", "reason"]
    list_filter = ["kind", "plan"]
    search_fields = ["organization__name", "=organization__id", "reason"]
    list_select_related: Any = ["organization"]
    fields = ["organization", "kind", "plan", "until", "reason"]
    organization_link = link("organization")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: BillingGrant, form: Any, change: bool) -> None:
        obj.granted_by = request.user.email  # type: ignore[union-attr]
        super().save_model(request, obj, form, change)
        grant(obj, request.user)


@admin.register(BillingNotice, site=site)
class BillingNoticeAdmin(HistoryAdmin):
    list_display = ["sent_at", "organization_link", "kind", "subject", "period_start"]
    list_filter = ["kind", "sent_at"]
    search_fields = ["organization__name", "=organization__id", "subject"]
    organization_link = link("organization")
