"""Workflows and their executions."""

from workflows.models.approval import Approval, ApprovalVote, ResumeToken
from workflows.models.delivery import DedupeKey, TriggerDecision, WebhookDelivery
from workflows.models.execution import Execution, ExecutionLog, ExecutionStep, Worker
from workflows.models.trigger import Trigger
from workflows.models.version import WorkflowVersion
from workflows.models.workflow import Workflow, WorkflowAssignment

__all__ = [
    "Approval",
    "ApprovalVote",
    "DedupeKey",
    "Execution",
    "ExecutionLog",
    "ExecutionStep",
    "ResumeToken",
    "Trigger",
    "TriggerDecision",
    "WebhookDelivery",
    "Worker",
    "Workflow",
    "WorkflowAssignment",
    "WorkflowVersion",
]
