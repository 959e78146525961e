"""Notion: create, read, change and find pages and database items; start when pages, items or comments appear."""

from collections.abc import Mapping
from datetime import UTC, datetime
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
    PermanentError,
    Poll,
    RateLimit,
    Request,
    Response,
    TemporaryError,
    Test,
    Trigger,
    Webhooks,
    dig,
    keep_json,
)

API_VERSION = "2025-09-03"
PAGE_SIZE = 100
MOST_TEXT = 2_000  # characters Notion takes in one rich text item
IN_BODY = CursorPages(
    items="results", into="start_cursor", cursor="next_cursor", more="has_more", place="json"
)
IN_QUERY = CursorPages(items="results", into="start_cursor", cursor="next_cursor", more="has_more")


def refine(response: Response) -> ConnectorError | None:
    code = dig(response.json, "code") or ""
    if code == "object_not_found":
        return PermanentError(
            "Notion could not find this page or database. Open it in Notion and share it with this connection.",
            status=response.status,
            code=code,
        )
    if code == "conflict_error":
        return TemporaryError(
            "Someone changed the same page in Notion. We will try again.", status=response.status, code=code
        )
    return None


def rich_text(text: str) -> list[dict[str, Any]]:
    """Return the text as rich text items, cut where Notion's limit per item asks for it."""
    return [{"text": {"content": text[at : at + MOST_TEXT]}} for at in range(0, len(text), MOST_TEXT)]


def with_titles(response: Response) -> dict[str, Any]:
    """Return listed data sources with their title as one text: Notion gives it in pieces."""
    found = dig(response.json, "results") or []
    return {
        "data_sources": [
            {"id": item.get("id"), "name": "".join(dig(item, "title[].plain_text") or []) or "Untitled"}
            for item in found
        ]
    }


PAGE_ID = Field(
    "page_id",
    label="Page",
    required=True,
    example="59833787-2cf9-4fdf-8782-e53db20768a5",
    help="The last 32 characters of the page's link.",
)
DATA_SOURCE = Field(
    "data_source_id",
    label="Database",
    required=True,
    options="list_data_sources",
    example="d9824bdc-8445-4327-be8b-5b47500af6ce",
)
CHILDREN = Field(
    "children",
    label="Content blocks",
    kind="json",
    advanced=True,
    help="A list of up to 100 blocks in Notion's own form.",
    example=[{"type": "paragraph", "paragraph": {"rich_text": [{"text": {"content": "Hello"}}]}}],
)
ICON = Field(
    "icon",
    label="Icon",
    kind="json",
    advanced=True,
    example={"emoji": "🌳"},
    help="In Notion's own form.",
)
COVER = Field(
    "cover",
    label="Cover picture",
    kind="json",
    advanced=True,
    help="In Notion's own form.",
    example={"type": "external", "external": {"url": "https://example.com/cover.png"}},
)
PROPERTIES = Field(
    "properties",
    label="Properties",
    kind="json",
    required=True,
    help="Each property's name with its value in Notion's own form.",
    example={"Name": {"title": [{"text": {"content": "Order 1042"}}]}},
)
PAGE = {
    "id": "id",
    "url": "url",
    "created_time": Output("created_time", kind="datetime"),
    "last_edited_time": Output("last_edited_time", kind="datetime"),
    "in_trash": Output("in_trash", kind="boolean"),
    "parent": Output("parent", kind="object"),
    "properties": Output("properties", kind="object"),
}


def create_item(inputs: Mapping[str, Any]) -> Request:
    parent = {"type": "data_source_id", "data_source_id": inputs["data_source_id"]}
    return Request(
        "POST",
        "/v1/pages",
        json={
            "parent": parent,
            **{key: inputs.get(key) for key in ("properties", "children", "icon", "cover")},
        },
    )


def write_markdown(inputs: Mapping[str, Any]) -> Request:
    if inputs["type"] == "replace_content":
        change = {"new_str": inputs.get("content", "")}
        if "allow_deleting_content" in inputs:
            change["allow_deleting_content"] = inputs["allow_deleting_content"]
    else:
        if "old_text" not in inputs:
            raise PermanentError('Fill in "Text to find", or choose to replace everything.')
        change = {
            "content_updates": [
                {
                    "old_str": inputs["old_text"],
                    "new_str": inputs.get("content", ""),
                    "replace_all_matches": inputs.get("replace_all", False),
                }
            ]
        }
    return Request(
        "PATCH",
        "/v1/pages/{page_id}/markdown",
        at={"page_id": inputs["page_id"]},
        json={"type": inputs["type"], inputs["type"]: change},
    )


ACTIONS = (
    Action(
        key="create_database_item",
        label="Create a database item",
        fields=(DATA_SOURCE, PROPERTIES, CHILDREN, ICON, COVER),
        request=create_item,
        returns=PAGE,
    ),
    Action(
        key="create_page",
        label="Create a page under a page",
        fields=(
            PAGE_ID,
            Field("title", label="Title", required=True, example="Meeting notes", max_length=MOST_TEXT),
            CHILDREN,
        ),
        request=lambda inputs: Request(
            "POST",
            "/v1/pages",
            json={
                "parent": {"type": "page_id", "page_id": inputs["page_id"]},
                "properties": {"title": {"title": rich_text(inputs["title"])}},
                "children": inputs.get("children"),
            },
        ),
        returns=PAGE,
    ),
    Action(
        key="update_page",
        label="Change a page's properties",
        fields=(
            PAGE_ID,
            Field(
                "properties",
                label="Properties",
                kind="json",
                help="Only those that change, in Notion's own form.",
                example={"Status": {"status": {"name": "Done"}}},
            ),
            Field("in_trash", label="In the trash", kind="boolean", example=False, help="No brings it back."),
            ICON,
            COVER,
        ),
        call="PATCH /v1/pages/{page_id}",
        returns=PAGE,
        effect="key_safe",  # the same values set twice are the same page
    ),
    Action(
        key="get_page",
        label="Read a page's properties",
        fields=(
            PAGE_ID,
            Field(
                "filter_properties",
                label="Only this property",
                advanced=True,
                example="title",
                help="A property's id.",
            ),
        ),
        call="GET /v1/pages/{page_id}",
        returns=PAGE,
        effect="read",
    ),
    Action(
        key="query_data_source",
        label="Find database items",
        fields=(
            DATA_SOURCE,
            Field(
                "filter",
                label="Filter",
                kind="json",
                help="In Notion's own form. Empty finds everything.",
                example={"property": "Status", "status": {"equals": "Done"}},
            ),
            Field(
                "sorts",
                label="Order",
                kind="json",
                advanced=True,
                help="A list in Notion's own form.",
                example=[{"timestamp": "last_edited_time", "direction": "descending"}],
            ),
        ),
        request=lambda inputs: Request(
            "POST",
            "/v1/data_sources/{data_source_id}/query",
            at={"data_source_id": inputs["data_source_id"]},
            json={
                "page_size": PAGE_SIZE,
                "filter": inputs.get("filter"),
                "sorts": inputs.get("sorts"),
            },
        ),
        pagination=IN_BODY,
        returns={"items": Output("results", kind="list", of=PAGE)},
        effect="read",
    ),
    Action(
        key="append_blocks",
        label="Add content to a page",
        fields=(
            Field(
                "block_id",
                label="Page or block",
                required=True,
                example="59833787-2cf9-4fdf-8782-e53db20768a5",
                help="The last 32 characters of its link.",
            ),
            Field(
                "children",
                label=CHILDREN.label,
                kind="json",
                required=True,
                help=CHILDREN.help,
                example=CHILDREN.example,
            ),
            Field(
                "after",
                label="After this block",
                advanced=True,
                example="9bc30ad4-9373-46a5-84ab-0a7845ee52e6",
            ),
        ),
        call="PATCH /v1/blocks/{block_id}/children",
        returns={"block_ids": Output("results[].id", kind="list")},
    ),
    Action(
        key="get_page_markdown",
        label="Read a page's content",
        fields=(PAGE_ID,),
        call="GET /v1/pages/{page_id}/markdown",
        returns={
            "markdown": Output("markdown", kind="long_text"),
            "truncated": Output("truncated", kind="boolean"),
        },
        effect="read",
    ),
    Action(
        key="update_page_markdown",
        label="Write a page's content",
        fields=(
            PAGE_ID,
            Field(
                "type",
                label="How",
                kind="select",
                required=True,
                example="replace_content",
                choices=(
                    ("replace_content", "Replace everything"),
                    ("update_content", "Find and replace a text"),
                ),
            ),
            Field("content", label="New content", kind="long_text", example="# Plan\n\nFirst step"),
            Field(
                "old_text",
                label="Text to find",
                kind="long_text",
                example="Second step",
                help="Only to find and replace a text.",
            ),
            Field(
                "replace_all", label="Every place it is found", kind="boolean", example=True, advanced=True
            ),
            Field(
                "allow_deleting_content",
                label="May delete pages inside it",
                kind="boolean",
                example=False,
                advanced=True,
            ),
        ),
        request=write_markdown,
        returns={"markdown": Output("markdown", kind="long_text")},
    ),
    Action(
        key="add_comment",
        label="Comment on a page",
        fields=(
            PAGE_ID,
            Field(
                "text", label="Comment", kind="long_text", required=True, example="Please check the dates."
            ),
        ),
        request=lambda inputs: Request(
            "POST",
            "/v1/comments",
            json={"parent": {"page_id": inputs["page_id"]}, "rich_text": rich_text(inputs["text"])},
        ),
        returns={
            "id": "id",
            "discussion_id": "discussion_id",
            "created_time": Output("created_time", kind="datetime"),
        },
    ),
    Action(
        key="search",
        label="Search by title",
        fields=(
            Field("query", label="Words in the title", example="Orders", help="Empty lists everything."),
            Field(
                "kind",
                label="Look for",
                kind="select",
                choices=(("page", "Pages"), ("data_source", "Databases")),
                example="page",
            ),
        ),
        request=lambda inputs: Request(
            "POST",
            "/v1/search",
            json={
                "query": inputs.get("query"),
                "filter": {"property": "object", "value": inputs["kind"]} if "kind" in inputs else None,
                "page_size": PAGE_SIZE,
            },
        ),
        pagination=IN_BODY,
        returns={
            "results": Output("results", kind="list", of={"id": "id", "object": "object", "url": "url"}),
        },
        effect="read",
    ),
    Action(
        key="list_data_sources",
        label="List databases",
        request=lambda inputs: Request(
            "POST",
            "/v1/search",
            json={"filter": {"property": "object", "value": "data_source"}, "page_size": PAGE_SIZE},
        ),
        pagination=IN_BODY,
        offers=Offers(items="data_sources", value="id", label="name"),
        output=with_titles,
        returns={"data_sources": Output("results", kind="list", of={"id": "id", "name": "name"})},
        effect="read",
        hidden=True,
    ),
    Action(
        key="list_users",
        label="List people",
        request=lambda inputs: Request("GET", "/v1/users", query={"page_size": PAGE_SIZE}),
        pagination=IN_QUERY,
        offers=Offers(items="users", value="id", label="name"),
        returns={
            "users": Output(
                "results",
                kind="list",
                of={"id": "id", "name": "name", "type": "type", "email": "person.email"},
            )
        },
        effect="read",
    ),
)


def event(type_: str, kind: str, **data: Any) -> dict[str, Any]:
    """Return a sample delivery in the shape of Notion's webhooks."""
    return {
        "id": "367cba44-b6f3-4c92-81e7-6a2e9659efd4",
        "timestamp": "2026-11-20T10:30:00.000Z",
        "workspace_id": "13950b26-c203-4f3b-b97d-93ec06319565",
        "workspace_name": "Alder",
        "subscription_id": "29d75c0d-5546-4414-8459-7b7a92f1fc4b",
        "integration_id": "0ef2e755-4912-8096-91c1-00376a88a5ca",
        "type": type_,
        "authors": [{"id": "c7c11cca-1d73-471d-9b6e-bdef51470190", "type": "person"}],
        "attempt_number": 1,
        "entity": {"id": "153104cd-477e-809d-8dc4-ff2d96ae3090", "type": kind},
        "data": {"parent": {"id": "36cc9195-760f-4fff-a67e-3a46c559b176", "type": "page"}, **data},
    }


def poll_request(config: Mapping[str, Any], since: Any) -> Request:
    """Ask for what was edited from that minute on: Notion rounds its times down to whole minutes."""
    body: dict[str, Any] = {
        "page_size": PAGE_SIZE,
        "sorts": [{"timestamp": "last_edited_time", "direction": "descending"}],
    }
    if since is not None:
        moment = datetime.fromisoformat(since).astimezone(UTC).replace(second=0, microsecond=0)
        body["filter"] = {
            "timestamp": "last_edited_time",
            "last_edited_time": {"on_or_after": moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")},
        }
    return Request(
        "POST",
        "/v1/data_sources/{data_source_id}/query",
        at={"data_source_id": config["data_source_id"]},
        json=body,
    )


HAPPENED = {"id": "entity.id", "parent_id": "data.parent.id", "parent_type": "data.parent.type"}
AT = {"happened_at": Output("timestamp", kind="datetime")}

TRIGGERS = (
    Trigger(
        key="page_created",
        label="New page or item",
        event="page.created",
        sample=event("page.created", "page"),
        returns={**HAPPENED, **AT},
    ),
    Trigger(
        key="page_updated",
        label="A page's properties or content change",
        event=("page.properties_updated", "page.content_updated"),
        sample=event("page.properties_updated", "page", updated_properties=["XGe%40"]),
        returns={
            **HAPPENED,
            "updated_properties": Output("data.updated_properties", kind="list"),
            "updated_blocks": Output("data.updated_blocks", kind="list"),
            **AT,
        },
    ),
    Trigger(
        key="comment_created",
        label="New comment",
        event="comment.created",
        sample=event("comment.created", "comment", page_id="0ef104cd-477e-80e1-8571-cfd10e92339a"),
        returns={**HAPPENED, "page_id": "data.page_id", **AT},
    ),
    Trigger(
        key="item_updated_poll",
        label="New or changed database item (checked every few minutes)",
        kind="polling",
        fields=(DATA_SOURCE,),
        poll=Poll(
            request=poll_request,
            items="results",
            id=("id", "last_edited_time"),
            stamp="last_edited_time",
            pagination=IN_BODY,
        ),
        sample={
            "object": "page",
            "id": "59833787-2cf9-4fdf-8782-e53db20768a5",
            "url": "https://www.notion.so/Order-1042-598337872cf94fdf8782e53db20768a5",
            "created_time": "2026-11-20T10:29:00.000Z",
            "last_edited_time": "2026-11-20T10:30:00.000Z",
            "in_trash": False,
            "parent": {"type": "data_source_id", "data_source_id": "d9824bdc-8445-4327-be8b-5b47500af6ce"},
            "properties": {},
        },
        returns=PAGE,
    ),
)

connector = Connector(
    slug="notion",
    name="Notion",
    category="Productivity",
    summary="Create, read and change pages and database items, and react when they change.",
    docs_url="https://developers.notion.com/reference",
    base_url="https://api.notion.com",
    headers={"Notion-Version": API_VERSION},
    auth=(
        OAuth2(
            authorize_url="https://api.notion.com/v1/oauth/authorize",
            token_url="https://api.notion.com/v1/oauth/token",
            token_auth="basic",
            token_body="json",
            pkce=False,  # not documented by Notion
            authorize_params={"owner": "user"},
            rotates_refresh_token=True,
            account_from_token={
                "workspace_id": "workspace_id",
                "workspace_name": "workspace_name",
                "bot_id": "bot_id",
            },
        ),
        BearerToken(),
    ),
    test=Test(Request("GET", "/v1/users/me"), account={"bot_id": "id"}, label="bot.workspace_name"),
    on_error=refine,
    rate_limit=RateLimit(calls=180, seconds=60),
    webhooks=Webhooks(
        address="integration",
        signature=Hmac(header="X-Notion-Signature", prefix="sha256="),
        event="type",
        delivery_id="id",
        handshake=keep_json("verification_token", "secret"),
        shows_kept_secret=True,
        setup=(
            "In Notion, open your connection's settings, then Webhooks, and enter this address. "
            "Choose the page and comment events. Notion sends a verification token here: enter it there too."
        ),
    ),
    actions=ACTIONS,
    triggers=TRIGGERS,
)
