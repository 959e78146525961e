"""Which workflows need a connected account, and which runs wait for it."""

from __future__ import annotations

import json

from django.db import connection
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from integrations.models import Integration
from integrations.usage import Dependent, Usage
from workflows.models import Execution, Trigger, Workflow

MAX_LISTED = 50
MAX_HELD = 10
# Steps name an account by id or by name; one that names none takes the first of its service.
NAMED = "@.integration == $id || @.integration == $name"
UNNAMED = '@.type == "action" && (@.provider == $upper || @.provider == $lower) && !exists(@.integration)'
USERS = """
SELECT workflow.id FROM workflows_workflow AS workflow
LEFT JOIN workflows_workflowversion AS version ON version.id = workflow.published_version_id
WHERE workflow.organization_id = %(organization)s AND workflow.status <> 'ARCHIVED' AND (
  jsonb_path_exists(workflow.definition, %(path)s::jsonpath, %(values)s::jsonb, true)
  OR jsonb_path_exists(coalesce(version.definition, 'null'), %(path)s::jsonpath, %(values)s::jsonb, true))
"""


def usage_of(integration: Integration) -> Usage:
    """Return who needs the account, drafts and published versions alike; in its organization's scope."""
    keys = _named_in_steps(integration)
    keys |= set(Trigger.objects.filter(integration_id=integration.pk).values_list("workflow_id", flat=True))
    workflows = Workflow.objects.filter(pk__in=keys).exclude(status=Workflow.Status.ARCHIVED).order_by("name")
    held = Execution.objects.filter(
        status=Execution.Status.WAITING,
        waiting_for__contains=[{"kind": "held_integration", "key": str(integration.pk)}],
    )
    return Usage(
        workflows=[
            Dependent(row.name, reverse("workflows:detail", args=[row.pk]), str(row.get_status_display()))
            for row in workflows.only("id", "name", "status", "organization_id")[:MAX_LISTED]
        ],
        held=[
            Dependent(
                row.workflow.name,
                reverse("workflows:run", args=[row.pk]),
                _("since %(time)s") % {"time": date_format(localtime(row.started_at), "DATETIME_FORMAT")}
                if row.started_at
                else "",
            )
            for row in held.select_related("workflow").order_by("-id")[:MAX_HELD]
        ],
        held_count=held.count(),
    )


def _named_in_steps(integration: Integration) -> set[object]:
    first = Integration.objects.filter(provider=integration.provider).order_by("created_at").first()
    is_first = first is not None and first.pk == integration.pk
    path = f"$.** ? ({NAMED} || ({UNNAMED}))" if is_first else f"$.** ? ({NAMED})"
    values = {
        "id": str(integration.pk),
        "name": integration.name,
        "upper": integration.provider,
        "lower": integration.provider.lower(),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            USERS, {"organization": integration.organization_id, "path": path, "values": json.dumps(values)}
        )
        return {key for (key,) in cursor.fetchall()}
