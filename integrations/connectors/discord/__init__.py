"""Discord: write in channels, manage roles, channels and threads; start on messages, members and commands."""

from integrations.connectors.discord.calls import refine, wait
from integrations.connectors.discord.messages import (
    ADD_REACTION,
    ANSWER_INTERACTION,
    CREATE_THREAD,
    DELETE_MESSAGE,
    EDIT_MESSAGE,
    LIST_MESSAGES,
    SEND_MESSAGE,
    SEND_WEBHOOK_MESSAGE,
)
from integrations.connectors.discord.servers import (
    ADD_ROLE,
    CREATE_CHANNEL,
    LIST_CHANNELS,
    LIST_ROLES,
    LIST_SERVERS,
    OPEN_DM,
    SEARCH_MEMBERS,
)
from integrations.connectors.discord.triggers import TRIGGERS
from integrations.framework import BotToken, Connector, Field, RateLimit, Request, Test

ACTIONS = (
    SEND_MESSAGE,
    SEND_WEBHOOK_MESSAGE,
    EDIT_MESSAGE,
    DELETE_MESSAGE,
    LIST_MESSAGES,
    CREATE_CHANNEL,
    LIST_CHANNELS,
    LIST_SERVERS,
    LIST_ROLES,
    SEARCH_MEMBERS,
    ADD_ROLE,
    OPEN_DM,
    CREATE_THREAD,
    ADD_REACTION,
    ANSWER_INTERACTION,
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
