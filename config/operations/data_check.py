"""Whether what is stored can be used: every credential opens, every published definition reads."""

from __future__ import annotations

from dataclasses import dataclass, field

from accounts.tenancy import system_scope
from integrations import credentials
from integrations.framework.crypto import DecryptionFailed
from integrations.models import Integration
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import parse_definition, parse_triggers
from workflows.models import Workflow, WorkflowVersion
from workflows.triggers import secrets

MOST_NAMED = 20  # problems told one by one


@dataclass(slots=True)
class DataCheck:
    """What was found. problems: sentences for the operator; empty when all is well.

    credentials, definitions: how many could be read. drafts_with_problems: unfinished work of the customers, no fault.
    """

    credentials: int = 0
    definitions: int = 0
    drafts_with_problems: int = 0
    problems: list[str] = field(default_factory=list)


def check_data() -> DataCheck:
    """Open every credential and secret and read every definition."""
    found = DataCheck()
    with system_scope("check what is stored"):
        _credentials(found)
        _definitions(found)
        _drafts(found)
    if len(found.problems) > MOST_NAMED:
        found.problems[MOST_NAMED:] = [f"And {len(found.problems) - MOST_NAMED} more."]
    return found


def _credentials(found: DataCheck) -> None:
    for integration in Integration.objects.order_by("pk").iterator(chunk_size=500):
        try:
            credentials.read(integration)
            credentials.read_webhook_state(integration)
            found.credentials += 1
        except DecryptionFailed as error:
            found.problems.append(f"The credentials of integration {integration.pk} do not open: {error}")
    readable, unreadable = secrets.readable()
    found.credentials += readable
    found.problems += [f"The secret of trigger {key} does not open." for key in unreadable]


def _definitions(found: DataCheck) -> None:
    for version in WorkflowVersion.objects.order_by("pk").iterator(chunk_size=500):
        try:
            parse_definition(version.definition)
            parse_triggers(version.triggers)
            found.definitions += 1
        except DefinitionInvalid as error:
            found.problems.append(
                f"Version {version.number} of workflow {version.workflow_id} does not read: {error}"
            )


def _drafts(found: DataCheck) -> None:
    for workflow in Workflow.objects.order_by("pk").iterator(chunk_size=500):
        try:
            parse_definition(workflow.definition)
        except DefinitionInvalid:
            found.drafts_with_problems += 1
