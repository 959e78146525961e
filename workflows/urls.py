"""Addresses of the workflows app's pages; those that the outside world calls are in urls_public."""

from __future__ import annotations

from django.urls import URLPattern, path

from workflows import urls_public, urls_saved_tests
from workflows.views import (
    activation,
    ai_policy,
    approvals,
    dashboard,
    detail,
    executions,
    run_actions,
    run_bulk,
    run_compare,
    run_fork,
    runs,
    trigger_secrets,
    versions,
)
from workflows.views import list as workflow_lists
from workflows.views.editor import urls as editor_urls

app_name = "workflows"
urlpatterns: list[URLPattern] = [
    path("", dashboard.dashboard, name="dashboard"),
    path("welcome/", dashboard.front, name="front"),
    path("workflows/", workflow_lists.workflow_list, name="list"),
    path("workflows/new/", workflow_lists.create, name="create"),
    path("workflows/bulk/", workflow_lists.bulk, name="bulk"),
    path("workflows/<uuid:workflow_id>/", detail.detail, name="detail"),
    path("workflows/<uuid:workflow_id>/steps/", detail.steps, name="steps"),
    path("workflows/<uuid:workflow_id>/triggers/", detail.triggers, name="triggers"),
    path(
        "workflows/<uuid:workflow_id>/triggers/<uuid:trigger_id>/secret/",
        trigger_secrets.trigger_secret,
        name="trigger-secret",
    ),
    path("workflows/<uuid:workflow_id>/members/", detail.members, name="members"),
    path("workflows/<uuid:workflow_id>/assignments/", detail.assignments, name="assignments"),
    path("workflows/<uuid:workflow_id>/settings/", detail.workflow_settings, name="settings"),
    path("workflows/<uuid:workflow_id>/copy/", detail.copy, name="copy"),
    *editor_urls.urlpatterns,
    path("workflows/<uuid:workflow_id>/publication/", versions.publication, name="publication"),
    path("workflows/<uuid:workflow_id>/versions/", versions.versions, name="versions"),
    path("workflows/<uuid:workflow_id>/versions/<int:number>/", versions.version, name="version"),
    path(
        "workflows/<uuid:workflow_id>/versions/<int:number>/restoration/",
        versions.restoration,
        name="restoration",
    ),
    path("workflows/<uuid:workflow_id>/pause/", activation.pause, name="pause"),
    path("workflows/<uuid:workflow_id>/activation/", activation.activation, name="activation"),
    path("workflows/<uuid:workflow_id>/archival/", activation.archival, name="archival"),
    path("workflows/<uuid:workflow_id>/unarchival/", activation.unarchival, name="unarchival"),
    path("workflows/<uuid:workflow_id>/deletion/", activation.deletion, name="deletion"),
    path("workflows/<uuid:workflow_id>/run/", runs.run_now, name="run-now"),
    path("settings/ai/", ai_policy.ai_policy, name="ai-policy"),
    path("runs/", runs.runs, name="runs"),
    path("runs/bulk/", run_bulk.bulk, name="runs-bulk"),
    path("runs/bulk/<uuid:bulk_id>/", run_bulk.progress, name="runs-bulk-progress"),
    path("runs/bulk/<uuid:bulk_id>/cancellation/", run_bulk.cancellation, name="runs-bulk-cancellation"),
    path("runs/compare/", run_compare.compare_ticked, name="runs-compare"),
    path("runs/<uuid:execution_id>/", executions.run, name="run"),
    path("runs/<uuid:execution_id>/timeline/", executions.run_timeline, name="run-timeline"),
    path("runs/<uuid:execution_id>/rounds/<str:loop>/", executions.run_rounds, name="run-rounds"),
    path("runs/<uuid:execution_id>/data/", executions.run_data, name="run-data"),
    path("runs/<uuid:execution_id>/log/", executions.run_log, name="run-log"),
    path("runs/<uuid:execution_id>/steps/<uuid:step_id>/", executions.step_data, name="step-data"),
    path("runs/<uuid:execution_id>/compare/", run_compare.compare, name="run-compare"),
    path("runs/<uuid:execution_id>/fork/<str:path>/", run_fork.fork, name="run-fork"),
    path("runs/<uuid:execution_id>/cancellation/", run_actions.cancellation, name="cancellation"),
    path("runs/<uuid:execution_id>/resumption/", run_actions.resumption, name="resumption"),
    path("runs/<uuid:execution_id>/restart/", run_actions.restart, name="restart"),
    path("approvals/", approvals.inbox, name="approvals"),
    path("approvals/<uuid:approval_id>/", approvals.approval, name="approval"),
    path("approvals/<uuid:approval_id>/decision/", approvals.decision, name="decision"),
]

urlpatterns += urls_saved_tests.urlpatterns
urlpatterns += urls_public.urlpatterns
