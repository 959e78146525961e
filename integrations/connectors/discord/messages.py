"""Send, change, read and answer messages; threads and reactions."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrations.connectors.discord.calls import channel_messages
from integrations.connectors.discord.shapes import (
    CHANNEL,
    CONTENT,
    EMBEDS,
    MENTIONS,
    MESSAGE,
    MESSAGE_ID,
    SERVER_OF,
    content,
)
from integrations.framework import Action, CursorPages, Field, Idempotency, Output, PermanentError, Request

WEBHOOK_URL = re.compile(r"^https://(?:\w+\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/(\d+)/([\w-]+)")
CLOSES_AFTER = (("60", "An hour"), ("1440", "A day"), ("4320", "Three days"), ("10080", "A week"))  # minutes


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


SEND_MESSAGE = Action(
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
        Field("components", label="Buttons", kind="json", advanced=True, help="A list in Discord's form."),
        Field("is_silent", label="Without a sound", kind="boolean", example=False, advanced=True),
        Field("tts", label="Read aloud", kind="boolean", example=False, advanced=True),
    ),
    request=send_message,
    returns=MESSAGE,
    # Discord remembers this for some minutes only: enough against a doubled call, not to call again hours later.
    idempotency=Idempotency("nonce", place="json", max_length=25),
    effect="unsafe",
)

SEND_WEBHOOK_MESSAGE = Action(
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
)

EDIT_MESSAGE = Action(
    key="edit_message",
    label="Change a message",
    fields=(SERVER_OF, CHANNEL, MESSAGE_ID, replace(CONTENT, required=False), EMBEDS),
    call="PATCH /channels/{channel_id}/messages/{message_id}",
    returns={"id": "id", "changed_at": "edited_timestamp"},
    effect="key_safe",  # the same text set twice is the same message
)

DELETE_MESSAGE = Action(
    key="delete_message",
    label="Delete a message",
    fields=(SERVER_OF, CHANNEL, MESSAGE_ID),
    call="DELETE /channels/{channel_id}/messages/{message_id}",
    effect="key_safe",  # a message is deleted once; the second call finds none
)

LIST_MESSAGES = Action(
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
)

CREATE_THREAD = Action(
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
)

ADD_REACTION = Action(
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
)

ANSWER_INTERACTION = Action(
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
)
