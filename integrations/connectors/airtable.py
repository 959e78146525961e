"""Airtable: create, change, find and delete records, comment and attach files; start on new or changed records."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.framework import (
    Action,
    BearerToken,
    Connector,
    ConnectorError,
    CursorPages,
    Field,
    Hmac,
    OAuth2,
    Offers,
    Output,
    Poll,
    RateLimit,
    Request,
    Response,
    Subscription,
    TemporaryError,
    Test,
    Trigger,
    Webhooks,
    dig,
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


# --- Webhooks: a notice says that something changed; what it was is read from a list, from where we last stopped ---

CHANGE_KINDS = {"add": "createdRecordsById", "update": "changedRecordsById", "remove": "destroyedRecordIds"}
RENEWED_DAILY = 6 * 86_400  # a webhook lives seven days from its making or last renewal
CHECKED_HOURLY = 3_600  # besides the notices: should one not arrive, nothing is lost


def subscribe(subscription: Subscription) -> Request:
    """Return the call that makes a webhook of one table for the one kind of change."""
    config = subscription.config
    return Request(
        "POST",
        "/v0/bases/{baseId}/webhooks",
        at={"baseId": config["base"]},
        json={
            "notificationUrl": subscription.address,
            "specification": {
                "options": {
                    "filters": {
                        "dataTypes": ["tableData"],
                        "recordChangeScope": config["table"],
                        "changeTypes": list(subscription.events),
                    },
                    "includes": {"includeCellValuesInFieldIds": "all", "includePreviousCellValues": True},
                }
            },
        },
    )


def subscribed(response: Response, subscription: Subscription) -> dict[str, Any]:
    """Read a new webhook, or the renewal of one, whose answer tells only until when."""
    until = dig(response.json, "expirationTime")
    fallback = datetime.fromtimestamp(subscription.now, UTC) + timedelta(days=7)
    return {
        "id": dig(response.json, "id") or subscription.state.get("id"),
        "secret": dig(response.json, "macSecretBase64") or subscription.state.get("secret"),
        "expires_at": until or fallback.isoformat(),
    }


def of_webhook(method: str, tail: str) -> Any:
    return lambda subscription: Request(
        method,
        f"/v0/bases/{{baseId}}/webhooks/{{webhookId}}{tail}",
        at={"baseId": subscription.config["base"], "webhookId": subscription.state["id"]},
    )


def payloads(config: Mapping[str, Any], since: Any) -> Request:
    """Ask for what changed from a cursor on; Airtable counts a webhook's payloads from 1 and keeps them seven days."""
    return Request(
        "GET",
        "/v0/bases/{baseId}/webhooks/{webhookId}/payloads",
        at={"baseId": config["base"], "webhookId": config["subscription"]["id"]},
        query={"cursor": since or 1, "limit": 50},
    )


def changes(kind: str) -> Any:
    """Return what reads the changes of one kind out of a page of payloads, each with an id of its own."""

    def read(response: Response, config: Mapping[str, Any]) -> list[Any]:
        found = []
        for payload in dig(response.json, "payloads") or ():
            number = payload.get("baseTransactionNumber")
            for table, changed in (payload.get("changedTablesById") or {}).items():
                for record, values in _records(kind, changed):
                    found.append(
                        {
                            "change": f"{number}:{table}:{record}",
                            "record": record,
                            "table": table,
                            "at": payload.get("timestamp"),
                            "by": dig(payload, "actionMetadata.sourceMetadata.user.email"),
                            **values,
                        }
                    )
        return found

    return read


def _records(kind: str, changed: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    part = changed.get(CHANGE_KINDS[kind]) or ()
    if kind == "remove":
        for record in part:
            yield record, {}
        return
    for record, entry in dict(part).items():
        now = entry if kind == "add" else entry.get("current") or {}
        yield (
            record,
            {
                "createdTime": entry.get("createdTime"),
                "fields": now.get("cellValuesByFieldId") or {},
                "previous": dig(entry, "previous.cellValuesByFieldId") or {},
            },
        )


def changed(key: str, label: str, kind: str, returns: Mapping[str, Output | str]) -> Trigger:
    sample = {
        "change": "4:tbltp8DGLhqbUmjK1:rec560UJdUtocSouk",
        "record": "rec560UJdUtocSouk",
        "table": "tbltp8DGLhqbUmjK1",
        "at": "2026-11-22T09:30:00.000Z",
        "by": "ada@example.com",
    }
    if kind != "remove":
        sample |= {
            "createdTime": "2026-11-22T09:30:00.000Z" if kind == "add" else None,
            "fields": {"fldName": "Ada"},
            "previous": {} if kind == "add" else {"fldName": "A."},
        }
    return Trigger(
        key=key,
        label=label,
        event=kind,
        description="Told within seconds. The person who connected must be a creator of the base.",
        fields=(BASE, TABLE),
        fetch=Poll(
            request=payloads,
            items=changes(kind),
            id="change",
            order="oldest_first",
            position="cursor",
            pagination=CursorPages(items="payloads", into="cursor", cursor="cursor", more="mightHaveMore"),
            interval_seconds=CHECKED_HOURLY,
        ),
        sample=sample,
        returns=returns,
    )


HAPPENED: dict[str, Output | str] = {
    "id": "record",
    "table": "table",
    "at": Output("at", kind="datetime"),
    "by": "by",
}
FILLED = {**HAPPENED, "fields": Output("fields", kind="object", label="Values by field id")}

WEBHOOKS = Webhooks(
    address="trigger",
    signature=Hmac(header="X-Airtable-Content-MAC", prefix="hmac-sha256=", key_encoding="base64"),
    # A notice says only that something changed: which kind stands in the subscription.
    event=lambda inbound, event: "",
    subscribe=subscribe,
    read=subscribed,
    renew=of_webhook("POST", "/refresh"),
    renew_before_seconds=RENEWED_DAILY,
    unsubscribe=of_webhook("DELETE", ""),
)

TRIGGERS = (
    changed(
        "record_created",
        "New record",
        "add",
        {**FILLED, "createdTime": Output("createdTime", kind="datetime")},
    ),
    changed(
        "record_updated",
        "Changed record",
        "update",
        {**FILLED, "previous": Output("previous", kind="object", label="Values before, by field id")},
    ),
    changed("record_deleted", "Deleted record", "remove", HAPPENED),
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
                "webhook:manage",
                "user.email:read",
            ),
            rotates_refresh_token=True,
        ),
        BearerToken(),
    ),
    test=Test(Request("GET", "/v0/meta/whoami"), account={"user_id": "id"}, label="email"),
    on_error=refine,
    rate_limit=RateLimit(calls=5),
    webhooks=WEBHOOKS,
    actions=ACTIONS,
    triggers=TRIGGERS,
)
