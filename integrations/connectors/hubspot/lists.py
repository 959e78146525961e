"""Owners, pipelines, stages and properties: what people choose from."""

from integrations.connectors.hubspot.calls import PAGE_SIZE, VERSION
from integrations.framework import Action, CursorPages, Offers, Output, Request, dig

LIST_OWNERS = Action(
    key="list_owners",
    label="List owners",
    request=lambda inputs: Request("GET", f"/crm/owners/{VERSION}", query={"limit": PAGE_SIZE}),
    pagination=CursorPages(items="results", into="after", cursor="paging.next.after"),
    offers=Offers(items="owners", value="id", label="email"),
    returns={
        "owners": Output(
            "results",
            kind="list",
            of={"id": "id", "email": "email", "first_name": "firstName", "last_name": "lastName"},
        )
    },
    effect="read",
)

LIST_PIPELINES = Action(
    key="list_pipelines",
    label="List deal pipelines",
    call=f"GET /crm/pipelines/{VERSION}/deals",
    offers=Offers(items="pipelines", value="id", label="label"),
    returns={"pipelines": Output("results", kind="list", of={"id": "id", "label": "label"})},
    effect="read",
)

LIST_STAGES = Action(
    key="list_deal_stages",
    label="List deal stages",
    call=f"GET /crm/pipelines/{VERSION}/deals",
    output=lambda response: {
        "stages": [
            {"id": stage["id"], "label": f"{pipeline['label']}: {stage['label']}"}
            for pipeline in dig(response.json, "results", [])
            for stage in pipeline.get("stages", ())
        ]
    },
    offers=Offers(items="stages", value="id", label="label"),
    returns={"stages": Output("results[].stages", kind="list", of={"id": "id", "label": "label"})},
    effect="read",
)

LIST_PROPERTIES = Action(
    key="list_contact_properties",
    label="List contact properties",
    call=f"GET /crm/properties/{VERSION}/contacts",
    offers=Offers(items="properties", value="name", label="label"),
    returns={
        "properties": Output(
            "results",
            kind="list",
            of={"name": "name", "label": "label", "type": "type", "field_type": "fieldType"},
        )
    },
    effect="read",
)
