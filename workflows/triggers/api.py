"""Runs that a program starts with an API key: the same checks as by hand, with the run's place in line of a program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.models import User
from workflows.models import Execution, Trigger, Workflow
from workflows.triggers.manual import NotStarted, start

__all__ = ["NotStarted", "start_by_api"]


def start_by_api(
    workflow: Workflow,
    inputs: Mapping[str, Any] | None = None,
    *,
    user: User | None = None,
    reply_to: str = "",
) -> Execution:
    """Start a run of the published version. user: whose key it is. Raises NotStarted; let the scope commit then."""
    return start(
        workflow,
        inputs,
        kind=Trigger.Kind.API,
        triggered_by=Execution.TriggeredBy.API,
        user=user,
        reply_to=reply_to,
    )
