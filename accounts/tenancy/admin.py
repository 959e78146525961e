"""The staff admin: every view runs in a system scope, opened after the permission check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.sites import UnfoldAdminSite

from accounts.tenancy.scope import system_scope


class SystemAdminSite(UnfoldAdminSite):
    """Django admin over all organizations, for staff who passed the permission check."""

    site_header = "Steward staff"
    site_title = "Steward staff"
    index_title = "Everything, for support"

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        guarded = super().admin_view(view, cacheable)

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not self.has_permission(request):
                return guarded(request, *args, **kwargs)
            with system_scope(f"admin {request.method} {request.path}"):
                response = guarded(request, *args, **kwargs)
                if hasattr(response, "render"):
                    response.render()
                return response

        return inner


class SupportAdmin(ModelAdmin):
    """An admin page for support staff: found by organization and e-mail, linked to its neighbours, kept from N+1."""

    list_per_page = 50
    show_full_result_count = False  # counting millions of rows to show a number helps nobody
    list_select_related: Any = ["organization"]

    def __init__(self, model: Any, admin_site: Any) -> None:
        # A drop-down of every organization's rows is neither useful nor fast.
        self.raw_id_fields = [field.name for field in model._meta.fields if field.is_relation]
        super().__init__(model, admin_site)


class HistoryAdmin(SupportAdmin):
    """Rows that tell what happened: to be read, never written."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def link(field: str, label: str = "") -> Callable[[Any, Any], str]:
    """Return a column that links to the row a foreign key points at."""

    @display(description=label or field.replace("_", " "), ordering=field)
    def column(self: Any, row: Any) -> str:
        target = getattr(row, field)
        if target is None:
            return "–"
        url = reverse(f"admin:{target._meta.app_label}_{target._meta.model_name}_change", args=[target.pk])
        return format_html('<a href="{}">{}</a>', url, target)

    return column


def related_list(label: str, model: str, lookup: str, value: str = "pk") -> Callable[[Any, Any], str]:
    """Return a field that opens another list, filtered by this row.

    model: `app_label.model`. lookup: the other model's field. value: what of this row it equals.
    """

    @display(description=label)
    def column(self: Any, row: Any) -> str:
        app_label, model_name = model.split(".")
        url = reverse(f"admin:{app_label}_{model_name}_changelist")
        return format_html('<a href="{}?{}={}">{}</a>', url, lookup, getattr(row, value), label)

    return column
