"""Telegram: a bot that writes, sends files and answers buttons; start on messages, commands and buttons."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.framework import (
    Action,
    ApiKey,
    Connector,
    ConnectorError,
    Field,
    Inbound,
    Output,
    PermanentError,
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
    given,
    read_file,
    token_in_header,
)

UPDATES = ("message", "edited_message", "channel_post", "callback_query", "my_chat_member")


@dataclass(frozen=True)
class TokenInAddress(ApiKey):
    """A bot's token stands in the address of every call; no header carries it."""

    def apply(self, headers: dict[str, str], query: dict[str, Any], credentials: Mapping[str, Any]) -> None:
        return None


def refine(response: Response) -> ConnectorError | None:
    words = str(dig(response.json, "description") or "")
    said = words.removeprefix("Bad Request: ").removeprefix("Forbidden: ")
    if response.status == 429:
        return TemporaryError(
            "Telegram asked us to slow down. We will try again.",
            status=429,
            detail=words,
            retry_after=dig(response.json, "parameters.retry_after"),
        )
    if response.status in (401, 404) and words in ("Unauthorized", "Not Found"):
        # A wrong token makes an address that is not there.
        return ReconnectError(
            "Telegram no longer accepts this bot's token. Reconnect it.", status=response.status, detail=words
        )
    if response.status == 403:
        return PermanentError(
            f"The bot may not write there: {said}. The person must press Start, or the group must let the bot in.",
            status=403,
            detail=words,
        )
    if dig(response.json, "parameters.migrate_to_chat_id"):
        return PermanentError(
            f"The group became a supergroup. Its new id is {response.json['parameters']['migrate_to_chat_id']}.",
            status=response.status,
            detail=words,
        )
    return None


def message(inputs: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return the members every sent message shares."""
    return given(
        chat_id=inputs["chat"],
        parse_mode=inputs.get("format"),
        disable_notification=inputs.get("is_silent"),
        message_thread_id=inputs.get("topic"),
        reply_markup=inputs.get("buttons"),
        reply_parameters={"message_id": inputs["reply_to"]} if "reply_to" in inputs else None,
        **more,
    )


def send_file(method: str, part: str):
    """Return a builder that uploads the file; a form then carries the rest, objects as JSON text by Telegram's rule."""

    def build(inputs: Mapping[str, Any]) -> Request:
        try:
            file = read_file(inputs["file"])
        except (ValueError, KeyError) as error:
            raise PermanentError("The file could not be read. Choose a file from an earlier step.") from error
        return Request(
            "POST",
            f"/{method}",
            files={part: file},
            form=given(
                chat_id=inputs["chat"],
                caption=inputs.get("caption"),
                parse_mode=inputs.get("format"),
                disable_notification=inputs.get("is_silent"),
                message_thread_id=inputs.get("topic"),
            ),
        )

    return build


CHAT = Field(
    "chat",
    label="Chat",
    required=True,
    example="123456789",
    help="A chat's id, as given by the trigger, or @name of a public channel or group.",
)
MESSAGE_ID = Field(
    "message",
    label="Message",
    kind="integer",
    required=True,
    example=42,
    help="The message's id, as given by the step or trigger that found it.",
)
FORMAT = Field(
    "format",
    label="Written as",
    kind="select",
    advanced=True,
    example="HTML",
    choices=(("HTML", "HTML"), ("MarkdownV2", "Markdown")),
    help="Empty for plain text.",
)
BUTTONS = Field(
    "buttons",
    label="Buttons",
    kind="json",
    advanced=True,
    example={"inline_keyboard": [[{"text": "Paid", "callback_data": "paid:1042"}]]},
    help="Telegram's reply markup as JSON.",
)
SILENT = Field("is_silent", label="Without a sound", kind="boolean", example=False, advanced=True)
TOPIC = Field("topic", label="Topic of the group", kind="integer", example=7, advanced=True)
TEXT = Field(
    "text", label="Message", kind="long_text", required=True, example="Order 1042 is paid.", max_length=4096
)
CAPTION = Field("caption", label="Text with it", kind="long_text", example="Invoice 1042", max_length=1024)
FILE = Field(
    "file",
    label="File",
    kind="file",
    required=True,
    example={"name": "order.txt", "content": "SGVsbG8=", "content_type": "text/plain"},
)
SENT: dict[str, Output | str] = {
    "message": Output("result.message_id", kind="integer"),
    "chat": "result.chat.id",
    "sent_at": Output("result.date", kind="integer", label="Sent, Unix time"),
}

ACTIONS = (
    Action(
        key="send_message",
        label="Send a message",
        fields=(
            CHAT,
            TEXT,
            FORMAT,
            BUTTONS,
            Field(
                "reply_to",
                label="Answer to",
                kind="integer",
                example=42,
                advanced=True,
                help="A message's id.",
            ),
            SILENT,
            TOPIC,
        ),
        request=lambda inputs: Request("POST", "/sendMessage", json=message(inputs, text=inputs["text"])),
        returns=SENT,
        effect="unsafe",
    ),
    Action(
        key="send_photo",
        label="Send a picture",
        fields=(CHAT, FILE, CAPTION, FORMAT, SILENT, TOPIC),
        request=send_file("sendPhoto", "photo"),
        returns=SENT,
        effect="unsafe",
    ),
    Action(
        key="send_document",
        label="Send a file",
        fields=(CHAT, FILE, CAPTION, FORMAT, SILENT, TOPIC),
        request=send_file("sendDocument", "document"),
        returns=SENT,
        effect="unsafe",
    ),
    Action(
        key="edit_message",
        label="Change a message",
        fields=(CHAT, MESSAGE_ID, TEXT, FORMAT, BUTTONS),
        request=lambda inputs: Request(
            "POST",
            "/editMessageText",
            json=message(inputs, text=inputs["text"], message_id=inputs["message"]),
        ),
        returns=SENT,
        effect="key_safe",  # the same text set twice is the same message
    ),
    Action(
        key="delete_message",
        label="Delete a message",
        fields=(CHAT, MESSAGE_ID),
        request=lambda inputs: Request(
            "POST", "/deleteMessage", json={"chat_id": inputs["chat"], "message_id": inputs["message"]}
        ),
        effect="key_safe",  # a message is deleted once; the second call finds none
    ),
    Action(
        key="pin_message",
        label="Pin a message",
        fields=(CHAT, MESSAGE_ID, SILENT),
        request=lambda inputs: Request(
            "POST",
            "/pinChatMessage",
            json={
                "chat_id": inputs["chat"],
                "message_id": inputs["message"],
                "disable_notification": inputs.get("is_silent"),
            },
        ),
        effect="key_safe",  # pinned is pinned
    ),
    Action(
        key="answer_button",
        label="Answer a pressed button",
        description="Ends the button's waiting sign; a text shows for a moment.",
        fields=(
            Field(
                "query",
                label="Press",
                required=True,
                example="4382bfdwdsb323b2d9",
                help="“query” of the button trigger.",
            ),
            Field("text", label="Text", example="Thank you", max_length=200),
            Field("is_alert", label="As a window", kind="boolean", example=False, advanced=True),
        ),
        request=lambda inputs: Request(
            "POST",
            "/answerCallbackQuery",
            json={
                "callback_query_id": inputs["query"],
                "text": inputs.get("text"),
                "show_alert": inputs.get("is_alert"),
            },
        ),
        effect="key_safe",  # a press is answered once; the second answer changes nothing
    ),
    Action(
        key="get_chat",
        label="Get what is known of a chat",
        fields=(CHAT,),
        request=lambda inputs: Request("POST", "/getChat", json={"chat_id": inputs["chat"]}),
        returns={
            "id": "result.id",
            "type": "result.type",
            "title": "result.title",
            "username": "result.username",
            "first_name": "result.first_name",
        },
        effect="read",
    ),
)


def allowed_updates(subscription: Subscription) -> Request:
    return Request(
        "POST",
        "/setWebhook",
        json={
            "url": subscription.address,
            "secret_token": subscription.secret,
            "allowed_updates": list(UPDATES),
            "drop_pending_updates": False,
        },
    )


def kind_of(inbound: Inbound, event: Any) -> str:
    return next((name for name in UPDATES if isinstance(event, Mapping) and name in event), "")


def from_person(event: Any, config: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    part = event.get("message") or event.get("channel_post") or {}
    wanted = str(config.get("chat") or "")
    return not dig(part, "from.is_bot") and wanted in ("", str(dig(part, "chat.id")))


def is_command(event: Any, config: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    """Whether the message begins with the command, also as /order@our_bot in groups."""
    words = str(dig(event, "message.text") or "").split()
    word = words[0].partition("@")[0].lstrip("/") if words and words[0].startswith("/") else ""
    return bool(word) and word == config.get("command", "").lstrip("/")


def is_button(event: Any, config: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    return str(dig(event, "callback_query.data") or "").startswith(config.get("begins_with", ""))


PERSON = {"id": 123456789, "is_bot": False, "first_name": "Ada", "username": "ada"}
PRIVATE = {"id": 123456789, "first_name": "Ada", "username": "ada", "type": "private"}
MESSAGE: dict[str, Output | str] = {
    "message": Output("message_id", kind="integer"),
    "chat": "chat.id",
    "chat_title": "chat.title",
    "text": "text",
    "caption": "caption",
    "from_id": "from.id",
    "from_name": "from.first_name",
    "from_username": "from.username",
    "sent_at": Output("date", kind="integer", label="Sent, Unix time"),
    "file_id": "document.file_id",
    "photo_id": Output("photo.-1.file_id", label="Largest picture"),
    "phone_number": "contact.phone_number",
}
ONLY_CHAT = Field("chat", label="Only in this chat", example="123456789", help="A chat's id.")


def update(**part: Any) -> dict[str, Any]:
    return {"update_id": 10000, **part}


TRIGGERS = (
    Trigger(
        key="new_message",
        label="New message",
        event="message",
        accepts=from_person,
        fields=(ONLY_CHAT,),
        root="message",
        returns=MESSAGE,
        sample=update(
            message={
                "message_id": 42,
                "from": PERSON,
                "chat": PRIVATE,
                "date": 1795336200,
                "text": "Where is order 1042?",
            }
        ),
    ),
    Trigger(
        key="command",
        label="Command",
        event="message",
        accepts=is_command,
        root="message",
        returns=MESSAGE,
        fields=(Field("command", label="Command", required=True, example="/order"),),
        sample=update(
            message={
                "message_id": 43,
                "from": PERSON,
                "chat": PRIVATE,
                "date": 1795336200,
                "text": "/order 1042",
            }
        ),
    ),
    Trigger(
        key="button_pressed",
        label="A button is pressed",
        event="callback_query",
        accepts=is_button,
        root="callback_query",
        fields=(Field("begins_with", label="Only if its data begins with", example="paid:"),),
        sample=update(
            callback_query={
                "id": "4382bfdwdsb323b2d9",
                "from": PERSON,
                "data": "paid:1042",
                "chat_instance": "1",
                "message": {"message_id": 42, "chat": PRIVATE, "date": 1795336200, "text": "Order 1042"},
            }
        ),
        returns={
            "query": "id",
            "data": "data",
            "chat": "message.chat.id",
            "message": Output("message.message_id", kind="integer"),
            "from_id": "from.id",
            "from_name": "from.first_name",
        },
    ),
    Trigger(
        key="channel_post",
        label="New post in a channel",
        event="channel_post",
        accepts=from_person,
        fields=(ONLY_CHAT,),
        root="channel_post",
        returns=MESSAGE,
        sample=update(
            channel_post={
                "message_id": 44,
                "chat": {"id": -1001, "title": "News", "type": "channel"},
                "date": 1795336200,
                "text": "We are open on Sunday.",
            }
        ),
    ),
)

connector = Connector(
    slug="telegram",
    name="Telegram",
    category="Communication",
    summary="Write to people and groups through a bot, and react to what they write.",
    docs_url="https://core.telegram.org/bots/api",
    base_url="https://api.telegram.org/bot{bot_token}",
    auth=TokenInAddress(
        secret_field="bot_token",
        secret_label="Bot token",
        key="bot_token",
        label="Bot token",
        help="Write to @BotFather in Telegram, send /newbot, and copy the token.",
    ),
    test=Test(
        Request("POST", "/getMe"),
        account={"bot_user_id": "result.id", "bot_name": "result.username"},
        label="result.username",
    ),
    on_error=refine,
    error_paths=("description",),
    rate_limit=RateLimit(calls=30),
    webhooks=Webhooks(
        address="integration",  # a bot has one address for everything
        signature=token_in_header("X-Telegram-Bot-Api-Secret-Token"),
        secret="subscription",
        event=kind_of,
        delivery_id="update_id",
        subscribe=allowed_updates,
        read=lambda response, subscription: {"id": "webhook", "secret": subscription.secret},
        unsubscribe=lambda subscription: Request("POST", "/deleteWebhook", json={}),
    ),
    actions=ACTIONS,
    triggers=TRIGGERS,
)
