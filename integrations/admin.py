"""Staff pages of integrations. Credentials are shown nowhere."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.tenancy.admin import SupportAdmin, link
from config.admin import site
from integrations.models import Integration


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
