"""Staff pages of integrations. Credentials are shown nowhere."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.tenancy.admin import HistoryAdmin, SupportAdmin, link
from config.admin import site
from integrations.models import EncryptionCanary, InboundDelivery, InboundKey, Integration


@admin.register(Integration, site=site)
class IntegrationAdmin(SupportAdmin):
    list_display = [
        "provider",
        "name",
        "organization_link",
        "status",
        "status_reason",
        "last_used_at",
        "expires_at",
    ]
    list_filter = ["provider", "status"]
    search_fields = ["name", "provider", "=id", "organization__name", "=organization__id"]
    fields = [
        "organization",
        "provider",
        "name",
        "account_label",
        "status",
        "status_reason",
        "last_used_at",
        "checked_at",
        "expires_at",
        "created_by",
        "created_at",
        "updated_at",
    ]
    readonly_fields = [name for name in fields if name not in {"status", "status_reason"}]
    organization_link = link("organization")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(InboundDelivery, site=site)
class InboundDeliveryAdmin(HistoryAdmin):
    list_display = ["id", "organization_link", "integration", "method", "received_at", "handed_over_at"]
    list_select_related = ["organization", "integration"]
    search_fields = ["=id", "=integration__id", "=organization__id", "organization__name"]
    # What customers receive is theirs: staff see that something came, not what it says.
    fields = ["organization", "integration", "method", "positions", "received_at", "handed_over_at"]
    organization_link = link("organization")


@admin.register(InboundKey, site=site)
class InboundKeyAdmin(HistoryAdmin):
    list_display = ["key", "organization_link", "integration", "seen_at"]
    list_select_related = ["organization", "integration"]
    search_fields = ["key", "=integration__id", "=organization__id", "organization__name"]
    fields = ["organization", "integration", "key", "seen_at"]
    organization_link = link("organization")


@admin.register(EncryptionCanary, site=site)
class EncryptionCanaryAdmin(HistoryAdmin):
    list_select_related = False
    list_display = ["key_id", "made_at"]
    search_fields = ["key_id"]
    fields = ["key_id", "made_at"]
