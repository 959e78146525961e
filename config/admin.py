"""The staff admin site, which every app registers its models with."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from accounts.staff import StaffAdminSite
from accounts.tenancy.admin import HistoryAdmin
from config.models import CronRun

site = StaffAdminSite(name="admin")


@admin.register(CronRun, site=site)
class CronRunAdmin(HistoryAdmin):
    """What the maintenance jobs did."""

    list_display = ["job", "started_at", "seconds", "is_success", "detail"]
    list_filter = ["job", "is_success", "started_at"]
    search_fields = ["job", "detail"]
    list_select_related: Any = []
