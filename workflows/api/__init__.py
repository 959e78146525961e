"""The API of workflows, their runs and approvals: one module per resource, each with its router."""

from __future__ import annotations

from ninja import Router

from workflows.api import approvals, bulk, publication, run_actions, runs, saved_tests, transfer, workflows

ROUTERS: tuple[tuple[str, Router], ...] = (
    ("Workflows", workflows.router),
    ("Workflows", publication.router),
    ("Workflows", transfer.router),
    ("Saved tests", saved_tests.router),
    ("Runs", runs.router),
    ("Runs", bulk.router),
    ("Runs", run_actions.router),
    ("Approvals", approvals.router),
)
"""Tag and router, in the order of the documentation."""
