"""Messages, members and commands that start a workflow."""

from collections.abc import Mapping
from typing import Any

from integrations.connectors.discord.calls import channel_messages
from integrations.connectors.discord.deliveries import EVENTS, INTERACTIONS
from integrations.connectors.discord.shapes import CHANNEL, MESSAGE, SERVER, SERVER_OF
from integrations.framework import CursorPages, Field, Output, Poll, Request, Trigger, dig


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
