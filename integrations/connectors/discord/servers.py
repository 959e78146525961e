"""Channels, members and roles of a server."""

from typing import Any

from integrations.connectors.discord.shapes import SERVER
from integrations.framework import Action, CursorPages, Field, Offers, Output, Request, Response

CHANNEL_KINDS = {"text": 0, "voice": 2, "category": 4, "forum": 15}


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


CREATE_CHANNEL = Action(
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
)

LIST_CHANNELS = Action(
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
)

LIST_SERVERS = Action(
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
)

LIST_ROLES = Action(
    key="list_roles",
    label="List roles",
    hidden=True,
    fields=(SERVER,),
    call="GET /guilds/{guild_id}/roles",
    offers=Offers(items="roles"),
    returns={"roles": Output("", kind="list", of={"id": "id", "name": "name"})},
    effect="read",
)

SEARCH_MEMBERS = Action(
    key="search_members",
    label="Find members",
    fields=(
        SERVER,
        Field("query", label="Name begins with", required=True, example="ada", help="User name or nickname."),
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
)

ADD_ROLE = Action(
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
)

OPEN_DM = Action(
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
)
