"""Slack: post, schedule and change messages, look people up, manage channels; start on messages and reactions."""

import json

from integrations.framework import (
    Action,
    Call,
    Connector,
    CursorPages,
    Field,
    Hmac,
    Inbound,
    OAuth2,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    ReconnectError,
    Reply,
    Request,
    Response,
    TemporaryError,
    Test,
    Trigger,
    Webhooks,
    dig,
    given,
)

DEAD_CREDENTIAL = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
    }
)
TRY_AGAIN = frozenset(
    {"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)


def check_ok(response: Response) -> None:
    # Slack answers HTTP 200 for failures too; the truth is in "ok".
    if not isinstance(response.json, dict) or response.json.get("ok"):
        return  # upload addresses answer plain text
    code = str(response.json.get("error", "unknown_error"))
    if code in DEAD_CREDENTIAL:
        needed = response.json.get("needed")
        ask = f" and allow {needed}" if needed else ""
        raise ReconnectError(
            f"Slack no longer accepts this connection. Reconnect it{ask}.", detail=code, code=code
        )
    if code in TRY_AGAIN:
        raise TemporaryError("Slack was not ready. We will try again.", detail=code, code=code)
    raise PermanentError(f"Slack refused: {code.replace('_', ' ')}.", detail=code, code=code)


def answer_challenge(inbound: Inbound) -> Reply | None:
    if dig(inbound.json, "type") != "url_verification":
        return None
    return Reply(200, str(inbound.json.get("challenge", "")).encode())


def not_our_own(event: dict, config: dict, account: dict) -> bool:
    """Skip messages of bots, ours first of all: answering ourselves would never end."""
    message = event.get("event", {})
    if message.get("bot_id") or message.get("subtype") in (
        "bot_message",
        "message_changed",
        "message_deleted",
    ):
        return False
    if account.get("bot_user_id") and message.get("user") == account["bot_user_id"]:
        return False
    return in_channel(event, config, account)


def in_channel(event: dict, config: dict, account: dict) -> bool:
    wanted = config.get("channel")
    where = dig(event, "event.channel") or dig(event, "event.item.channel")
    return not wanted or where == wanted


def message_content(inputs: dict) -> dict:
    """Return the members every message call shares. Blocks and attachments travel as JSON text inside the JSON body."""
    return given(
        text=inputs.get("text"),
        blocks=json.dumps(inputs["blocks"]) if "blocks" in inputs else None,
        attachments=json.dumps(inputs["attachments"]) if "attachments" in inputs else None,
    )


def upload_file(call: Call):
    """Ask for an address, send the bytes there, then publish the file: files.upload itself was switched off in 2025."""
    content = call.inputs["content"].encode()
    place = yield Request(
        "POST",
        "/files.getUploadURLExternal",
        form={"filename": call.inputs["filename"], "length": len(content)},
    )
    yield Request(
        "POST",
        place.json["upload_url"],
        content=content,
        content_type="application/octet-stream",
        authenticate=False,
    )
    done = yield Request(
        "POST",
        "/files.completeUploadExternal",
        form=given(
            files=json.dumps(
                [{"id": place.json["file_id"], "title": call.inputs.get("title") or call.inputs["filename"]}]
            ),
            channel_id=call.inputs.get("channel"),
            initial_comment=call.inputs.get("comment"),
            thread_ts=call.inputs.get("thread_ts"),
        ),
    )
    return {"file_id": dig(done.json, "files.0.id"), "title": dig(done.json, "files.0.title")}


CHANNEL = Field(
    "channel",
    label="Channel",
    required=True,
    options="list_channels",
    example="C024BE91L",
    help="A channel, or the id of a person or conversation.",
)
TS = Field(
    "ts",
    label="Message",
    required=True,
    example="1405894322.002768",
    help="The message's id, as given by the step that sent it.",
)
TEXT = Field(
    "text",
    label="Message",
    kind="long_text",
    example="Order *1042* is paid.",
    help="Slack's markup works: *bold*, _italic_, <https://example.com|a link>.",
)
BLOCKS = Field(
    "blocks",
    label="Blocks",
    kind="json",
    advanced=True,
    example=[{"type": "section", "text": {"type": "mrkdwn", "text": "Hello"}}],
    help="Block Kit layout as JSON. Give a message too: notifications show it.",
)
THREAD = Field(
    "thread_ts",
    label="Reply in thread",
    example="1405894322.002768",
    advanced=True,
    help="The id of the message that began the thread.",
)
CURSOR = {"into": "cursor", "cursor": "response_metadata.next_cursor"}
PAGE_SIZE = 200  # Slack advises 100 to 200

POST_MESSAGE = Action(
    key="send_message",
    label="Send a message",
    description="Posts to a channel, a person or a thread.",
    fields=(
        CHANNEL,
        TEXT,
        BLOCKS,
        Field("attachments", label="Attachments", kind="json", advanced=True, example=[{"text": "More"}]),
        THREAD,
        Field(
            "reply_broadcast", label="Also show in the channel", kind="boolean", advanced=True, example=True
        ),
        Field("mrkdwn", label="Read markup", kind="boolean", advanced=True, example=True),
        Field("unfurl_links", label="Preview links", kind="boolean", advanced=True, example=False),
        Field("username", label="Shown name", advanced=True, example="Steward"),
        Field("icon_emoji", label="Shown icon", advanced=True, example=":bell:"),
    ),
    request=lambda inputs: Request(
        "POST",
        "/chat.postMessage",
        json={
            "channel": inputs["channel"],
            **message_content(inputs),
            **{
                key: inputs.get(key)
                for key in (
                    "thread_ts",
                    "reply_broadcast",
                    "mrkdwn",
                    "unfurl_links",
                    "username",
                    "icon_emoji",
                )
            },
        },
    ),
    returns={"ts": "ts", "channel": "channel", "text": "message.text", "user": "message.user"},
    effect="unsafe",
)

UPDATE_MESSAGE = Action(
    key="update_message",
    label="Change a message",
    fields=(CHANNEL, TS, TEXT, BLOCKS),
    request=lambda inputs: Request(
        "POST",
        "/chat.update",
        json={"channel": inputs["channel"], "ts": inputs["ts"], **message_content(inputs)},
    ),
    returns={"ts": "ts", "channel": "channel", "text": "text"},
    effect="key_safe",  # the same text set twice is the same message
)

DELETE_MESSAGE = Action(
    key="delete_message",
    label="Delete a message",
    fields=(CHANNEL, TS),
    call="POST /chat.delete",
    returns={"ts": "ts", "channel": "channel"},
    effect="unsafe",
)

SCHEDULE_MESSAGE = Action(
    key="schedule_message",
    label="Schedule a message",
    fields=(
        CHANNEL,
        TEXT,
        Field(
            "post_at",
            label="When",
            kind="integer",
            required=True,
            example=1893456000,
            help="Unix time in seconds, at most 120 days ahead.",
        ),
        BLOCKS,
        THREAD,
    ),
    request=lambda inputs: Request(
        "POST",
        "/chat.scheduleMessage",
        json={
            "channel": inputs["channel"],
            "post_at": inputs["post_at"],
            **message_content(inputs),
            "thread_ts": inputs.get("thread_ts"),
        },
    ),
    returns={
        "scheduled_message_id": "scheduled_message_id",
        "post_at": Output("post_at", kind="integer"),
        "channel": "channel",
    },
    effect="unsafe",
)

OPEN_DM = Action(
    key="open_dm",
    label="Open a direct message",
    description="Gives the conversation to send to; opens it when it is new.",
    fields=(
        Field(
            "users",
            label="People",
            kind="multi_select",
            required=True,
            options="list_users",
            example=["U012AB3CD"],
            help="One person, or up to eight for a group.",
        ),
    ),
    request=lambda inputs: Request("POST", "/conversations.open", json={"users": ",".join(inputs["users"])}),
    returns={"channel": "channel.id"},
    effect="key_safe",  # opening an open conversation gives the same one
)

FIND_USER = Action(
    key="find_user_by_email",
    label="Find a person by e-mail",
    fields=(Field("email", label="E-mail", kind="email", required=True, example="ada@example.com"),),
    call="GET /users.lookupByEmail",
    returns={
        "id": "user.id",
        "name": "user.name",
        "real_name": "user.real_name",
        "email": "user.profile.email",
        "timezone": "user.tz",
        "is_bot": Output("user.is_bot", kind="boolean"),
    },
    effect="read",
)

LIST_USERS = Action(
    key="list_users",
    label="List people",
    request=lambda inputs: Request("GET", "/users.list", query={"limit": PAGE_SIZE}),
    pagination=CursorPages(items="members", **CURSOR),
    offers=Offers(items="users", value="id", label="name"),
    returns={
        "users": Output(
            "members",
            kind="list",
            of={
                "id": "id",
                "name": "name",
                "deleted": Output("deleted", kind="boolean"),
                "email": "profile.email",
            },
        )
    },
    effect="read",
)

CREATE_CHANNEL = Action(
    key="create_channel",
    label="Create a channel",
    fields=(
        Field(
            "name",
            label="Name",
            required=True,
            example="project-alder",
            max_length=80,
            help="Lower case letters, numbers and hyphens.",
        ),
        Field("is_private", label="Private", kind="boolean", example=False),
    ),
    call="POST /conversations.create",
    returns={"id": "channel.id", "name": "channel.name"},
    effect="unsafe",
)

INVITE = Action(
    key="invite_to_channel",
    label="Invite people to a channel",
    fields=(
        CHANNEL,
        Field(
            "users",
            label="People",
            kind="multi_select",
            required=True,
            options="list_users",
            example=["U012AB3CD"],
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        "/conversations.invite",
        json={"channel": inputs["channel"], "users": ",".join(inputs["users"])},
    ),
    returns={"channel": "channel.id"},
    effect="unsafe",
)

LIST_CHANNELS = Action(
    key="list_channels",
    label="List channels",
    fields=(
        Field(
            "types",
            label="Kinds",
            kind="multi_select",
            default=["public_channel", "private_channel"],
            choices=("public_channel", "private_channel", "mpim", "im"),
            example=["public_channel"],
        ),
        Field("exclude_archived", label="Leave out archived", kind="boolean", default=True, example=True),
    ),
    request=lambda inputs: Request(
        "GET",
        "/conversations.list",
        query={
            "limit": PAGE_SIZE,
            "types": ",".join(inputs.get("types", ("public_channel", "private_channel"))),
            "exclude_archived": inputs.get("exclude_archived", True),
        },
    ),
    pagination=CursorPages(items="channels", **CURSOR),
    offers=Offers(items="channels", value="id", label="name"),
    returns={
        "channels": Output(
            "channels",
            kind="list",
            of={
                "id": "id",
                "name": "name",
                "is_private": Output("is_private", kind="boolean"),
                "is_member": Output("is_member", kind="boolean"),
            },
        )
    },
    effect="read",
)

MESSAGE = {"ts": "ts", "user": "user", "text": "text", "thread_ts": "thread_ts"}

HISTORY = Action(
    key="get_channel_history",
    label="Read a channel's messages",
    fields=(
        CHANNEL,
        Field("oldest", label="After", kind="number", example=1405894322.0, help="Unix time.", advanced=True),
        Field(
            "latest", label="Before", kind="number", example=1405994322.0, help="Unix time.", advanced=True
        ),
        Field("inclusive", label="Include both ends", kind="boolean", example=True, advanced=True),
    ),
    call="GET /conversations.history",
    pagination=CursorPages(items="messages", **CURSOR),
    returns={"messages": Output("messages", kind="list", of=MESSAGE)},
    effect="read",
)

ADD_REACTION = Action(
    key="add_reaction",
    label="Add a reaction",
    fields=(
        CHANNEL,
        Field("ts", label="Message", required=True, send="timestamp", example="1405894322.002768"),
        Field("name", label="Emoji", required=True, example="thumbsup", help="Its name, without colons."),
    ),
    call="POST /reactions.add",
    effect="unsafe",
)

SET_TOPIC = Action(
    key="set_channel_topic",
    label="Set a channel's topic",
    fields=(
        CHANNEL,
        Field("topic", label="Topic", required=True, example="Orders of the day", max_length=250),
    ),
    call="POST /conversations.setTopic",
    returns={"topic": "channel.topic.value"},
    effect="key_safe",  # the same topic set twice is the same topic
)

UPLOAD_FILE = Action(
    key="upload_file",
    label="Upload a file",
    fields=(
        Field("content", label="Content", kind="long_text", required=True, example="id,total\n1042,9.90\n"),
        Field("filename", label="File name", required=True, example="orders.csv"),
        Field("title", label="Title", example="Orders"),
        Field("channel", label="Share in", options="list_channels", example="C024BE91L"),
        Field("comment", label="Message with it", kind="long_text", example="Today's orders"),
        THREAD,
    ),
    run=upload_file,
    returns={"file_id": "file_id", "title": "title"},
    effect="unsafe",
)


def event(type_: str, **details) -> dict:
    """Return a sample delivery in the shape of the Events API."""
    return {
        "token": "verification-token",
        "team_id": "T061EG9R6",
        "api_app_id": "A0MDYCDME",
        "type": "event_callback",
        "event_id": "Ev0PV52K21",
        "event_time": 1355517523,
        "event": {"type": type_, "event_ts": "1355517523.000005", **details},
        "authorizations": [{"team_id": "T061EG9R6", "user_id": "U0LAN0Z89", "is_bot": True}],
    }


CHANNEL_FILTER = Field("channel", label="Only in this channel", options="list_channels", example="C024BE91L")

TRIGGERS = (
    Trigger(
        key="new_message",
        label="New message in a public channel",
        event="message",
        accepts=not_our_own,
        fields=(CHANNEL_FILTER,),
        root="event",
        sample=event(
            "message",
            channel="C024BE91L",
            user="U2147483697",
            text="Hello",
            ts="1355517523.000005",
            channel_type="channel",
        ),
        returns={**MESSAGE, "channel": "channel"},
    ),
    Trigger(
        key="app_mention",
        label="Someone mentions the app",
        event="app_mention",
        accepts=not_our_own,
        fields=(CHANNEL_FILTER,),
        root="event",
        sample=event(
            "app_mention",
            channel="C024BE91L",
            user="U2147483697",
            text="<@U0LAN0Z89> help",
            ts="1355517523.000005",
        ),
        returns={**MESSAGE, "channel": "channel"},
    ),
    Trigger(
        key="reaction_added",
        label="A reaction is added",
        event="reaction_added",
        accepts=in_channel,
        fields=(CHANNEL_FILTER,),
        root="event",
        sample=event(
            "reaction_added",
            user="U2147483697",
            reaction="thumbsup",
            item_user="U222222222",
            item={"type": "message", "channel": "C024BE91L", "ts": "1360782400.498405"},
        ),
        returns={"user": "user", "reaction": "reaction", "channel": "item.channel", "ts": "item.ts"},
    ),
    Trigger(
        key="member_joined_channel",
        label="A person joins a channel",
        event="member_joined_channel",
        accepts=in_channel,
        fields=(CHANNEL_FILTER,),
        root="event",
        sample=event(
            "member_joined_channel",
            user="U2147483697",
            channel="C024BE91L",
            channel_type="C",
            team="T061EG9R6",
            inviter="U123456789",
        ),
        returns={"user": "user", "channel": "channel", "inviter": "inviter"},
    ),
    Trigger(
        key="team_join",
        label="A person joins the workspace",
        event="team_join",
        root="event",
        sample=event("team_join", user={"id": "U2147483697", "name": "ada", "real_name": "Ada"}),
        returns={"id": "user.id", "name": "user.name", "real_name": "user.real_name"},
    ),
    Trigger(
        key="channel_history_polling",
        label="New message (checked every few minutes)",
        kind="polling",
        fields=(CHANNEL,),
        poll=Poll(
            request=lambda config, since: Request(
                "GET",
                "/conversations.history",
                query={"channel": config["channel"], "oldest": since, "inclusive": True, "limit": PAGE_SIZE},
            ),
            items="messages",
            id="ts",
            stamp="ts",
            pagination=CursorPages(items="messages", **CURSOR),
        ),
        sample={"type": "message", "user": "U2147483697", "text": "Hello", "ts": "1355517523.000005"},
        returns=MESSAGE,
    ),
)

connector = Connector(
    slug="slack",
    name="Slack",
    category="Communication",
    summary="Send messages, manage channels and react to what people write.",
    docs_url="https://docs.slack.dev/reference/methods",
    base_url="https://slack.com/api",
    auth=OAuth2(
        authorize_url="https://slack.com/oauth/v2/authorize",
        token_url="https://slack.com/api/oauth.v2.access",
        revoke_url="https://slack.com/api/auth.revoke",
        scopes=(
            "chat:write",
            "chat:write.public",
            "channels:read",
            "groups:read",
            "channels:manage",
            "groups:write",
            "channels:join",
            "im:write",
            "users:read",
            "users:read.email",
            "reactions:write",
            "reactions:read",
            "files:write",
            "channels:history",
            "groups:history",
            "im:history",
            "app_mentions:read",
        ),
        scope_separator=",",
        pkce=False,  # Slack wants the client secret and documents no challenge for it
        rotates_refresh_token=True,
        account_from_token={"team_id": "team.id", "team": "team.name", "bot_user_id": "bot_user_id"},
    ),
    test=Test(
        Request("POST", "/auth.test"), account={"team_id": "team_id", "bot_user_id": "user_id"}, label="team"
    ),
    check=check_ok,
    rate_limit=RateLimit(calls=50, seconds=60),  # tier 3; message posts are about one a second per channel
    webhooks=Webhooks(
        address="app",  # one Request URL for all workspaces
        signature=Hmac(
            header="X-Slack-Signature",
            prefix="v0=",
            timestamp_header="X-Slack-Request-Timestamp",
            signed=lambda inbound, timestamp, address: b"v0:" + timestamp.encode() + b":" + inbound.body,
        ),
        secret="app",
        secret_name="signing_secret",
        handshake=answer_challenge,
        event="event.type",
        delivery_id="event_id",
        account="team_id",
        account_key="team_id",
        setup="Events arrive by themselves once the workspace is connected. Invite the app to the channels it reads.",
    ),
    actions=(
        POST_MESSAGE,
        UPDATE_MESSAGE,
        DELETE_MESSAGE,
        SCHEDULE_MESSAGE,
        OPEN_DM,
        FIND_USER,
        LIST_USERS,
        CREATE_CHANNEL,
        INVITE,
        LIST_CHANNELS,
        HISTORY,
        ADD_REACTION,
        SET_TOPIC,
        UPLOAD_FILE,
    ),
    triggers=TRIGGERS,
)
