"""monday.com: items, updates and groups of boards; start on new and changed items."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.framework import (
    Action,
    ApiKey,
    Call,
    Connector,
    ConnectorError,
    Field,
    JwtHs256,
    OAuth2,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    ReconnectError,
    Request,
    Response,
    Subscription,
    TemporaryError,
    Test,
    Trigger,
    Webhooks,
    dig,
    echo_json,
    extract,
    given,
)

API_VERSION = "2026-10"
PAGE_SIZE = 100
MOST_PAGES = 100
ITEM_SELECTION = (
    "{ id name url created_at updated_at group { id title } board { id name } "
    "column_values { id text value type } }"
)
LIMITS = ("COMPLEXITY", "LIMIT_EXCEEDED", "RATE_LIMIT", "CONCURRENCY")
DAY_LIMIT_WAIT = 3600.0  # seconds; the count starts anew at midnight UTC


def graphql(document: str, **variables: Any) -> Request:
    """Return the request of one document; variables that are None are left out."""
    return Request("POST", "/v2", json={"query": document, "variables": given(variables)})


def failure(response: Response) -> ConnectorError | None:
    """Return the error in an answer's `errors`: monday.com mostly sends them with status 200."""
    code = str(dig(response.json, "errors.0.extensions.code") or "")
    said = dig(response.json, "errors.0.message") or ""
    if not (code or said):
        return None
    upper = code.upper()
    if any(word in upper for word in LIMITS):
        wait = dig(response.json, "errors.0.extensions.retry_in_seconds") or response.headers.get(
            "retry-after"
        )
        usual = DAY_LIMIT_WAIT if upper.startswith("DAILY") else 60.0
        return TemporaryError(
            "monday.com asked us to slow down. We will try again.",
            retry_after=float(wait) if str(wait or "").replace(".", "", 1).isdigit() else usual,
            status=response.status,
            code=code,
        )
    if response.status == 401 or "NOTAUTHENTICATED" in upper.replace("_", ""):
        return ReconnectError("monday.com no longer accepts this connection. Reconnect it.", code=code)
    if response.status >= 500 or "INTERNAL" in upper:
        return TemporaryError(
            "monday.com has a problem of its own right now. We will try again.",
            code=code,
            may_have_happened=True,
        )
    if "UNAUTHORIZED" in upper:
        return PermanentError(f'monday.com refused: this connection may not do that: "{said}"', code=code)
    return PermanentError(f'monday.com did not accept the request: "{said}"', code=code)


def check(response: Response) -> None:
    error = failure(response)
    if error is not None:
        raise error


NEXT = (
    "query NextItems($limit: Int!, $cursor: String!) { next_items_page(limit: $limit, cursor: $cursor) "
    f"{{ cursor items {ITEM_SELECTION} }} }}"
)
LIST_PATH = "data.boards.0.items_page"
FIND_PATH = "data.items_page_by_column_values"
NEXT_PATH = "data.next_items_page"


def page_of(response: Response) -> dict[str, Any]:
    """Return the page in an answer of any of the three documents that list items."""
    return next(
        (page for path in (LIST_PATH, FIND_PATH, NEXT_PATH) if (page := dig(response.json, path))), {}
    )


@dataclass(frozen=True)
class ItemPages:
    """The first page comes from one document, all others from another that only takes the cursor."""

    items: str = NEXT_PATH + ".items"

    def next(self, request: Request, response: Response) -> Request | None:
        cursor = page_of(response).get("cursor")
        return graphql(NEXT, limit=PAGE_SIZE, cursor=cursor) if cursor else None


def all_items(first: Any):
    """Return a `run` that reads every page of the list `first` begins."""

    def run(call: Call):
        most = int(call.inputs.get("limit") or PAGE_SIZE)
        items: list[Any] = []
        request: Request | None = first(call.inputs)
        for _page in range(MOST_PAGES):
            response = yield request
            items.extend(page_of(response).get("items") or [])
            request = ItemPages().next(request, response)
            if request is None or len(items) >= most:
                break
        return {"items": [extract(item, ITEM) for item in items[:most]]}

    return run


BOARD = Field("board", label="Board", required=True, options="list_boards", example="1234567890")
BOARD_TO_CHOOSE = Field(
    "board",
    label="Board",
    options="list_boards",
    example="1234567890",
    help="Helps to choose the group.",
)
ITEM_ID = Field("item", label="Item", required=True, example="9876543210", help="Its number.")
NAME = Field("name", label="Name", required=True, example="Order 1042")
COLUMN_VALUES = Field(
    "column_values",
    label="Values",
    kind="json",
    example={"status": {"label": "Done"}, "date4": {"date": "2026-11-22"}},
    help="The id of each column with its value.",
)
MAKE_LABELS = Field(
    "create_labels_if_missing",
    label="Make missing labels",
    kind="boolean",
    example=False,
    advanced=True,
    help="The connected person must be allowed to change the board.",
)
LIMIT = Field(
    "limit",
    label="Most results",
    kind="integer",
    default=PAGE_SIZE,
    minimum=1,
    maximum=10_000,
    example=100,
    advanced=True,
)
ITEM: Mapping[str, Output | str] = {
    "id": "id",
    "name": "name",
    "url": "url",
    "created_at": Output("created_at", kind="datetime"),
    "updated_at": Output("updated_at", kind="datetime"),
    "group_id": "group.id",
    "group": "group.title",
    "board_id": "board.id",
    "column_values": Output("column_values", kind="list", of={"id": "id", "text": "text", "value": "value"}),
}


def item_output(path: str) -> dict[str, Output]:
    return {
        name: Output(f"{path}.{value.path}", kind=value.kind, of=value.of)
        if isinstance(value, Output)
        else Output(f"{path}.{value}")
        for name, value in ITEM.items()
    }


def encoded(value: Any) -> str | None:
    """Return values as the JSON text monday.com wants in place of an object."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


CREATE = (
    "mutation CreateItem($board_id: ID!, $item_name: String!, $group_id: String, $column_values: "
    f"JSON, $create_labels_if_missing: Boolean) {{ create_item(board_id: $board_id, item_name: "
    "$item_name, group_id: $group_id, column_values: $column_values, create_labels_if_missing: "
    f"$create_labels_if_missing) {ITEM_SELECTION} }}"
)
UPDATE = (
    "mutation UpdateItem($board_id: ID!, $item_id: ID!, $column_values: JSON!, "
    f"$create_labels_if_missing: Boolean) {{ change_multiple_column_values(board_id: $board_id, "
    "item_id: $item_id, column_values: $column_values, create_labels_if_missing: "
    f"$create_labels_if_missing) {ITEM_SELECTION} }}"
)
GET = f"query GetItem($ids: [ID!]) {{ items(ids: $ids) {ITEM_SELECTION} }}"
FIND = (
    f"query FindItems($board_id: ID!, $limit: Int!, $columns: [ItemsPageByColumnValuesQuery!]) {{ "
    f"items_page_by_column_values(board_id: $board_id, limit: $limit, columns: $columns) {{ cursor "
    f"items {ITEM_SELECTION} }} }}"
)
LIST = (
    f"query ListItems($board_ids: [ID!], $limit: Int!, $query_params: ItemsQuery) {{ boards(ids: "
    f"$board_ids) {{ items_page(limit: $limit, query_params: $query_params) {{ cursor items "
    f"{ITEM_SELECTION} }} }} }}"
)
COMMENT = (
    "mutation CreateUpdate($item_id: ID!, $body: String!, $parent_id: ID) { "
    "create_update(item_id: $item_id, body: $body, parent_id: $parent_id) { id body text_body "
    "created_at creator_id } }"
)
MOVE = (
    "mutation MoveItem($item_id: ID!, $group_id: String!) { move_item_to_group(item_id: $item_id, "
    "group_id: $group_id) { id name group { id title } } }"
)
SUBITEM = (
    "mutation CreateSubitem($parent_item_id: ID!, $item_name: String!, $column_values: JSON, "
    "$create_labels_if_missing: Boolean) { create_subitem(parent_item_id: $parent_item_id, "
    "item_name: $item_name, column_values: $column_values, create_labels_if_missing: "
    "$create_labels_if_missing) { id name url board { id } } }"
)
GROUP = (
    "mutation CreateGroup($board_id: ID!, $group_name: String!) { create_group(board_id: "
    "$board_id, group_name: $group_name) { id title } }"
)
ARCHIVE = "mutation ArchiveItem($item_id: ID!) { archive_item(item_id: $item_id) { id state } }"
BOARDS = (
    "query Boards($limit: Int!, $page: Int!) { boards(limit: $limit, page: $page, state: active, "
    "order_by: used_at) { id name type } }"
)
META = (
    "query BoardMeta($ids: [ID!]) { boards(ids: $ids) { id columns { id title type } groups { id title } } }"
)
SUBSCRIBE = (
    "mutation ($board_id: ID!, $url: String!, $event: WebhookEventType!, $config: JSON) { "
    "create_webhook(board_id: $board_id, url: $url, event: $event, config: $config) { id board_id "
    "event } }"
)
UNSUBSCRIBE = "mutation ($id: ID!) { delete_webhook(id: $id) { id board_id } }"


def found_item(response: Response) -> dict[str, Any]:
    item = dig(response.json, "data.items.0")
    if item is None:
        raise PermanentError("monday.com has no such item, or this connection may not see it.")
    return extract(item, ITEM)


ACTIONS = (
    Action(
        "create_item",
        "Create an item",
        fields=(
            BOARD,
            NAME,
            Field(
                "group",
                label="Group",
                options="list_groups",
                depends_on=("board",),
                example="topics",
                help="Empty takes the first.",
            ),
            COLUMN_VALUES,
            MAKE_LABELS,
        ),
        request=lambda inputs: graphql(
            CREATE,
            board_id=inputs["board"],
            item_name=inputs["name"],
            group_id=inputs.get("group"),
            column_values=encoded(inputs.get("column_values")),
            create_labels_if_missing=inputs.get("create_labels_if_missing"),
        ),
        returns=item_output("data.create_item"),
    ),
    Action(
        "update_item",
        "Change an item",
        fields=(
            BOARD,
            ITEM_ID,
            Field(
                "column_values",
                label="Values",
                kind="json",
                required=True,
                example={"status": {"label": "Done"}},
                help="The id of each column with its value; name changes the item's name.",
            ),
            MAKE_LABELS,
        ),
        request=lambda inputs: graphql(
            UPDATE,
            board_id=inputs["board"],
            item_id=inputs["item"],
            column_values=encoded(inputs["column_values"]),
            create_labels_if_missing=inputs.get("create_labels_if_missing"),
        ),
        returns=item_output("data.change_multiple_column_values"),
        effect="key_safe",  # the same values set twice are the same item
    ),
    Action(
        "get_item",
        "Read an item",
        fields=(ITEM_ID,),
        request=lambda inputs: graphql(GET, ids=[inputs["item"]]),
        output=found_item,
        returns=item_output("data.items.0"),
        effect="read",
    ),
    Action(
        "find_items",
        "Find items by their values",
        fields=(
            BOARD,
            Field(
                "columns",
                label="Columns",
                kind="list",
                required=True,
                fields=(
                    Field("column_id", label="Column", required=True, help="Its id."),
                    Field("column_values", label="Values", kind="multi_select", required=True),
                ),
                example=[{"column_id": "status", "column_values": ["Done"]}],
                help="All must fit exactly.",
            ),
            LIMIT,
        ),
        run=all_items(
            lambda inputs: graphql(FIND, board_id=inputs["board"], limit=PAGE_SIZE, columns=inputs["columns"])
        ),
        returns={"items": Output("items", kind="list", of=ITEM)},
        effect="read",
    ),
    Action(
        "list_items",
        "List the items of a board",
        fields=(
            BOARD,
            Field(
                "query_params",
                label="Filter and order",
                kind="json",
                example={"order_by": [{"column_id": "__last_updated__", "direction": "desc"}]},
                help="Rules and order as monday.com describes them.",
                advanced=True,
            ),
            LIMIT,
        ),
        run=all_items(
            lambda inputs: graphql(
                LIST, board_ids=[inputs["board"]], limit=PAGE_SIZE, query_params=inputs.get("query_params")
            )
        ),
        returns={"items": Output("items", kind="list", of=ITEM)},
        effect="read",
    ),
    Action(
        "create_update",
        "Post an update on an item",
        fields=(
            ITEM_ID,
            Field(
                "body",
                label="Text",
                kind="long_text",
                required=True,
                example="Paid <b>today</b>",
                help="HTML is shown formatted.",
            ),
            Field(
                "parent", label="Answer to update", example="1122334455", advanced=True, help="Its number."
            ),
        ),
        request=lambda inputs: graphql(
            COMMENT, item_id=inputs["item"], body=inputs["body"], parent_id=inputs.get("parent")
        ),
        returns={
            "id": "data.create_update.id",
            "text": "data.create_update.text_body",
            "created_at": Output("data.create_update.created_at", kind="datetime"),
        },
    ),
    Action(
        "move_item",
        "Move an item to a group",
        fields=(
            ITEM_ID,
            BOARD_TO_CHOOSE,
            Field(
                "group",
                label="Group",
                required=True,
                options="list_groups",
                depends_on=("board",),
                example="topics",
            ),
        ),
        request=lambda inputs: graphql(MOVE, item_id=inputs["item"], group_id=inputs["group"]),
        returns={"id": "data.move_item_to_group.id", "group_id": "data.move_item_to_group.group.id"},
        effect="key_safe",  # it is in that group, however often it is moved there
    ),
    Action(
        "create_subitem",
        "Create a subitem",
        fields=(
            Field("item", label="Parent item", required=True, example="9876543210", help="Its number."),
            NAME,
            COLUMN_VALUES,
            MAKE_LABELS,
        ),
        request=lambda inputs: graphql(
            SUBITEM,
            parent_item_id=inputs["item"],
            item_name=inputs["name"],
            column_values=encoded(inputs.get("column_values")),
            create_labels_if_missing=inputs.get("create_labels_if_missing"),
        ),
        returns={"id": "data.create_subitem.id", "board_id": "data.create_subitem.board.id"},
    ),
    Action(
        "create_group",
        "Create a group",
        fields=(BOARD, Field("name", label="Name", required=True, example="This week")),
        request=lambda inputs: graphql(GROUP, board_id=inputs["board"], group_name=inputs["name"]),
        returns={"id": "data.create_group.id", "title": "data.create_group.title"},
    ),
    Action(
        "archive_item",
        "Archive an item",
        fields=(ITEM_ID,),
        request=lambda inputs: graphql(ARCHIVE, item_id=inputs["item"]),
        returns={"id": "data.archive_item.id"},
    ),
)


def boards(response: Response) -> dict[str, Any]:
    # Boards of subitems and documents are listed too; nobody means those.
    return {
        "items": [entry for entry in dig(response.json, "data.boards", []) if entry.get("type") == "board"]
    }


def of_board(key: str, label: str, name: str) -> Action:
    return Action(
        key,
        label,
        fields=(Field("board", label="Board", required=True, example="1234567890"),),
        request=lambda inputs: graphql(META, ids=[inputs["board"]]),
        offers=Offers(items="items", label="title"),
        returns={"items": Output(f"data.boards.0.{name}", kind="list", of={"id": "id", "title": "title"})},
        effect="read",
        hidden=True,
    )


LISTINGS = (
    Action(
        "list_boards",
        "List boards",
        request=lambda inputs: graphql(BOARDS, limit=500, page=1),
        output=boards,
        offers=Offers(items="items"),
        returns={"items": Output("data.boards", kind="list", of={"id": "id", "name": "name"})},
        effect="read",
        hidden=True,
    ),
    of_board("list_groups", "List the groups of a board", "groups"),
    of_board("list_columns", "List the columns of a board", "columns"),
)


def subscribe(subscription: Subscription) -> Request:
    column = subscription.config.get("column")
    event = subscription.events[0]
    return graphql(
        SUBSCRIBE,
        board_id=subscription.config["board"],
        url=subscription.address,
        event="change_specific_column_value" if column else event,
        config=encoded({"columnId": column}) if column else None,
    )


def sample(type_: str, **more: Any) -> dict[str, Any]:
    """Return a sample delivery in monday.com's shape."""
    return {
        "event": {
            "type": type_,
            "userId": 9603417,
            "boardId": 1234567890,
            "pulseId": 9876543210,
            "pulseName": "Order 1042",
            "triggerTime": "2026-11-22T10:35:05.000Z",
            "subscriptionId": 73759690,
            "triggerUuid": "b5ed2e17c530f43668de130142445cba",
            **more,
        }
    }


SIGN_IN = "Needs a connection made by signing in to monday.com, not one made with a token."
OF_ITEM = {
    "item_id": "pulseId",
    "item_name": "pulseName",
    "board_id": "boardId",
    "user_id": "userId",
    "time": Output("triggerTime", kind="datetime"),
}
# The first event of each is the one subscribed to; deliveries may name it differently.
TRIGGERS = (
    Trigger(
        key="item_created",
        label="New item",
        description=SIGN_IN,
        event=("create_item", "create_pulse"),
        fields=(BOARD,),
        root="event",
        sample=sample("create_pulse", groupId="topics", columnValues={}),
        returns={**OF_ITEM, "group_id": "groupId", "column_values": Output("columnValues", kind="object")},
    ),
    Trigger(
        key="column_changed",
        label="A value of an item changed",
        description=SIGN_IN,
        event=("change_column_value", "change_specific_column_value", "update_column_value"),
        fields=(
            BOARD,
            Field(
                "column",
                label="Only this column",
                options="list_columns",
                depends_on=("board",),
                example="status",
            ),
        ),
        root="event",
        sample=sample(
            "update_column_value",
            columnId="status",
            columnType="color",
            columnTitle="Status",
            value={"label": {"text": "Done"}},
            previousValue={"label": {"text": "Working on it"}},
        ),
        returns={
            **OF_ITEM,
            "column_id": "columnId",
            "value": Output("value", kind="object"),
            "previous_value": Output("previousValue", kind="object"),
        },
    ),
    Trigger(
        key="update_created",
        label="New update on an item",
        description=SIGN_IN,
        event="create_update",
        fields=(BOARD,),
        root="event",
        sample=sample("create_update", updateId=1122334455, body="<p>Paid</p>", textBody="Paid"),
        returns={**OF_ITEM, "update_id": "updateId", "body": "body", "text": "textBody"},
    ),
    Trigger(
        key="item_moved",
        label="An item is moved to a group",
        description=SIGN_IN,
        event=("item_moved_to_any_group", "move_pulse_into_group"),
        fields=(BOARD,),
        root="event",
        sample=sample("move_pulse_into_group", sourceGroupId="topics", destGroupId="done"),
        returns={**OF_ITEM, "from_group": "sourceGroupId", "to_group": "destGroupId"},
    ),
    Trigger(
        key="items_updated_poll",
        label="New or changed item (checked every few minutes)",
        kind="polling",
        fields=(BOARD,),
        poll=Poll(
            request=lambda config, since: graphql(
                LIST,
                board_ids=[config["board"]],
                limit=PAGE_SIZE,
                query_params={"order_by": [{"column_id": "__last_updated__", "direction": "desc"}]},
            ),
            items=lambda response, config: page_of(response).get("items") or [],
            id=("id", "updated_at"),
            stamp="updated_at",
            pagination=ItemPages(),
            interval_seconds=900,  # plans allow as few as a thousand calls a day
        ),
        sample={
            "id": "9876543210",
            "name": "Order 1042",
            "url": "https://example.monday.com/boards/1234567890/pulses/9876543210",
            "created_at": "2026-11-22T10:30:00Z",
            "updated_at": "2026-11-22T10:35:05Z",
            "group": {"id": "topics", "title": "This week"},
            "board": {"id": "1234567890", "name": "Orders"},
            "column_values": [],
        },
        returns=ITEM,
    ),
)

connector = Connector(
    slug="monday",
    name="monday.com",
    category="Productivity",
    summary="Create, change and find items of boards, and react to what happens to them.",
    docs_url="https://developer.monday.com/api-reference/docs",
    base_url="https://api.monday.com",
    auth=(
        OAuth2(
            authorize_url="https://auth.monday.com/oauth2/authorize",
            token_url="https://auth.monday.com/oauth_ms/oauth/token",
            revoke_url="https://auth.monday.com/oauth_ms/oauth/revoke",
            token_body="json",
            scopes=(
                "me:read",
                "boards:read",
                "boards:write",
                "updates:read",
                "updates:write",
                "users:read",
                "workspaces:read",
                "webhooks:read",
                "webhooks:write",
                "account:read",
            ),
            rotates_refresh_token=True,
            expires_in=3600,  # the answer names no time; asking anew too early does no harm
            header_prefix="",
        ),
        ApiKey(
            secret_label="Personal API token",
            label="Personal API token",
            help="In monday.com: your picture, Developers, API access tokens.",
        ),
    ),
    headers={"API-Version": API_VERSION},
    test=Test(
        graphql("query { me { id name email account { id name slug } } }"),
        account={"user_id": "data.me.id", "account_slug": "data.me.account.slug"},
        label="data.me.account.name",
    ),
    check=check,
    on_error=failure,
    rate_limit=RateLimit(calls=1000, seconds=60),
    webhooks=Webhooks(
        address="trigger",
        signature=JwtHs256(),
        secret="app",
        handshake=echo_json("challenge"),
        event="event.type",
        delivery_id="event.triggerUuid",
        subscribe=subscribe,
        read=lambda response, subscription: {"id": dig(response.json, "data.create_webhook.id")},
        unsubscribe=lambda subscription: graphql(UNSUBSCRIBE, id=subscription.state["id"]),
    ),
    actions=(*ACTIONS, *LISTINGS),
    triggers=TRIGGERS,
)
