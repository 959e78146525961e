"""The staff admin site, which every app registers its models with."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path

from accounts.staff import StaffAdminSite
from accounts.tenancy.admin import HistoryAdmin
from config.models import CronRun
from config.operations.health import examine


class Site(StaffAdminSite):
    """The staff admin with a page on the installation's own health."""

    def get_urls(self) -> list[Any]:
        return [path("health/", self.admin_view(self.health), name="health"), *super().get_urls()]

    def health(self, request: HttpRequest) -> HttpResponse:
        """Show what `manage.py health` says."""
        context = {**self.each_context(request), "title": "Health", "findings": examine()}
        return TemplateResponse(request, "admin/health.html", context)


site = Site(name="admin")


@admin.register(CronRun, site=site)
class CronRunAdmin(HistoryAdmin):
    """What the maintenance jobs did."""

    list_display = ["job", "started_at", "seconds", "is_success", "detail"]
    list_filter = ["job", "is_success", "started_at"]
    search_fields = ["job", "detail"]
    list_select_related: Any = []
