"""Airtable: create, change, find and delete records, comment and attach files; start on new or changed records."""

from collections.abc import Mapping
from typing import Any

from integrations.framework import (
    Action,
    BearerToken,
    Connector,
    ConnectorError,
    CursorPages,
    Field,
    OAuth2,
    Offers,
    Output,
    Poll,
    RateLimit,
    Request,
    Response,
    TemporaryError,
    Test,
    Trigger,
)

PATH = "/v0/{baseId}/{tableIdOrName}"
CONTENT = "https://content.airtable.com/v0/{baseId}/{recordId}/{attachmentFieldIdOrName}/uploadAttachment"
PAGES = CursorPages(items="records", into="offset", cursor="offset")


def refine(response: Response) -> ConnectorError | None:
    if response.status == 429:
        return TemporaryError(
            "Airtable asked us to slow down. We will try again.",
            retry_after=30,  # Airtable wants thirty seconds of silence and says so nowhere in the answer
            status=429,
        )
    return None


BASE = Field(
    "base", label="Base", required=True, send="baseId", options="list_bases", example="appLkNDICXNqxSDhG"
)
TABLE = Field(
    "table",
    label="Table",
    required=True,
    send="tableIdOrName",
    options="list_tables",
    depends_on=("base",),
    example="tbltp8DGLhqbUmjK1",
)
RECORD_ID = Field(
    "record",
    label="Record",
    required=True,
    send="recordId",
    example="rec560UJdUtocSouk",
    help="Begins with rec.",
)
FIELDS = Field(
    "fields",
    label="Values",
    kind="json",
    required=True,
    example={"Name": "Ada"},
    help="Field name with its value.",
)
RECORDS = Field(
    "records",
    label="Records",
    kind="json",
    required=True,
    example=[{"fields": {"Name": "Ada"}}],
    help="A list of one to ten, each with its fields.",
)
TYPECAST = Field(
    "typecast", label="Convert text to the field's type", kind="boolean", example=True, advanced=True
)
MERGE_ON = Field(
    "merge_on",
    label="Match by these fields",
    kind="json",
    send="performUpsert.fieldsToMergeOn",
    example=["Name"],
    help="A list of one to three field names. Without it every record needs its id.",
)
RECORD = {
    "id": "id",
    "createdTime": Output("createdTime", kind="datetime"),
    "fields": Output("fields", kind="object"),
}
LISTED = {"records": Output("records", kind="list", of=RECORD)}

ACTIONS = (
    Action(
        "create_records",
        "Create records",
        fields=(BASE, TABLE, RECORDS, TYPECAST),
        call=f"POST {PATH}",
        returns=LISTED,
    ),
    Action(
        "update_record",
        "Change a record",
        fields=(BASE, TABLE, RECORD_ID, FIELDS, TYPECAST),
        call=f"PATCH {PATH}/{{recordId}}",
        returns=RECORD,
        effect="key_safe",  # the same values set twice are the same record
    ),
    Action(
        "upsert_records",
        "Change records or create them",
        fields=(BASE, TABLE, RECORDS, MERGE_ON, TYPECAST),
        call=f"PATCH {PATH}",
        returns={
            **LISTED,
            "created": Output("createdRecords", kind="list"),
            "updated": Output("updatedRecords", kind="list"),
        },
        effect="unsafe",
    ),
    Action(
        "get_record",
        "Read a record",
        fields=(BASE, TABLE, RECORD_ID),
        call=f"GET {PATH}/{{recordId}}",
        returns=RECORD,
        effect="read",
    ),
    Action(
        "list_records",
        "Find records",
        fields=(
            BASE,
            TABLE,
            Field(
                "formula",
                label="Formula",
                send="filterByFormula",
                example="{Paid}=1",
                help="Empty finds all.",
            ),
            Field("view", label="View", example="Open orders"),
        ),
        call=f"GET {PATH}",
        pagination=PAGES,
        returns=LISTED,
        effect="read",
    ),
    Action(
        "delete_record",
        "Delete a record",
        fields=(BASE, TABLE, RECORD_ID),
        call=f"DELETE {PATH}/{{recordId}}",
        returns={"id": "id", "deleted": Output("deleted", kind="boolean")},
    ),
    Action(
        "add_comment",
        "Comment on a record",
        fields=(
            BASE,
            TABLE,
            RECORD_ID,
            Field("text", label="Comment", kind="long_text", required=True, example="Paid today"),
        ),
        call=f"POST {PATH}/{{recordId}}/comments",
        returns={"id": "id", "author": "author.name", "text": "text"},
    ),
    Action(
        "upload_attachment",
        "Attach a file",
        fields=(
            BASE,
            RECORD_ID,
            Field("field", label="Attachment field", required=True, example="Files"),
            Field(
                "file",
                label="File",
                kind="file",
                required=True,
                example={"name": "a.txt", "content": "aGk=", "content_type": "text/plain"},
                help="Up to 5 MB.",
            ),
        ),
        request=lambda inputs: Request(
            "POST",
            CONTENT,
            at={
                "baseId": inputs["base"],
                "recordId": inputs["record"],
                "attachmentFieldIdOrName": inputs["field"],
            },
            json={
                "file": inputs["file"]["content"],
                "filename": inputs["file"].get("name") or "file",
                "contentType": inputs["file"].get("content_type") or "application/octet-stream",
            },
        ),
        returns={"id": "id", "fields": Output("fields", kind="object")},
    ),
    Action(
        "list_bases",
        "List bases",
        call="GET /v0/meta/bases",
        pagination=CursorPages(items="bases", into="offset", cursor="offset"),
        offers=Offers(items="bases"),
        returns={"bases": Output("bases", kind="list", of={"id": "id", "name": "name"})},
        effect="read",
    ),
    Action(
        "list_tables",
        "List tables",
        fields=(BASE,),
        call="GET /v0/meta/bases/{baseId}/tables",
        offers=Offers(items="tables"),
        returns={"tables": Output("tables", kind="list", of={"id": "id", "name": "name"})},
        effect="read",
    ),
)


def created_since(config: Mapping[str, Any], since: Any) -> Request:
    formula = f"NOT(IS_BEFORE(CREATED_TIME(), '{since}'))" if since else None
    return Request(
        "GET",
        PATH,
        at={"baseId": config["base"], "tableIdOrName": config["table"]},
        query={"pageSize": 100, "filterByFormula": formula},
    )


TRIGGERS = (
    Trigger(
        key="record_created_poll",
        label="New record (checked every few minutes)",
        kind="polling",
        fields=(BASE, TABLE),
        poll=Poll(
            request=created_since, items="records", stamp="createdTime", order="by_view", pagination=PAGES
        ),
        sample={
            "id": "rec560UJdUtocSouk",
            "createdTime": "2026-11-20T10:30:00.000Z",
            "fields": {"Name": "Ada"},
        },
        returns=RECORD,
    ),
)

connector = Connector(
    slug="airtable",
    name="Airtable",
    category="Productivity",
    summary="Create, change and find records, and react to new ones.",
    docs_url="https://airtable.com/developers/web/api",
    base_url="https://api.airtable.com",
    credential_hosts=("content.airtable.com",),
    auth=(
        OAuth2(
            authorize_url="https://airtable.com/oauth2/v1/authorize",
            token_url="https://airtable.com/oauth2/v1/token",
            token_auth="basic",
            scopes=(
                "data.records:read",
                "data.records:write",
                "data.recordComments:write",
                "schema.bases:read",
                "user.email:read",
            ),
            rotates_refresh_token=True,
        ),
        BearerToken(),
    ),
    test=Test(Request("GET", "/v0/meta/whoami"), account={"user_id": "id"}, label="email"),
    on_error=refine,
    rate_limit=RateLimit(calls=5),
    actions=ACTIONS,
    triggers=TRIGGERS,
)
