"""Fields and outputs that several operations share."""

from integrations.connectors.pipedrive.calls import contact_points
from integrations.framework import Field, Output
from integrations.framework.fields import as_output

EMAILS = Field(
    "emails",
    label="E-mails",
    kind="multi_select",
    example=["ada@example.com"],
    help="The first is the main one.",
)

PHONES = Field(
    "phones",
    label="Phones",
    kind="multi_select",
    example=["+441632960001"],
    help="The first is the main one.",
)

PERSON_ID = Field("person_id", label="Person", kind="integer", example=42, help="The person's number.")
ORG_ID = Field("org_id", label="Organization", kind="integer", example=7, help="The organization's number.")
OWNER = Field("owner_id", label="Owner", kind="integer", options="list_users", example=12)

LABELS = Field(
    "label_ids", label="Labels", kind="list", example=[3], advanced=True, help="Numbers of labels."
)

CUSTOM = Field(
    "custom_fields",
    label="Own fields",
    kind="object",
    advanced=True,
    example={"d4de1c1518b4531717c676029a45911c340390a6": "blue"},
    help="The fields' codes and values. “List deal fields” and “List person fields” give the codes.",
)

CLOSE_DATE = Field("expected_close_date", label="Expected close", kind="date", example="2026-12-24")
STATUS = Field("status", label="Status", kind="select", choices=("open", "won", "lost"), example="open")
PIPELINE = Field("pipeline_id", label="Pipeline", kind="integer", options="list_pipelines", example=1)

STAGE = Field(
    "stage_id", label="Stage", kind="integer", options="list_stages", example=2, depends_on=("pipeline_id",)
)

PERSON = {
    "id": Output("data.id", kind="integer"),
    "name": "data.name",
    "emails": Output("data.emails", kind="list"),
    "phones": Output("data.phones", kind="list"),
    "org_id": Output("data.org_id", kind="integer"),
    "owner_id": Output("data.owner_id", kind="integer"),
    "add_time": "data.add_time",
    "update_time": "data.update_time",
}

DEAL: dict[str, Output | str] = {
    "id": Output("data.id", kind="integer"),
    "title": "data.title",
    "value": Output("data.value", kind="number"),
    "currency": "data.currency",
    "stage_id": Output("data.stage_id", kind="integer"),
    "status": "data.status",
    "pipeline_id": Output("data.pipeline_id", kind="integer"),
    "person_id": Output("data.person_id", kind="integer"),
    "org_id": Output("data.org_id", kind="integer"),
    "add_time": "data.add_time",
    "update_time": "data.update_time",
    "custom_fields": Output("data.custom_fields", kind="object"),
}

# The same in a list, where no "data" stands around each.
LISTED_DEAL = {
    name: Output(as_output(value).path.removeprefix("data."), kind=as_output(value).kind)
    for name, value in DEAL.items()
}

POINTS = {
    "emails": lambda inputs: contact_points(inputs.get("emails")),
    "phones": lambda inputs: contact_points(inputs.get("phones")),
}
