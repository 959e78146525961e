"""Staff pages of the gallery: the review of community templates happens here."""

from __future__ import annotations

from django.contrib import admin

from accounts.tenancy.admin import HistoryAdmin, SupportAdmin, link
from config.admin import site
from templates_lib.models import Template, TemplateAdoption, TemplateInstall, TemplateRating


@admin.register(Template, site=site)
class TemplateAdmin(SupportAdmin):
    list_display = [
        "name",
        "category",
        "author",
        "difficulty",
        "is_public",
        "review",
        "popularity",
        "rating",
        "rating_count",
    ]
    list_filter = ["author", "review", "category", "difficulty", "is_public"]
    search_fields = ["name", "slug", "description", "organization__name", "submitted_by__email"]
    exclude = ["search_vector"]
    readonly_fields = [
        "id",
        "organization",
        "popularity",
        "rating",
        "rating_count",
        "submitted_by",
        "created_at",
        "updated_at",
    ]


@admin.register(TemplateRating, site=site)
class TemplateRatingAdmin(HistoryAdmin):
    list_display = ["template_link", "stars", "comment", "organization_link", "created_at"]
    list_filter = ["stars", "created_at"]
    search_fields = ["template__name", "organization__name", "=organization__id"]
    list_select_related = ["organization", "template"]
    template_link, organization_link = link("template"), link("organization")


@admin.register(TemplateInstall, site=site)
class TemplateInstallAdmin(HistoryAdmin):
    list_display = ["template_link", "template_version", "workflow_link", "organization_link", "created_at"]
    list_filter = ["created_at"]
    search_fields = ["template__name", "workflow__name", "organization__name", "=organization__id"]
    list_select_related = ["organization", "template", "workflow"]
    template_link, workflow_link, organization_link = link("template"), link("workflow"), link("organization")


@admin.register(TemplateAdoption, site=site)
class TemplateAdoptionAdmin(HistoryAdmin):
    list_display = ["template_link", "organization_link", "created_at"]
    list_filter = ["created_at"]
    search_fields = ["template__name", "organization__name", "=organization__id"]
    list_select_related = ["organization", "template"]
    template_link, organization_link = link("template"), link("organization")
