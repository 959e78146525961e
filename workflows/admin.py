"""Staff pages of workflows and their runs. History is read-only; no payload is edited here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from accounts.audit import record
from accounts.tenancy.admin import HistoryAdmin, SupportAdmin, link, related_list
from config.admin import site
from workflows.models import (
    AiAllowance,
    AiExchange,
    AiPolicy,
    AiReservation,
    Approval,
    ApprovalVote,
    BulkAction,
    DedupeKey,
    DraftChange,
    Execution,
    ExecutionLog,
    ExecutionStep,
    ResumeToken,
    SavedTest,
    Trigger,
    TriggerDecision,
    WebhookDelivery,
    Worker,
    Workflow,
    WorkflowAssignment,
    WorkflowVersion,
)

BY_ORGANIZATION = ["organization__name", "=organization__id"]


@admin.register(Workflow, site=site)
class WorkflowAdmin(SupportAdmin):
    list_display = [
        "name",
        "organization_link",
        "status",
        "category",
        "published_version",
        "updated_at",
        "runs",
    ]
    list_filter = ["status", "category", "is_template", "created_at"]
    search_fields = ["name", "=id", "created_by__email", *BY_ORGANIZATION]
    list_select_related = ["organization", "published_version"]
    exclude = ["search_vector", "assigned_users"]
    readonly_fields = [
        "id",
        "organization",
        "definition",
        "triggers",
        "schedule",
        "revision",
        "published_version",
        "created_by",
        "created_at",
        "updated_at",
        "runs",
        "versions",
        "why",
        "active_triggers",
    ]
    actions = ["pause"]
    organization_link = link("organization")
    runs = related_list("Runs", "workflows.execution", "workflow_id")
    versions = related_list("Versions", "workflows.workflowversion", "workflow_id")
    why = related_list("Trigger decisions", "workflows.triggerdecision", "workflow_id")
    active_triggers = related_list("Triggers", "workflows.trigger", "workflow_id")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Pause (running runs finish)")
    def pause(self, request: HttpRequest, queryset: Any) -> None:
        """Stop the triggers of active workflows, with a line in the customer's audit trail."""
        paused = 0
        for workflow in queryset.filter(status=Workflow.Status.ACTIVE):
            workflow.status = Workflow.Status.PAUSED
            workflow.save(update_fields=["status", "updated_at"])
            record(
                "workflow.paused_by_staff",
                actor=request.user,
                target=workflow,
                organization_id=workflow.organization_id,
            )
            paused += 1
        self.message_user(request, f"{paused} workflows paused.", messages.SUCCESS)


@admin.register(DraftChange, site=site)
class DraftChangeAdmin(HistoryAdmin):
    list_display = ["sentence", "workflow", "user", "is_undone", "created_at"]
    list_filter = ["is_undone", "created_at"]
    search_fields = ["sentence", "=workflow__id", "user__email", *BY_ORGANIZATION]
    list_select_related = ["workflow", "user"]
    exclude = ["before", "after"]


@admin.register(WorkflowVersion, site=site)
class WorkflowVersionAdmin(HistoryAdmin):
    list_display = ["workflow_link", "number", "organization_link", "published_by", "note", "created_at"]
    list_filter = ["created_at"]
    search_fields = ["workflow__name", "=workflow__id", *BY_ORGANIZATION]
    list_select_related = ["organization", "workflow", "published_by"]
    workflow_link, organization_link = link("workflow"), link("organization")


@admin.register(WorkflowAssignment, site=site)
class WorkflowAssignmentAdmin(HistoryAdmin):
    list_display = ["workflow_link", "user_link", "organization_link", "created_at"]
    search_fields = ["workflow__name", "user__email", *BY_ORGANIZATION]
    list_select_related = ["organization", "workflow", "user"]
    workflow_link, user_link, organization_link = link("workflow"), link("user"), link("organization")


@admin.register(Trigger, site=site)
class TriggerAdmin(HistoryAdmin):
    list_display = [
        "workflow_link",
        "kind",
        "key",
        "is_active",
        "next_fire_at",
        "last_fire_at",
        "organization_link",
    ]
    list_filter = ["kind", "is_active"]
    search_fields = ["workflow__name", "=workflow__id", *BY_ORGANIZATION]
    list_select_related = ["organization", "workflow"]
    exclude = ["token", "settings"]  # a webhook's address and secrets let whoever has them start runs
    workflow_link, organization_link = link("workflow"), link("organization")


@admin.register(Execution, site=site)
class ExecutionAdmin(HistoryAdmin):
    list_display = [
        "id",
        "workflow_link",
        "organization_link",
        "status",
        "result",
        "triggered_by",
        "started_at",
        "duration_ms",
    ]
    list_filter = ["status", "result", "triggered_by", "mode", "started_at"]
    search_fields = ["=id", "=workflow__id", "workflow__name", *BY_ORGANIZATION]
    list_select_related = ["organization", "workflow"]
    ordering = ["-id"]
    readonly_fields = ["steps", "logs", "questions"]
    workflow_link, organization_link = link("workflow"), link("organization")
    steps = related_list("Steps", "workflows.executionstep", "execution_id")
    logs = related_list("Log", "workflows.executionlog", "execution_id")
    questions = related_list("Approvals", "workflows.approval", "execution_id")

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and (match.url_name or "").endswith("changelist")
        return rows.defer("input", "output", "draft_definition") if is_list else rows


@admin.register(ExecutionStep, site=site)
class ExecutionStepAdmin(HistoryAdmin):
    list_display = [
        "path",
        "step_type",
        "attempt",
        "status",
        "effect",
        "effect_state",
        "duration_ms",
        "execution_link",
    ]
    list_filter = ["status", "step_type", "effect_state"]
    search_fields = ["=execution__id", "path", *BY_ORGANIZATION]
    list_select_related = ["organization", "execution"]
    execution_link = link("execution")


@admin.register(ExecutionLog, site=site)
class ExecutionLogAdmin(HistoryAdmin):
    list_display = ["timestamp", "level", "step_id", "message", "execution_link"]
    list_filter = ["level", "timestamp"]
    search_fields = ["=execution__id", *BY_ORGANIZATION]
    list_select_related = ["organization", "execution"]
    execution_link = link("execution")


@admin.register(WebhookDelivery, site=site)
class WebhookDeliveryAdmin(HistoryAdmin):
    list_display = [
        "received_at",
        "workflow_link",
        "verdict",
        "reason",
        "method",
        "remote_address",
        "organization_link",
    ]
    list_filter = ["verdict", "received_at"]
    search_fields = ["=id", "=execution_id", "=workflow__id", "dedupe_key", *BY_ORGANIZATION]
    list_select_related = ["organization", "workflow"]
    exclude = ["path"]  # carries the token
    workflow_link, organization_link = link("workflow"), link("organization")


@admin.register(DedupeKey, site=site)
class DedupeKeyAdmin(HistoryAdmin):
    list_display = ["key", "workflow_link", "expires_at", "organization_link"]
    search_fields = ["key", "=workflow__id", *BY_ORGANIZATION]
    list_select_related = ["organization", "workflow"]
    workflow_link, organization_link = link("workflow"), link("organization")


@admin.register(TriggerDecision, site=site)
class TriggerDecisionAdmin(HistoryAdmin):
    list_display = ["decided_at", "workflow_link", "kind", "reason", "execution_id", "organization_link"]
    list_filter = ["reason", "kind", "decided_at"]
    search_fields = ["=workflow__id", "=execution_id", "workflow__name", *BY_ORGANIZATION]
    list_select_related = ["organization", "workflow"]
    workflow_link, organization_link = link("workflow"), link("organization")


@admin.register(Approval, site=site)
class ApprovalAdmin(HistoryAdmin):
    list_display = [
        "title",
        "kind",
        "status",
        "execution_link",
        "deadline_at",
        "decided_at",
        "organization_link",
    ]
    list_filter = ["status", "kind", "created_at"]
    search_fields = ["title", "=execution__id", *BY_ORGANIZATION]
    list_select_related = ["organization", "execution"]
    execution_link, organization_link = link("execution"), link("organization")


@admin.register(ApprovalVote, site=site)
class ApprovalVoteAdmin(HistoryAdmin):
    list_display = ["approval_link", "voter_label", "is_approval", "via", "created_at", "organization_link"]
    list_filter = ["is_approval", "via"]
    search_fields = ["voter_label", "=approval__id", *BY_ORGANIZATION]
    list_select_related = ["organization", "approval"]
    approval_link, organization_link = link("approval"), link("organization")


@admin.register(ResumeToken, site=site)
class ResumeTokenAdmin(HistoryAdmin):
    list_display = ["execution_link", "path", "expires_at", "used_at", "organization_link"]
    search_fields = ["=execution__id", *BY_ORGANIZATION]
    list_select_related = ["organization", "execution"]
    exclude = ["token_hash"]
    execution_link, organization_link = link("execution"), link("organization")


@admin.register(SavedTest, site=site)
class SavedTestAdmin(HistoryAdmin):
    list_display = ["name", "workflow_link", "organization_link", "is_enabled", "last_result", "last_run_at"]
    list_filter = ["last_result", "is_enabled", "created_at"]
    search_fields = ["name", "=id", "=workflow__id", "workflow__name", *BY_ORGANIZATION]
    list_select_related = ["organization", "workflow"]
    workflow_link, organization_link = link("workflow"), link("organization")

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        match = request.resolver_match
        is_list = match is not None and (match.url_name or "").endswith("changelist")
        return rows.defer("input", "answers", "assertions", "report") if is_list else rows


@admin.register(BulkAction, site=site)
class BulkActionAdmin(HistoryAdmin):
    list_display = [
        "action",
        "status",
        "total",
        "done",
        "skipped",
        "failed",
        "created_at",
        "organization_link",
    ]
    list_filter = ["action", "status", "created_at"]
    search_fields = ["=id", "requested_by__email", *BY_ORGANIZATION]
    list_select_related = ["organization"]
    organization_link = link("organization")


@admin.register(Worker, site=site)
class WorkerAdmin(HistoryAdmin):
    list_display = ["host", "pid", "release", "running", "started_at", "heartbeat_at"]
    search_fields = ["host"]
    list_select_related: Any = []


@admin.register(AiExchange, site=site)
class AiExchangeAdmin(HistoryAdmin):
    list_display = ["at", "organization_link", "purpose", "provider", "model", "status", "cost_micro"]
    list_filter = ["status", "provider", "purpose", "at"]
    search_fields = ["=id", "=execution__id", "model", *BY_ORGANIZATION]
    list_select_related = ["organization"]
    organization_link = link("organization")


@admin.register(AiAllowance, site=site)
class AiAllowanceAdmin(HistoryAdmin):
    list_display = ["organization_link", "scope", "key", "spent", "reserved", "updated_at"]
    list_filter = ["scope", "updated_at"]
    search_fields = ["key", *BY_ORGANIZATION]
    list_select_related = ["organization"]
    organization_link = link("organization")


@admin.register(AiReservation, site=site)
class AiReservationAdmin(HistoryAdmin):
    list_display = ["at", "organization_link", "status", "amount", "settled", "deadline_at"]
    list_filter = ["status", "at"]
    search_fields = ["=id", *BY_ORGANIZATION]
    list_select_related = ["organization"]
    organization_link = link("organization")


@admin.register(AiPolicy, site=site)
class AiPolicyAdmin(SupportAdmin):
    list_display = ["organization_link", "keep_content", "redact", "month_cents"]
    list_filter = ["keep_content", "redact"]
    search_fields = [*BY_ORGANIZATION]
    list_select_related = ["organization"]
    readonly_fields = ["id", "organization"]
    organization_link = link("organization")
