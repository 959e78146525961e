"""Staff pages of identity and tenancy."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm

from accounts.audit import record
from accounts.models import ApiKey, AuditEvent, IdempotentAnswer, Invitation, Organization, User
from accounts.tenancy.admin import HistoryAdmin, SupportAdmin, link, related_list
from config.admin import site


@admin.register(Organization, site=site)
class OrganizationAdmin(SupportAdmin):
    list_display = ["name", "plan", "trial_ends_at", "created_at", "people", "workflows", "runs"]
    list_filter = ["plan", "created_at", "trial_ends_at"]
    search_fields = ["name", "=id", "stripe_customer_id", "users__email"]
    list_select_related: Any = []
    readonly_fields = [
        "id",
        "stripe_customer_id",
        "created_at",
        "updated_at",
        "people",
        "workflows",
        "runs",
        "integrations",
        "usage",
        "audit",
    ]
    people = related_list("People", "accounts.user", "organization_id")
    workflows = related_list("Workflows", "workflows.workflow", "organization_id")
    runs = related_list("Runs", "workflows.execution", "organization_id")
    integrations = related_list("Integrations", "integrations.integration", "organization_id")
    usage = related_list("Usage", "billing.usagerecord", "organization_id")
    audit = related_list("Audit trail", "accounts.auditevent", "organization_id")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the owner erases an organization, after an export was offered

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:
        before = {name: form.initial.get(name) for name in form.changed_data}
        super().save_model(request, obj, form, change)
        if change and form.changed_data:
            after = {name: form.cleaned_data[name] for name in form.changed_data}
            record(
                "organization.changed_by_staff",
                actor=request.user,
                target=obj,
                before=before,
                after=after,
                organization_id=obj.pk,
            )


@admin.register(User, site=site)
class UserAdmin(DjangoUserAdmin, SupportAdmin):  # type: ignore[misc]
    change_password_form = AdminPasswordChangeForm
    list_display = ["email", "name", "organization_link", "role", "is_active", "is_staff", "last_login_at"]
    list_filter = ["role", "is_active", "is_staff", "created_at"]
    search_fields = ["email", "name", "organization__name", "=id"]
    ordering = ["-id"]
    filter_horizontal = ["groups", "user_permissions"]
    readonly_fields = ["id", "organization", "last_login_at", "created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["id", "email", "name", "password", "organization", "role", "is_active"]}),
        ("Preferences", {"fields": ["timezone", "language", "preferences"]}),
        ("Staff", {"fields": ["is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Times", {"fields": ["last_login_at", "created_at", "updated_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "password1", "password2", "is_staff"]})]
    organization_link = link("organization")


@admin.register(Invitation, site=site)
class InvitationAdmin(HistoryAdmin):
    list_display = ["email", "organization_link", "role", "expires_at", "accepted_at", "revoked_at"]
    list_filter = ["role", "expires_at"]
    search_fields = ["email", "organization__name", "=organization__id"]
    exclude = ["token_hash"]
    organization_link = link("organization")


@admin.register(ApiKey, site=site)
class ApiKeyAdmin(HistoryAdmin):
    list_display = ["name", "prefix", "organization_link", "last_used_at", "expires_at", "revoked_at"]
    list_filter = ["created_at", "revoked_at"]
    search_fields = ["name", "prefix", "organization__name", "=organization__id"]
    exclude = ["secret_hash"]
    organization_link = link("organization")


@admin.register(IdempotentAnswer, site=site)
class IdempotentAnswerAdmin(HistoryAdmin):
    list_display = ["id", "organization_link", "key", "expires_at"]
    list_filter = ["expires_at"]
    search_fields = ["key", "organization__name", "=organization__id"]
    exclude = ["answer"]
    organization_link = link("organization")


@admin.register(AuditEvent, site=site)
class AuditEventAdmin(HistoryAdmin):
    list_display = ["at", "organization_link", "actor_label", "action", "target_label", "ip_address"]
    list_filter = ["action", "at"]
    search_fields = [
        "actor_label",
        "target_label",
        "action",
        "organization__name",
        "=organization__id",
        "=target_id",
    ]
    organization_link = link("organization")


@admin.register(Group, site=site)
class GroupAdmin(ModelAdmin):
    list_display = ["name"]
    search_fields = ["name"]
    filter_horizontal = ["permissions"]
