"""Addresses of what tries a workflow: its saved tests, and the dry run."""

from __future__ import annotations

from django.urls import URLPattern, path

from workflows.views import dry_run, saved_tests

urlpatterns: list[URLPattern] = [
    path("workflows/<uuid:workflow_id>/dry-run/", dry_run.dry_run, name="dry-run"),
    path("runs/<uuid:execution_id>/saved-test/", saved_tests.saved_test, name="saved-test"),
    path("workflows/<uuid:workflow_id>/tests/", saved_tests.tests, name="tests"),
    path("workflows/<uuid:workflow_id>/tests/run/", saved_tests.run_all, name="tests-run"),
    path("workflows/<uuid:workflow_id>/tests/<uuid:test_id>/", saved_tests.edit, name="test"),
    path("workflows/<uuid:workflow_id>/tests/<uuid:test_id>/run/", saved_tests.run_one, name="test-run"),
    path("workflows/<uuid:workflow_id>/tests/<uuid:test_id>/switch/", saved_tests.switch, name="test-switch"),
    path("workflows/<uuid:workflow_id>/tests/<uuid:test_id>/deletion/", saved_tests.deletion, name="test-deletion"),
    path(
        "workflows/<uuid:workflow_id>/tests/<uuid:test_id>/restoration/",
        saved_tests.restoration,
        name="test-restoration",
    ),
]  # fmt: skip
