"""Trello: cards, comments, checklists, lists and boards; start when something happens on a board."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.framework import (
    Action,
    Connector,
    ConnectorError,
    CursorPages,
    Field,
    Hmac,
    NumberedPages,
    OAuth2,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    ReconnectError,
    Request,
    Response,
    TemporaryError,
    Test,
    Trigger,
    Webhooks,
    answer_methods,
    dig,
)
from integrations.framework.auth import needed
from integrations.framework.signatures import body_then_address

PAUSE_SECONDS = 10  # the window of Trello's limits; its answers name no wait
MOST_ACTIONS = 1000


@dataclass(frozen=True)
class KeyAndToken:
    """The key of a Power-Up and a person's token, in the one header Trello takes both in."""

    key: str = "api_key"
    label: str = "API key and token"

    @property
    def fields(self) -> tuple[Field, ...]:
        return (
            Field(
                "api_key",
                label="API key",
                required=True,
                help="On trello.com/power-ups/admin: your Power-Up, API key.",
            ),
            Field("token", label="Token", kind="secret", required=True, help="Beside the key: “Token”."),
            Field(
                "signing_secret",
                label="Secret",
                kind="secret",
                help="Below the key. Needed for workflows that start by themselves.",
            ),
        )

    def apply(self, headers: dict[str, str], query: dict[str, Any], credentials: Mapping[str, Any]) -> None:
        key, token = needed(credentials, "api_key"), needed(credentials, "token")
        headers["Authorization"] = f'OAuth oauth_consumer_key="{key}", oauth_token="{token}"'


def refine(response: Response) -> ConnectorError | None:
    """Return the error behind an answer whose reason is usually plain text."""
    said = dig(response.json, "message") or response.text.strip()[:200]
    if response.status == 429:
        if "API_TOO_MANY_CARDS_REQUESTED" in response.text:
            return PermanentError("The board holds too many cards for one answer. Ask for fewer.", status=429)
        return TemporaryError(
            "Trello asked us to slow down. We will try again.", retry_after=PAUSE_SECONDS, status=429
        )
    if response.status == 401 and "permission" in said:
        # The token is fine; it may not touch this one card or board.
        return PermanentError(
            "Trello refused: the connected person may not change this. Ask for access to the board.",
            detail=said,
            status=401,
        )
    if response.status == 400 and said in ("invalid key", "invalid token", "invalid app token"):
        return ReconnectError("Trello no longer accepts this connection. Reconnect it.", status=400)
    if response.status == 400:
        return PermanentError(f'Trello did not accept the request: "{said}"', status=400)
    return None


CARD = Field(
    "card",
    label="Card",
    required=True,
    send="id",
    example="5abbe4b7ddc1b351ef961414",
    help="Its id from an earlier step, or the eight characters after /c/ in its address.",
)
BOARD = Field(
    "board",
    label="Board",
    required=True,
    options="list_boards",
    example="4eea4ffc91e31d1746000046",
)
# Trello finds a list by its own id; the board only serves to choose it.
BOARD_TO_CHOOSE = Field(
    "board",
    label="Board",
    options="list_boards",
    place="none",
    example="4eea4ffc91e31d1746000046",
    help="Helps to choose what follows.",
)
LIST = Field(
    "list",
    label="List",
    options="list_lists",
    depends_on=("board",),
    example="5abbe4b7ddc1b351ef961415",
    send="idList",
    place="query",
)
POSITION = Field(
    "position",
    label="Position",
    kind="select",
    choices=(("top", "First"), ("bottom", "Last")),
    send="pos",
    place="query",
    example="top",
)
NAME = Field("name", label="Title", place="query", example="Order 1042")
DESCRIPTION = Field(
    "description",
    label="Description",
    kind="long_text",
    send="desc",
    max_length=16_384,
    example="Two chairs",
    help="Markdown is shown formatted.",
)
DUE = Field("due", label="Due", kind="datetime", place="query", example="2026-11-30T12:00:00+00:00")


def people(label: str, help_: str = "") -> Field:
    return Field(
        "members",
        label=label,
        help=help_,
        kind="multi_select",
        options="list_members",
        depends_on=("board",),
        send="idMembers",
        place="query",
        example=["5abbe4b7ddc1b351ef961416"],
    )


def labels(label: str, help_: str = "") -> Field:
    return Field(
        "labels",
        label=label,
        help=help_,
        kind="multi_select",
        options="list_labels",
        depends_on=("board",),
        send="idLabels",
        place="query",
        example=["5abbe4b7ddc1b351ef961417"],
    )


CARD_OUTPUT = {
    "id": "id",
    "name": "name",
    "desc": "desc",
    "idList": "idList",
    "idBoard": "idBoard",
    "shortUrl": "shortUrl",
    "url": "url",
    "due": Output("due", kind="datetime"),
    "dueComplete": Output("dueComplete", kind="boolean"),
    "labels": Output("labels", kind="list"),
    "idMembers": Output("idMembers", kind="list"),
    "dateLastActivity": Output("dateLastActivity", kind="datetime"),
    "closed": Output("closed", kind="boolean"),
}


def card_request(method: str, path: str, *fields: Field):
    """Return a builder that writes lists of ids the way Trello reads them: with commas."""

    def build(inputs: Mapping[str, Any]) -> Request:
        query: dict[str, Any] = {}
        body: dict[str, Any] = {}
        for field in fields:
            if field.key not in inputs or field.place == "none" or field.wire_name == "id":
                continue
            value = inputs[field.key]
            value = ",".join(value) if isinstance(value, list) else value
            (query if field.place == "query" else body)[field.wire_name] = value
        at = {"id": inputs["card"]} if "{id}" in path else {}
        return Request(method, path, at=at, query=query or None, json=body or None)

    return build


NEW_CARD = (
    BOARD_TO_CHOOSE,
    Field(
        "list",
        label="List",
        required=True,
        options="list_lists",
        depends_on=("board",),
        example="5abbe4b7ddc1b351ef961415",
        send="idList",
        place="query",
    ),
    NAME,
    DESCRIPTION,
    POSITION,
    DUE,
    Field("start", label="Start", kind="date", place="query", example="2026-11-24", advanced=True),
    people("Members"),
    labels("Labels"),
    Field(
        "url",
        label="Link to attach",
        kind="url",
        send="urlSource",
        place="query",
        example="https://example.com/orders/1042",
    ),
    Field(
        "copy_of",
        label="Copy of card",
        send="idCardSource",
        place="query",
        example="5abbe4b7ddc1b351ef961418",
        advanced=True,
    ),
)
CHANGED_CARD = (
    CARD,
    BOARD_TO_CHOOSE,
    NAME,
    DESCRIPTION,
    LIST,
    Field(
        "to_board",
        label="Move to board",
        options="list_boards",
        send="idBoard",
        place="query",
        example="4eea4ffc91e31d1746000047",
        advanced=True,
    ),
    Field("archived", label="Archived", kind="boolean", send="closed", place="query", example=False),
    DUE,
    Field("due_complete", label="Done", kind="boolean", send="dueComplete", place="query", example=True),
    people("Members", "They replace those on the card."),
    labels("Labels", "They replace those on the card."),
    POSITION,
)

ACTIONS = (
    Action(
        "create_card",
        "Create a card",
        fields=NEW_CARD,
        request=card_request("POST", "/cards", *NEW_CARD),
        returns=CARD_OUTPUT,
    ),
    Action(
        "update_card",
        "Change, move or archive a card",
        fields=CHANGED_CARD,
        request=card_request("PUT", "/cards/{id}", *CHANGED_CARD),
        returns=CARD_OUTPUT,
        effect="key_safe",  # the same values set twice are the same card
    ),
    Action(
        "get_card",
        "Read a card",
        fields=(
            CARD,
            Field(
                "checklists",
                label="With its checklists",
                kind="select",
                choices=(("all", "Yes"), ("none", "No")),
                example="all",
            ),
            Field(
                "custom_fields",
                label="With its custom fields",
                kind="boolean",
                send="customFieldItems",
                example=True,
            ),
        ),
        call="GET /cards/{id}",
        returns={
            **CARD_OUTPUT,
            "checklists": Output("checklists", kind="list"),
            "custom_fields": Output("customFieldItems", kind="list"),
        },
        effect="read",
    ),
    Action(
        "add_comment",
        "Comment on a card",
        fields=(
            CARD,
            Field(
                "text",
                label="Comment",
                kind="long_text",
                required=True,
                max_length=16_384,
                example="Paid today",
            ),
        ),
        call="POST /cards/{id}/actions/comments",
        returns={
            "id": "id",
            "date": Output("date", kind="datetime"),
            "text": "data.text",
            "card": "data.card.id",
            "author": "memberCreator.fullName",
        },
    ),
    Action(
        "add_checklist",
        "Add a checklist",
        fields=(
            CARD,
            Field("name", label="Name", place="query", example="Packing"),
            Field(
                "copy_of",
                label="Copy of checklist",
                send="idChecklistSource",
                place="query",
                example="5abbe4b7ddc1b351ef961419",
                advanced=True,
            ),
            POSITION,
        ),
        call="POST /cards/{id}/checklists",
        returns={"id": "id", "name": "name", "idCard": "idCard"},
    ),
    Action(
        "add_checklist_item",
        "Add an entry to a checklist",
        fields=(
            Field(
                "checklist",
                label="Checklist",
                required=True,
                send="id",
                example="5abbe4b7ddc1b351ef961419",
                help="Its id, as given by “Add a checklist” or “Read a card”.",
            ),
            Field(
                "name", label="Text", required=True, place="query", max_length=16_384, example="Print label"
            ),
            POSITION,
            Field("checked", label="Done", kind="boolean", place="query", example=False),
            Field("due", label="Due", kind="date", place="query", example="2026-11-30", advanced=True),
            Field(
                "member",
                label="Person",
                send="idMember",
                place="query",
                example="5abbe4b7ddc1b351ef961416",
                advanced=True,
                help="The id of a member of the board.",
            ),
        ),
        call="POST /checklists/{id}/checkItems",
        returns={"id": "id", "name": "name", "state": "state"},
    ),
    Action(
        "add_attachment",
        "Attach a link to a card",
        fields=(
            CARD,
            Field(
                "url",
                label="Link",
                kind="url",
                required=True,
                place="query",
                example="https://example.com/orders/1042",
            ),
            Field("name", label="Name", place="query", example="Order"),
            Field(
                "mime_type",
                label="Type",
                send="mimeType",
                place="query",
                example="image/png",
                advanced=True,
                help="Such as image/png.",
            ),
            Field(
                "cover", label="Show as cover", kind="boolean", send="setCover", place="query", example=False
            ),
        ),
        call="POST /cards/{id}/attachments",
        returns={"id": "0.id", "name": "0.name", "url": "0.url"},
        output=lambda response: {
            name: dig(response.json, name, dig(response.json, f"0.{name}")) for name in ("id", "name", "url")
        },
    ),
    Action(
        "add_label",
        "Put a label on a card",
        fields=(
            CARD,
            BOARD_TO_CHOOSE,
            Field(
                "label",
                label="Label",
                required=True,
                options="list_labels",
                depends_on=("board",),
                send="value",
                place="query",
                example="5abbe4b7ddc1b351ef961417",
            ),
        ),
        call="POST /cards/{id}/idLabels",
        returns={"labels": Output("", kind="list")},
    ),
    Action(
        "add_member",
        "Put a person on a card",
        fields=(
            CARD,
            BOARD_TO_CHOOSE,
            Field(
                "member",
                label="Person",
                required=True,
                options="list_members",
                depends_on=("board",),
                send="value",
                place="query",
                example="5abbe4b7ddc1b351ef961416",
            ),
        ),
        call="POST /cards/{id}/idMembers",
        returns={"members": Output("", kind="list", of={"id": "id", "name": "fullName"})},
    ),
    Action(
        "create_list",
        "Create a list",
        fields=(
            Field("name", label="Name", required=True, place="query", example="This week"),
            Field(
                "board",
                label="Board",
                required=True,
                options="list_boards",
                send="idBoard",
                place="query",
                example="4eea4ffc91e31d1746000046",
            ),
            POSITION,
        ),
        call="POST /lists",
        returns={"id": "id", "name": "name", "idBoard": "idBoard"},
    ),
    Action(
        "create_board",
        "Create a board",
        fields=(
            Field("name", label="Name", required=True, place="query", example="Orders"),
            DESCRIPTION,
            Field(
                "workspace",
                label="Workspace",
                options="list_workspaces",
                send="idOrganization",
                place="query",
                example="5abbe4b7ddc1b351ef961420",
            ),
            Field(
                "default_lists",
                label="With the lists To Do, Doing and Done",
                kind="boolean",
                send="defaultLists",
                place="query",
                example=True,
            ),
        ),
        call="POST /boards/",
        returns={"id": "id", "name": "name", "url": "url", "shortUrl": "shortUrl"},
    ),
    Action(
        "search",
        "Find cards",
        fields=(
            Field(
                "query",
                label="Search for",
                required=True,
                example="order due:day",
                help="Words, and also list:Name, @member, due:day or is:open.",
            ),
            Field(
                "boards",
                label="Only on these boards",
                kind="multi_select",
                options="list_boards",
                example=["4eea4ffc91e31d1746000046"],
            ),
            Field("partial", label="Also beginnings of words", kind="boolean", example=True),
        ),
        request=lambda inputs: Request(
            "GET",
            "/search",
            query={
                "query": inputs["query"],
                "idBoards": ",".join(inputs["boards"]) if inputs.get("boards") else None,
                "partial": inputs.get("partial"),
                "modelTypes": "cards",
                "cards_limit": 100,
            },
        ),
        pagination=NumberedPages(
            items="cards", size=100, into="cards_page", size_into="cards_limit", first=0
        ),
        returns={
            "cards": Output(
                "cards",
                kind="list",
                of={"id": "id", "name": "name", "shortUrl": "shortUrl", "idList": "idList"},
            )
        },
        effect="read",
    ),
)


def listing(key: str, label: str, path: str, query: Mapping[str, Any], name: str = "name") -> Action:
    """Return an action that only feeds choices."""
    of_board = (Field("board", label="Board", required=True, example="4eea4ffc91e31d1746000046"),)
    return Action(
        key,
        label,
        fields=of_board if "{id}" in path else (),
        request=lambda inputs: Request(
            "GET", path, at={"id": inputs["board"]} if "{id}" in path else {}, query=query
        ),
        offers=Offers(items="items"),
        returns={"items": Output("", kind="list", of={"id": "id", "name": name})},
        effect="read",
        hidden=True,
    )


def named_labels(response: Response) -> dict[str, Any]:
    # Many labels have no name: people know them by their colour.
    return {
        "items": [
            {"id": entry.get("id"), "name": entry.get("name") or entry.get("color")}
            for entry in response.json or []
        ]
    }


LISTINGS = (
    listing("list_boards", "List boards", "/members/me/boards", {"filter": "open", "fields": "name"}),
    listing("list_lists", "List the lists of a board", "/boards/{id}/lists", {"filter": "open"}),
    listing("list_members", "List the members of a board", "/boards/{id}/members", {}, "fullName"),
    Action(
        "list_labels",
        "List the labels of a board",
        fields=(Field("board", label="Board", required=True, example="4eea4ffc91e31d1746000046"),),
        request=lambda inputs: Request(
            "GET", "/boards/{id}/labels", at={"id": inputs["board"]}, query={"limit": 1000}
        ),
        output=named_labels,
        offers=Offers(items="items"),
        returns={"items": Output("", kind="list", of={"id": "id", "name": "name"})},
        effect="read",
        hidden=True,
    ),
    Action(
        "list_workspaces",
        "List workspaces",
        request=lambda inputs: Request(
            "GET",
            "/members/{id}",
            at={"id": "me"},
            query={"organizations": "all", "organization_fields": "displayName", "fields": "id"},
        ),
        offers=Offers(items="items"),
        returns={"items": Output("organizations", kind="list", of={"id": "id", "name": "displayName"})},
        effect="read",
        hidden=True,
    ),
    Action(
        "list_cards",
        "List the cards of a list",
        fields=(
            BOARD_TO_CHOOSE,
            Field(
                "list",
                label="List",
                required=True,
                send="id",
                options="list_lists",
                depends_on=("board",),
                example="5abbe4b7ddc1b351ef961415",
            ),
        ),
        call="GET /lists/{id}/cards",
        returns={"cards": Output("", kind="list", of=CARD_OUTPUT)},
        effect="read",
    ),
)

WATCHED = Field(
    "board", label="Board", required=True, options="list_boards", example="4eea4ffc91e31d1746000046"
)
IN_LIST = Field(
    "list",
    label="Only in this list",
    options="list_lists",
    depends_on=("board",),
    example="5abbe4b7ddc1b351ef961415",
)
CHANGES = (
    ("name", "Title"),
    ("desc", "Description"),
    ("due", "Due date"),
    ("dueComplete", "Done"),
    ("closed", "Archived or brought back"),
)
BOARD_ID, LIST_ID = WATCHED.example, IN_LIST.example
CARD_DATA = {"id": CARD.example, "name": "Order 1042", "shortLink": "H0TZyzbK", "idShort": 4}


def action_sample(type_: str, **data: Any) -> dict[str, Any]:
    """Return a sample delivery in Trello's shape."""
    return {
        "action": {
            "id": "692191d9e0f1a2b3c4d5e6f7",
            "idMemberCreator": "5abbe4b7ddc1b351ef961416",
            "type": type_,
            "date": "2026-11-22T10:35:05.000Z",
            "data": {"board": {"id": BOARD_ID, "name": "Orders"}, "card": CARD_DATA, **data},
            "memberCreator": {"id": "5abbe4b7ddc1b351ef961416", "fullName": "Ada Lovelace"},
        },
        "model": {"id": BOARD_ID, "name": "Orders"},
        "webhook": {"id": "692191d9e0f1a2b3c4d5e6f8", "idModel": BOARD_ID, "active": True},
    }


def in_list(path: str):
    """Return a filter on the list named at `path` of the event."""
    return lambda event, config, account: (
        bool(dig(event, path)) and config.get("list") in (None, "", dig(event, path))
    )


def was_changed(event: Any, config: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    # `old` holds what was there before; moving between and inside lists has events of its own meaning.
    changed = set(dig(event, "action.data.old") or {}) - {"pos", "idList"}
    return bool(changed) and config.get("change") in (None, "", *changed)


def on_card(event: Any, config: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    return config.get("card") in (
        None,
        "",
        dig(event, "action.data.card.id"),
        dig(event, "action.data.card.shortLink"),
    )


EVENT = {
    "card_id": "data.card.id",
    "card_name": "data.card.name",
    "board_id": "data.board.id",
    "by": "memberCreator.fullName",
    "date": Output("date", kind="datetime"),
}
TRIGGERS = (
    Trigger(
        key="card_created",
        label="New card",
        event=("createCard", "copyCard", "emailCard", "convertToCardFromCheckItem"),
        fields=(WATCHED, IN_LIST),
        accepts=in_list("action.data.list.id"),
        root="action",
        sample=action_sample("createCard", list={"id": LIST_ID, "name": "To do"}),
        returns={**EVENT, "list_id": "data.list.id", "list_name": "data.list.name"},
    ),
    Trigger(
        key="card_moved",
        label="Card moved to a list",
        event="updateCard",
        fields=(WATCHED, IN_LIST),
        accepts=in_list("action.data.listAfter.id"),
        root="action",
        sample=action_sample(
            "updateCard",
            old={"idList": "5abbe4b7ddc1b351ef961421"},
            listBefore={"id": "5abbe4b7ddc1b351ef961421", "name": "To do"},
            listAfter={"id": LIST_ID, "name": "Done"},
        ),
        returns={
            **EVENT,
            "from_list": "data.listBefore.name",
            "to_list": "data.listAfter.name",
            "to_list_id": "data.listAfter.id",
        },
    ),
    Trigger(
        key="card_updated",
        label="Card changed",
        event="updateCard",
        fields=(
            WATCHED,
            Field("change", label="Only when this changed", kind="select", choices=CHANGES, example="due"),
        ),
        accepts=was_changed,
        root="action",
        sample=action_sample(
            "updateCard",
            card={**CARD_DATA, "due": "2026-11-30T12:00:00.000Z"},
            old={"due": None},
            list={"id": LIST_ID, "name": "To do"},
        ),
        returns={
            **EVENT,
            "card": Output("data.card", kind="object"),
            "old": Output("data.old", kind="object"),
        },
    ),
    Trigger(
        key="comment_added",
        label="New comment",
        event="commentCard",
        fields=(WATCHED, Field("card", label="Only on this card", example=CARD.example)),
        accepts=on_card,
        root="action",
        sample=action_sample("commentCard", text="Paid today", list={"id": LIST_ID, "name": "To do"}),
        returns={**EVENT, "text": "data.text"},
    ),
    Trigger(
        key="board_actions_poll",
        label="Something happened on a board (checked every few minutes)",
        description="New cards, moved cards and comments.",
        kind="polling",
        fields=(WATCHED,),
        poll=Poll(
            request=lambda config, since: Request(
                "GET",
                "/boards/{boardId}/actions",
                at={"boardId": config["board"]},
                query={
                    "filter": "createCard,updateCard:idList,commentCard",
                    "limit": MOST_ACTIONS,
                    "since": since,
                },
            ),
            stamp="date",
            pagination=CursorPages(items="", into="before", last_item="id"),
        ),
        sample=action_sample("createCard", list={"id": LIST_ID, "name": "To do"})["action"],
        returns={
            "id": "id",
            "type": "type",
            **EVENT,
            "list_name": "data.list.name",
            "from_list": "data.listBefore.name",
            "to_list": "data.listAfter.name",
            "text": "data.text",
        },
    ),
)

connector = Connector(
    slug="trello",
    name="Trello",
    category="Productivity",
    summary="Create, move and comment cards, and react to what happens on a board.",
    docs_url="https://developer.atlassian.com/cloud/trello/rest/",
    base_url="https://api.trello.com/1",
    auth=(
        OAuth2(
            authorize_url="https://auth.atlassian.com/authorize",
            token_url="https://auth.atlassian.com/oauth/token",
            token_body="json",
            scopes=(
                "read:board:trello",
                "write:board:trello",
                "read:member:trello",
                "read:organization:trello",
                "offline_access",
            ),
            authorize_params={"prompt": "consent"},
            rotates_refresh_token=True,
        ),
        KeyAndToken(),
    ),
    test=Test(
        Request("GET", "/members/me", query={"fields": "id,username,fullName"}),
        account={"member_id": "id"},
        label="fullName",
    ),
    on_error=refine,
    rate_limit=RateLimit(calls=100, seconds=10),
    webhooks=Webhooks(
        address="trigger",
        signature=Hmac("X-Trello-Webhook", digest="sha1", encoding="base64", signed=body_then_address),
        secret="app",
        handshake=answer_methods("HEAD"),  # Trello looks whether we are there before it makes the webhook
        event="action.type",
        delivery_id="action.id",
        subscribe=lambda subscription: Request(
            "POST",
            "/webhooks/",
            query={
                "callbackURL": subscription.address,
                "idModel": subscription.config["board"],
                "description": "Steward",
            },
        ),
        read=lambda response, subscription: {"id": dig(response.json, "id")},
        unsubscribe=lambda subscription: Request(
            "DELETE", "/webhooks/{id}", at={"id": subscription.state["id"]}
        ),
    ),
    actions=(*ACTIONS, *LISTINGS),
    triggers=TRIGGERS,
)
