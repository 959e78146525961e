"""Discord: write in channels, manage roles, channels and threads; start on messages, members and commands."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrations.framework import (
    Action,
    BotToken,
    Connector,
    ConnectorError,
    CursorPages,
    Ed25519,
    Field,
    Idempotency,
    Inbound,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    Reply,
    Request,
    Response,
    Subscription,
    Test,
    Trigger,
    Webhooks,
    dig,
)

# Discord's numbers for what a person can put right, and how.
MEANINGS = {
    50001: "The bot cannot see that channel. Give it access in the channel's settings.",
    50007: "That person takes no direct messages from the bot.",
    50013: "The bot lacks a permission for that. Give its role the permission in the server's settings.",
    10003: "The channel is gone. Choose another one.",
    10004: "The server is gone, or the bot was removed from it.",
    10015: "The channel webhook is gone. Make a new one in the channel's settings.",
    30003: "The channel holds as many pins as it can.",
    30013: "The server holds as many channels as it can.",
}
WEBHOOK_URL = re.compile(r"^https://(?:\w+\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/(\d+)/([\w-]+)")
PING_EVENT, PING_INTERACTION = 0, 1
DEFERRED = Reply(
    200, b'{"type":5}', content_type="application/json"
)  # "thinking"; the workflow answers later
PAGE_SIZE = 100
CHANNEL_KINDS = {"text": 0, "voice": 2, "category": 4, "forum": 15}
CLOSES_AFTER = (("60", "An hour"), ("1440", "A day"), ("4320", "Three days"), ("10080", "A week"))  # minutes


def refine(response: Response) -> ConnectorError | None:
    code = dig(response.json, "code")
    if response.status in (400, 403, 404) and code in MEANINGS:
        return PermanentError(MEANINGS[code], status=response.status, code=str(code), detail=f"code={code}")
    return None


def wait(response: Response) -> float | None:
    """Return the pause Discord asks for when a route's allowance is spent, in seconds."""
    if response.headers.get("x-ratelimit-remaining") != "0":
        return None
    try:
        return float(response.headers.get("x-ratelimit-reset-after", ""))
    except ValueError:
        return None


def content(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members every message shares. Texts of strangers must not be able to alarm a whole server."""
    return {
        "content": inputs["content"],
        "embeds": inputs.get("embeds"),
        "allowed_mentions": {"parse": inputs["mentions"]},
    }


def send_message(inputs: Mapping[str, Any]) -> Request:
    return Request(
        "POST",
        "/channels/{channel}/messages",
        at={"channel": inputs["channel"]},
        json={
            **content(inputs),
            "tts": inputs.get("tts"),
            "flags": 4096 if inputs.get("is_silent") else None,
            "components": inputs.get("components"),
            "enforce_nonce": True,
            "message_reference": {"message_id": inputs["reply_to"]} if "reply_to" in inputs else None,
        },
    )


def send_webhook_message(inputs: Mapping[str, Any]) -> Request:
    found = WEBHOOK_URL.match(inputs["webhook_url"])
    if found is None:
        raise PermanentError(
            "That is not the address of a Discord webhook. Copy it in the channel's settings again."
        )
    return Request(
        "POST",
        "/webhooks/{webhook}/{token}",
        at={"webhook": found[1], "token": found[2]},
        query={"wait": True, "thread_id": inputs.get("thread")},
        authenticate=False,
        json={
            **content(inputs),
            "username": inputs.get("username"),
            "avatar_url": inputs.get("avatar_url"),
            "thread_name": inputs.get("thread_name"),
        },
    )


def names_of_text_channels(response: Response) -> dict[str, Any]:
    """Return the channels with the category they stand in, as people see them."""
    entries = response.json if isinstance(response.json, list) else []
    names = {entry["id"]: entry.get("name") for entry in entries}
    return {
        "channels": [
            {
                "id": entry["id"],
                "name": entry.get("name"),
                "type": entry.get("type"),
                "label": " / ".join(
                    part for part in (names.get(entry.get("parent_id")), entry.get("name")) if part
                ),
            }
            for entry in entries
        ]
    }


SERVER = Field(
    "server",
    label="Server",
    required=True,
    options="list_servers",
    example="81384788765712384",
    send="guild_id",
)
SERVER_OF = Field(
    "server",
    label="Server",
    options="list_servers",
    example="81384788765712384",
    place="none",
    help="Only to choose the channel from.",
)
CHANNEL = Field(
    "channel",
    label="Channel",
    required=True,
    options="list_channels",
    depends_on=("server",),
    example="41771983423143937",
    send="channel_id",
)
MESSAGE_ID = Field(
    "message",
    label="Message",
    required=True,
    example="1012345678901234567",
    send="message_id",
    help="The message's id, as given by the step that sent it.",
)
CONTENT = Field(
    "content",
    label="Message",
    kind="long_text",
    required=True,
    example="Order **1042** is paid.",
    max_length=2000,
)
EMBEDS = Field(
    "embeds",
    label="Embeds",
    kind="json",
    advanced=True,
    example=[{"title": "Order 1042"}],
    help="A list of up to ten boxes in Discord's form.",
)
MENTIONS = Field(
    "mentions",
    label="May call",
    kind="multi_select",
    default=["users"],
    example=["users"],
    advanced=True,
    choices=(("users", "Persons named"), ("roles", "Roles named"), ("everyone", "@everyone and @here")),
)
MESSAGE: dict[str, Output | str] = {
    "id": "id",
    "channel": "channel_id",
    "content": "content",
    "author": "author.username",
    "author_id": "author.id",
    "sent_at": "timestamp",
}

ACTIONS = (
    Action(
        key="send_message",
        label="Send a message",
        fields=(
            SERVER_OF,
            CHANNEL,
            CONTENT,
            EMBEDS,
            MENTIONS,
            Field(
                "reply_to",
                label="Answer to",
                example="1012345678901234567",
                advanced=True,
                help="A message's id.",
            ),
            Field(
                "components", label="Buttons", kind="json", advanced=True, help="A list in Discord's form."
            ),
            Field("is_silent", label="Without a sound", kind="boolean", example=False, advanced=True),
            Field("tts", label="Read aloud", kind="boolean", example=False, advanced=True),
        ),
        request=send_message,
        returns=MESSAGE,
        # Discord remembers this for some minutes only: enough against a doubled call, not to call again hours later.
        idempotency=Idempotency("nonce", place="json", max_length=25),
        effect="unsafe",
    ),
    Action(
        key="send_webhook_message",
        label="Post through a channel webhook",
        description="In Discord: the channel's settings, Integrations, Webhooks. Needs no bot.",
        fields=(
            Field(
                "webhook_url",
                label="Webhook address",
                kind="url",
                required=True,
                example="https://discord.com/api/webhooks/223704706495545344/3d89bb7572e0fb30d8128367b3b1b44f",
                help="Whoever knows it can post: keep it in a secret.",
            ),
            CONTENT,
            EMBEDS,
            MENTIONS,
            Field("username", label="Shown name", example="Steward", advanced=True),
            Field(
                "avatar_url",
                label="Shown picture",
                kind="url",
                example="https://example.com/a.png",
                advanced=True,
            ),
            Field("thread", label="In thread", example="1012345678901234567", advanced=True),
            Field("thread_name", label="New forum post", example="Order 1042", advanced=True),
        ),
        request=send_webhook_message,
        returns={"id": "id", "channel": "channel_id", "content": "content", "sent_at": "timestamp"},
        effect="unsafe",
    ),
    Action(
        key="edit_message",
        label="Change a message",
        fields=(SERVER_OF, CHANNEL, MESSAGE_ID, replace(CONTENT, required=False), EMBEDS),
        call="PATCH /channels/{channel_id}/messages/{message_id}",
        returns={"id": "id", "changed_at": "edited_timestamp"},
        effect="key_safe",  # the same text set twice is the same message
    ),
    Action(
        key="delete_message",
        label="Delete a message",
        fields=(SERVER_OF, CHANNEL, MESSAGE_ID),
        call="DELETE /channels/{channel_id}/messages/{message_id}",
        effect="key_safe",  # a message is deleted once; the second call finds none
    ),
    Action(
        key="list_messages",
        label="Read messages",
        description="Texts are empty unless the bot has the Message Content intent, in Discord's developer portal.",
        fields=(
            SERVER_OF,
            CHANNEL,
            Field(
                "before",
                label="Older than",
                example="1012345678901234567",
                advanced=True,
                help="A message's id.",
            ),
        ),
        request=lambda inputs: channel_messages(inputs["channel"], before=inputs.get("before")),
        pagination=CursorPages(items="", into="before", last_item="id"),
        returns={"messages": Output("", kind="list", of=MESSAGE)},
        effect="read",
    ),
    Action(
        key="create_channel",
        label="Create a channel",
        fields=(
            SERVER,
            Field("name", label="Name", required=True, example="orders", max_length=100),
            Field(
                "type",
                label="Kind",
                kind="select",
                choices=tuple(CHANNEL_KINDS),
                default="text",
                example="text",
            ),
            Field("topic", label="Topic", example="What comes in", max_length=1024),
            Field(
                "parent",
                label="Category",
                example="41771983423143937",
                advanced=True,
                help="The category's id.",
            ),
            Field("is_age_limited", label="For adults only", kind="boolean", example=False, advanced=True),
        ),
        request=lambda inputs: Request(
            "POST",
            "/guilds/{guild}/channels",
            at={"guild": inputs["server"]},
            json={
                "name": inputs["name"],
                "type": CHANNEL_KINDS[inputs["type"]],
                "topic": inputs.get("topic"),
                "parent_id": inputs.get("parent"),
                "nsfw": inputs.get("is_age_limited"),
            },
        ),
        returns={"id": "id", "name": "name", "type": Output("type", kind="integer")},
        effect="unsafe",
    ),
    Action(
        key="list_channels",
        label="List channels",
        fields=(SERVER,),
        call="GET /guilds/{guild_id}/channels",
        output=names_of_text_channels,
        offers=Offers(items="channels", value="id", label="label"),
        returns={
            "channels": Output(
                "",
                kind="list",
                of={"id": "id", "name": "name", "type": Output("type", kind="integer"), "label": Output("")},
            )
        },
        effect="read",
    ),
    Action(
        key="list_servers",
        label="List servers",
        request=lambda inputs: Request("GET", "/users/@me/guilds", query={"limit": 200}),
        pagination=CursorPages(items="", into="after", last_item="id"),
        offers=Offers(items="servers"),
        returns={
            "servers": Output(
                "", kind="list", of={"id": "id", "name": "name", "is_owner": Output("owner", kind="boolean")}
            )
        },
        effect="read",
    ),
    Action(
        key="list_roles",
        label="List roles",
        hidden=True,
        fields=(SERVER,),
        call="GET /guilds/{guild_id}/roles",
        offers=Offers(items="roles"),
        returns={"roles": Output("", kind="list", of={"id": "id", "name": "name"})},
        effect="read",
    ),
    Action(
        key="search_members",
        label="Find members",
        fields=(
            SERVER,
            Field(
                "query", label="Name begins with", required=True, example="ada", help="User name or nickname."
            ),
            Field(
                "limit",
                label="Most",
                kind="integer",
                default=100,
                minimum=1,
                maximum=1000,
                example=10,
                advanced=True,
            ),
        ),
        call="GET /guilds/{guild_id}/members/search",
        returns={
            "members": Output(
                "",
                kind="list",
                of={
                    "id": "user.id",
                    "name": "user.username",
                    "nickname": "nick",
                    "roles": Output("roles", kind="list"),
                },
            )
        },
        effect="read",
    ),
    Action(
        key="add_role",
        label="Give a role",
        fields=(
            SERVER,
            Field(
                "user",
                label="Person",
                required=True,
                example="80351110224678912",
                send="user_id",
                help="The user's id.",
            ),
            Field(
                "role",
                label="Role",
                required=True,
                options="list_roles",
                depends_on=("server",),
                example="41771983423143936",
                send="role_id",
            ),
        ),
        request=lambda inputs: Request(
            "PUT",
            "/guilds/{guild}/members/{user}/roles/{role}",
            at={"guild": inputs["server"], "user": inputs["user"], "role": inputs["role"]},
        ),
        effect="key_safe",  # a role is had or not
    ),
    Action(
        key="open_dm",
        label="Open a direct message",
        description="Gives the channel to send to. Discord blocks bots that open many.",
        fields=(
            Field(
                "user",
                label="Person",
                required=True,
                example="80351110224678912",
                send="recipient_id",
                help="The user's id.",
            ),
        ),
        call="POST /users/@me/channels",
        returns={"channel": "id"},
        effect="key_safe",  # an open conversation is given again
    ),
    Action(
        key="create_thread",
        label="Start a thread from a message",
        fields=(
            SERVER_OF,
            CHANNEL,
            MESSAGE_ID,
            Field("name", label="Name", required=True, example="Order 1042", max_length=100),
            Field(
                "closes_after",
                label="Closes after",
                kind="select",
                example="1440",
                advanced=True,
                choices=CLOSES_AFTER,
            ),
        ),
        request=lambda inputs: Request(
            "POST",
            "/channels/{channel}/messages/{message}/threads",
            at={"channel": inputs["channel"], "message": inputs["message"]},
            json={
                "name": inputs["name"],
                "auto_archive_duration": int(inputs["closes_after"]) if "closes_after" in inputs else None,
            },
        ),
        returns={"id": "id", "name": "name", "parent": "parent_id"},
        effect="unsafe",
    ),
    Action(
        key="add_reaction",
        label="Add a reaction",
        fields=(
            SERVER_OF,
            CHANNEL,
            MESSAGE_ID,
            Field(
                "emoji",
                label="Emoji",
                required=True,
                example="👍",
                help="The emoji itself, or name:id for one of the server's own.",
            ),
        ),
        request=lambda inputs: Request(
            "PUT",
            "/channels/{channel}/messages/{message}/reactions/{emoji}/@me",
            at={"channel": inputs["channel"], "message": inputs["message"], "emoji": inputs["emoji"]},
        ),
        effect="key_safe",  # one reaction of a kind by the bot
    ),
    Action(
        key="answer_interaction",
        label="Answer a command or button",
        description="Within 15 minutes of the command. Takes the place of “thinking”.",
        fields=(
            Field(
                "application",
                label="Application",
                required=True,
                example="845027738276462632",
                help="“application” of the trigger.",
            ),
            Field(
                "token",
                label="Token",
                required=True,
                example="aW50ZXJhY3Rpb246ODQ1",
                help="“token” of the trigger.",
            ),
            CONTENT,
            EMBEDS,
            MENTIONS,
        ),
        request=lambda inputs: Request(
            "POST",
            "/webhooks/{application}/{token}",
            query={"wait": True},
            authenticate=False,
            at={"application": inputs["application"], "token": inputs["token"]},
            json=content(inputs),
        ),
        returns={"id": "id", "channel": "channel_id"},
        effect="unsafe",
    ),
)


def channel_messages(channel: str, before: str | None = None) -> Request:
    return Request(
        "GET",
        "/channels/{channel}/messages",
        at={"channel": channel},
        query={"limit": PAGE_SIZE, "before": before},
    )


def answer_ping(inbound: Inbound) -> Reply | None:
    kind = dig(inbound.json, "type")
    if kind == PING_INTERACTION and "event" not in inbound.json:
        return Reply(200, b'{"type":1}', content_type="application/json")
    if kind == PING_EVENT:
        return Reply(204, content_type="application/json")
    return None


def event_id(inbound: Inbound, event: Any) -> str:
    """Return what an event sent twice has in common: webhook events carry no id of their own."""
    part = dig(event, "event") or {}
    return f"{part.get('type')}:{part.get('timestamp')}:{dig(part, 'data.user.id') or ''}"


def change_app(**values: Any) -> Request:
    return Request("PATCH", "/applications/@me", json=values)


SIGNED: dict[str, Any] = {
    "address": "integration",  # an application has one address for all
    "signature": Ed25519(),
    "secret": "credentials",
    "secret_name": "public_key",
    "handshake": answer_ping,
    "is_handshake_signed": True,
    "read": lambda response, subscription: {"id": str(dig(response.json, "id") or "")},
}


def ask_for_events(subscription: Subscription) -> Request:
    return change_app(
        event_webhooks_url=subscription.address,
        event_webhooks_status=2,
        event_webhooks_types=list(subscription.events),
    )


EVENTS = Webhooks(
    **SIGNED,
    event="event.type",
    delivery_id=event_id,
    answer=Reply(204),
    subscribe=ask_for_events,
    unsubscribe=lambda subscription: change_app(event_webhooks_status=1),
)
INTERACTIONS = Webhooks(
    **SIGNED,
    event="type",
    delivery_id="id",
    answer=DEFERRED,
    subscribe=lambda subscription: change_app(interactions_endpoint_url=subscription.address),
    # An empty address: Discord goes back to sending commands over its gateway.
    unsubscribe=lambda subscription: Request(
        "PATCH",
        "/applications/@me",
        content=b'{"interactions_endpoint_url":null}',
        content_type="application/json",
    ),
)


def by_others(event: Any, config: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    """Skip our own bot's messages: answering ourselves would never end."""
    return dig(event, "author.id") != account.get("bot_user_id")


def named(event: Any, config: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    wanted = config.get("name", "").lstrip("/")
    return not wanted or wanted in (dig(event, "data.name"), dig(event, "data.custom_id"))


USER = {"id": "80351110224678912", "username": "ada", "global_name": "Ada"}

TRIGGERS = (
    Trigger(
        key="new_message_polling",
        label="New message in a channel",
        kind="polling",
        accepts=by_others,
        description="Texts are empty unless the bot has the Message Content intent, in Discord's developer portal.",
        fields=(SERVER_OF, CHANNEL),
        poll=Poll(
            request=lambda config, since: channel_messages(config["channel"]),
            stamp="id",
            pagination=CursorPages(items="", into="before", last_item="id"),
            interval_seconds=60,
        ),
        sample={
            "id": "1012345678901234567",
            "channel_id": "41771983423143937",
            "content": "Where is order 1042?",
            "author": USER,
            "timestamp": "2026-11-22T09:30:00.123000+00:00",
        },
        returns=MESSAGE,
    ),
    Trigger(
        key="new_member_polling",
        label="New server member",
        kind="polling",
        description="Needs the Server Members intent, in Discord's developer portal.",
        fields=(SERVER,),
        poll=Poll(
            request=lambda config, since: Request(
                "GET", "/guilds/{guild}/members", at={"guild": config["server"]}, query={"limit": 1000}
            ),
            id=("user.id", "joined_at"),
            stamp="joined_at",
            order="any",
            pagination=CursorPages(items="", into="after", last_item="user.id"),
        ),
        sample={"user": USER, "nick": None, "roles": [], "joined_at": "2026-11-22T09:30:00.123000+00:00"},
        returns={
            "id": "user.id",
            "name": "user.username",
            "nickname": "nick",
            "joined_at": "joined_at",
            "roles": Output("roles", kind="list"),
        },
    ),
    Trigger(
        key="app_authorized",
        label="App added to a server",
        event="APPLICATION_AUTHORIZED",
        webhooks=EVENTS,
        root="event.data",
        sample={
            "version": 1,
            "application_id": "845027738276462632",
            "type": 1,
            "event": {
                "type": "APPLICATION_AUTHORIZED",
                "timestamp": "2026-11-22T09:30:00.123456",
                "data": {
                    "integration_type": 0,
                    "scopes": ["bot"],
                    "user": USER,
                    "guild": {"id": "81384788765712384", "name": "Garden chairs"},
                },
            },
        },
        returns={
            "user_id": "user.id",
            "user": "user.username",
            "server": "guild.id",
            "server_name": "guild.name",
            "scopes": Output("scopes", kind="list"),
        },
    ),
    Trigger(
        key="interaction",
        label="Slash command or button",
        event=("2", "3", "5"),
        webhooks=INTERACTIONS,
        accepts=named,
        description="Discord shows “thinking” until “Answer a command or button” runs.",
        fields=(
            Field(
                "name",
                label="Only this command or button",
                example="order",
                help="The command's name, or the button's custom id.",
            ),
        ),
        sample={
            "id": "1012345678901234999",
            "application_id": "845027738276462632",
            "type": 2,
            "token": "aW50ZXJhY3Rpb246ODQ1",
            "guild_id": "81384788765712384",
            "channel_id": "41771983423143937",
            "member": {"user": USER, "roles": []},
            "data": {
                "id": "1",
                "name": "order",
                "type": 1,
                "options": [{"name": "number", "type": 3, "value": "1042"}],
            },
        },
        returns={
            "id": "id",
            "application": "application_id",
            "token": "token",
            "name": "data.name",
            "custom_id": "data.custom_id",
            "options": Output("data.options", kind="list"),
            "values": Output("data.values", kind="list"),
            "server": "guild_id",
            "channel": "channel_id",
            "user_id": "member.user.id",
            "user": "member.user.username",
        },
    ),
)

connector = Connector(
    slug="discord",
    name="Discord",
    category="Communication",
    summary="Write in channels, manage roles and threads, and answer commands.",
    docs_url="https://docs.discord.com/developers/reference",
    base_url="https://discord.com/api/v10",
    auth=BotToken(
        help="In Discord's developer portal: your application, Bot, Reset Token.",
        more=(
            Field(
                "public_key",
                label="Public key",
                pattern="^[0-9a-fA-F]{64}$",
                help="In the portal: General Information. Needed for commands and app events.",
            ),
        ),
    ),
    headers={"User-Agent": "DiscordBot (Steward, 1.0)"},  # other forms may be blocked
    test=Test(Request("GET", "/users/@me"), account={"bot_user_id": "id"}, label="username"),
    on_error=refine,
    wait=wait,
    rate_limit=RateLimit(calls=50),
    actions=ACTIONS,
    triggers=TRIGGERS,
)
