"""Fields and outputs that several operations share."""

from collections.abc import Mapping
from typing import Any

from integrations.framework import Field, Output


def content(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members every message shares. Texts of strangers must not be able to alarm a whole server."""
    return {
        "content": inputs["content"],
        "embeds": inputs.get("embeds"),
        "allowed_mentions": {"parse": inputs["mentions"]},
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
