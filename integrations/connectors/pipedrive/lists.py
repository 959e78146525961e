"""Pipelines, stages, users, fields: what people choose from."""

from collections.abc import Mapping
from typing import Any

from integrations.connectors.pipedrive.calls import MOST_PER_PAGE
from integrations.framework import Action, CursorPages, Field, Offers, Output, Request


def listing(
    key: str, label: str, path: str, name: str, of: Mapping[str, Any], *, value: str, shown: str
) -> Action:
    return Action(
        key=key,
        label=label,
        request=lambda inputs: Request("GET", path, query={"limit": MOST_PER_PAGE}),
        pagination=CursorPages(items="data", into="cursor", cursor="additional_data.next_cursor"),
        offers=Offers(items=name, value=value, label=shown),
        returns={name: Output("data", kind="list", of=of)},
        effect="read",
    )


NUMBERED = {"id": Output("id", kind="integer"), "name": "name"}

FIELD = {
    "code": "field_code",
    "name": "field_name",
    "type": "field_type",
    "options": Output("options", kind="list"),
}

LIST_PIPELINES = listing(
    "list_pipelines", "List pipelines", "/api/v2/pipelines", "pipelines", NUMBERED, value="id", shown="name"
)

LIST_DEAL_FIELDS = listing(
    "list_deal_fields", "List deal fields", "/api/v2/dealFields", "fields", FIELD, value="code", shown="name"
)

LIST_PERSON_FIELDS = listing(
    "list_person_fields",
    "List person fields",
    "/api/v2/personFields",
    "fields",
    FIELD,
    value="code",
    shown="name",
)

LIST_STAGES = Action(
    key="list_stages",
    label="List stages",
    fields=(
        Field(
            "pipeline_id", label="Only of this pipeline", kind="integer", options="list_pipelines", example=1
        ),
    ),
    request=lambda inputs: Request(
        "GET", "/api/v2/stages", query={"pipeline_id": inputs.get("pipeline_id"), "limit": MOST_PER_PAGE}
    ),
    pagination=CursorPages(items="data", into="cursor", cursor="additional_data.next_cursor"),
    offers=Offers(items="stages"),
    returns={
        "stages": Output(
            "data", kind="list", of={**NUMBERED, "pipeline_id": Output("pipeline_id", kind="integer")}
        )
    },
    effect="read",
)

LIST_USERS = Action(
    key="list_users",
    label="List users",
    call="GET /api/v1/users",
    offers=Offers(items="users"),
    returns={"users": Output("data", kind="list", of={**NUMBERED, "email": "email"})},
    effect="read",
)

LIST_ACTIVITY_TYPES = Action(
    key="list_activity_types",
    label="List kinds of activities",
    call="GET /api/v1/activityTypes",
    offers=Offers(items="types", value="key"),
    returns={"types": Output("data", kind="list", of={"key": "key_string", "name": "name"})},
    effect="read",
)
