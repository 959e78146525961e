"""Workflows and their executions."""

from workflows.models.ai import AiAllowance, AiExchange, AiPolicy, AiReservation
from workflows.models.approval import Approval, ApprovalVote, ResumeToken
from workflows.models.bulk import BulkAction
from workflows.models.delivery import DedupeKey, TriggerDecision, WebhookDelivery
from workflows.models.draft_change import DraftChange
from workflows.models.execution import Execution, ExecutionLog, ExecutionStep, Worker
from workflows.models.saved_test import SavedTest
from workflows.models.trigger import Trigger
from workflows.models.version import WorkflowVersion
from workflows.models.workflow import Workflow, WorkflowAssignment

__all__ = [
    "AiAllowance",
    "AiExchange",
    "AiPolicy",
    "AiReservation",
    "Approval",
    "ApprovalVote",
    "BulkAction",
    "DedupeKey",
    "DraftChange",
    "Execution",
    "ExecutionLog",
    "ExecutionStep",
    "ResumeToken",
    "SavedTest",
    "Trigger",
    "TriggerDecision",
    "WebhookDelivery",
    "Worker",
    "Workflow",
    "WorkflowAssignment",
    "WorkflowVersion",
]
