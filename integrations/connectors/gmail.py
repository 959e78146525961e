"""Gmail: send, draft, find, read and label mail; start on new mail, on mail a search finds, on a label."""

import base64
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr
from typing import Any

from integrations.connectors._google import refine, sign_in
from integrations.connectors._mailboxes import mailboxes, one_line
from integrations.framework import (
    Action,
    Connector,
    CursorPages,
    Field,
    FollowUp,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    Request,
    Response,
    Test,
    Trigger,
    dig,
    given,
    read_file,
)

ME = "/gmail/v1/users/me"
MOST_PER_PAGE = 500
LARGEST_BYTES = (
    5_000_000  # above it Gmail wants its upload address; 35 MB of base64 would not pass here anyway
)


def compose(inputs: Mapping[str, Any]) -> str:
    """Return the message in Gmail's form: base64url of an Internet message. Raises PermanentError when it cannot be."""
    message = EmailMessage(policy=SMTP)
    for header in ("to", "cc", "bcc", "reply_to"):
        if header in inputs:
            message[header.replace("_", "-").title()] = addresses(inputs[header])
    message["Subject"] = one_line(inputs.get("subject", ""))
    if "in_reply_to" in inputs:
        message["In-Reply-To"] = message["References"] = one_line(inputs["in_reply_to"])
    text = inputs.get("body", "")
    message.set_content(text, subtype="html" if inputs.get("format") == "html" else "plain")
    for value in inputs.get("attachments", ()):
        try:
            file = read_file(value["file"])
        except (ValueError, KeyError) as error:
            raise PermanentError(
                "An attachment could not be read. Choose a file from an earlier step."
            ) from error
        kind, _, subtype = file.content_type.partition("/")
        message.add_attachment(
            file.content,
            maintype=kind or "application",
            subtype=subtype or "octet-stream",
            filename=one_line(file.name),
        )
    raw = message.as_bytes()
    if len(raw) > LARGEST_BYTES:
        raise PermanentError("The e-mail is larger than 5 MB. Send a link to the file instead.")
    return base64.urlsafe_b64encode(raw).decode()


def addresses(text: str) -> str:
    return ", ".join(formataddr(mailbox) for mailbox in mailboxes(text))


def read_message(message: Any) -> dict[str, Any]:
    """Return a Gmail message as later steps want it: headers by name, texts decoded, attachments listed."""
    headers = {entry["name"].lower(): entry["value"] for entry in dig(message, "payload.headers") or ()}
    texts: dict[str, str] = {}
    attachments = []
    for part in parts(dig(message, "payload") or {}):
        kind = part.get("mimeType", "")
        if part.get("filename"):
            attachments.append(
                {
                    "attachment_id": dig(part, "body.attachmentId"),
                    "name": part["filename"],
                    "content_type": kind,
                    "size": dig(part, "body.size"),
                }
            )
        elif kind in ("text/plain", "text/html") and kind not in texts:
            texts[kind] = decoded(dig(part, "body.data") or "").decode("utf-8", "replace")
    return {
        "id": message.get("id"),
        "thread_id": message.get("threadId"),
        "label_ids": message.get("labelIds") or [],
        "from": headers.get("from"),
        "to": headers.get("to"),
        "cc": headers.get("cc"),
        "reply_to": headers.get("reply-to"),
        "subject": headers.get("subject"),
        "date": headers.get("date"),
        "message_id": headers.get("message-id"),
        "snippet": message.get("snippet"),
        "received_at_ms": message.get("internalDate"),
        "text": texts.get("text/plain"),
        "html": texts.get("text/html"),
        "attachments": attachments,
    }


def parts(part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield part
    for inner in part.get("parts") or ():
        yield from parts(inner)


def decoded(data: str) -> bytes:
    return base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))


MESSAGE_ID = Field(
    "id",
    label="Message",
    required=True,
    example="18c2f0a1b2c3d4e5",
    help="The message's id, as given by the step or trigger that found it.",
)
RECIPIENTS = (
    Field("cc", label="Copy to", example="bob@example.com", advanced=True),
    Field("bcc", label="Blind copy to", example="archive@example.com", advanced=True),
    Field("reply_to", label="Answers go to", example="support@example.com", advanced=True),
)
CONTENT = (
    Field("subject", label="Subject", required=True, example="Your order is on its way"),
    Field(
        "body",
        label="Text",
        kind="long_text",
        required=True,
        example="Hello Ada,\nyour order has left our house.",
    ),
    Field(
        "format",
        label="Written as",
        kind="select",
        choices=(("plain", "Plain text"), ("html", "HTML")),
        default="plain",
        example="plain",
    ),
)
EXTRAS = (
    Field(
        "attachments",
        label="Attachments",
        kind="list",
        advanced=True,
        fields=(Field("file", label="File", kind="file", required=True),),
        example=[{"file": {"name": "order.txt", "content": "SGVsbG8=", "content_type": "text/plain"}}],
    ),
    Field(
        "thread_id",
        label="Conversation",
        example="18c2f0a1b2c3d4e5",
        advanced=True,
        help="Answers in this conversation. Keep its subject, and give “In answer to” too.",
    ),
    Field(
        "in_reply_to",
        label="In answer to",
        example="<CAF1@mail.gmail.com>",
        advanced=True,
        help="The “message_id” of the e-mail you answer.",
    ),
)
TO = Field(
    "to",
    label="To",
    required=True,
    example="Ada Lovelace <ada@example.com>",
    help="One address, or several separated by commas.",
)
LABELS = {"label_ids": Output("labelIds", kind="list")}
MESSAGE = {
    "id": Output("id"),
    "thread_id": Output("threadId"),
    "label_ids": Output("labelIds", kind="list"),
    "from": Output("", label="From"),
    "to": Output("", label="To"),
    "cc": Output("", label="Copy to"),
    "reply_to": Output(""),
    "subject": Output(""),
    "date": Output(""),
    "message_id": Output("", label="Message-ID header"),
    "snippet": Output("snippet"),
    "received_at_ms": Output("internalDate", label="Received, Unix time in ms"),
    "text": Output("", kind="long_text"),
    "html": Output("", kind="long_text"),
    "attachments": Output(
        "",
        kind="list",
        of={
            "attachment_id": Output(""),
            "name": Output(""),
            "content_type": Output(""),
            "size": Output("", kind="integer"),
        },
    ),
}

SEND_EMAIL = Action(
    key="send_email",
    label="Send an e-mail",
    fields=(TO, *CONTENT, *RECIPIENTS, *EXTRAS),
    request=lambda inputs: Request(
        "POST", f"{ME}/messages/send", json={"raw": compose(inputs), "threadId": inputs.get("thread_id")}
    ),
    returns={"id": "id", "thread_id": "threadId", **LABELS},
    effect="unsafe",
)

SEARCH = Action(
    key="search_messages",
    label="Search messages",
    description="Gives ids; read each with “Get a message”.",
    fields=(
        Field(
            "query",
            label="Search",
            example="from:ada@example.com newer_than:2d",
            send="q",
            help="As in Gmail's search box, such as subject:invoice is:unread.",
        ),
        Field(
            "label_ids",
            label="With all these labels",
            kind="multi_select",
            options="list_labels",
            example=["INBOX"],
            send="labelIds",
        ),
        Field(
            "include_spam_trash",
            label="Look in spam and trash too",
            kind="boolean",
            example=False,
            send="includeSpamTrash",
            advanced=True,
        ),
    ),
    call=f"GET {ME}/messages",
    pagination=CursorPages(items="messages", into="pageToken", cursor="nextPageToken"),
    returns={"messages": Output("messages", kind="list", of={"id": "id", "thread_id": "threadId"})},
    effect="read",
)

GET_MESSAGE = Action(
    key="get_message",
    label="Get a message",
    fields=(MESSAGE_ID,),
    request=lambda inputs: full_message(inputs["id"]),
    output=lambda response: read_message(response.json),
    returns=MESSAGE,
    effect="read",
)


def full_message(message_id: str) -> Request:
    return Request("GET", f"{ME}/messages/{{id}}", at={"id": message_id}, query={"format": "full"})


MODIFY_LABELS = Action(
    key="modify_labels",
    label="Add or remove labels",
    description="Removing UNREAD marks as read; removing INBOX archives.",
    fields=(
        MESSAGE_ID,
        Field(
            "add_label_ids",
            label="Add",
            kind="multi_select",
            options="list_labels",
            example=["STARRED"],
            send="addLabelIds",
        ),
        Field(
            "remove_label_ids",
            label="Remove",
            kind="multi_select",
            options="list_labels",
            example=["UNREAD"],
            send="removeLabelIds",
        ),
    ),
    call=f"POST {ME}/messages/{{id}}/modify",
    returns={"id": "id", **LABELS},
    effect="key_safe",  # labels set twice are the same labels
)

TRASH = Action(
    key="trash_message",
    label="Move to trash",
    fields=(MESSAGE_ID,),
    request=lambda inputs: Request("POST", f"{ME}/messages/{{id}}/trash", at={"id": inputs["id"]}),
    returns={"id": "id", **LABELS},
    effect="key_safe",  # what is in the trash stays there
)

CREATE_DRAFT = Action(
    key="create_draft",
    label="Create a draft",
    fields=(TO, *CONTENT, *RECIPIENTS, *EXTRAS),
    request=lambda inputs: Request(
        "POST", f"{ME}/drafts", json={"message": given(raw=compose(inputs), threadId=inputs.get("thread_id"))}
    ),
    returns={"id": "id", "message_id": "message.id", "thread_id": "message.threadId"},
    effect="unsafe",
)

SEND_DRAFT = Action(
    key="send_draft",
    label="Send a draft",
    fields=(
        Field(
            "id", label="Draft", required=True, example="r-1234567890", help="As given by “Create a draft”."
        ),
    ),
    call=f"POST {ME}/drafts/send",
    returns={"id": "id", "thread_id": "threadId"},
    effect="key_safe",  # a sent draft is gone: the second call finds nothing to send
)

GET_THREAD = Action(
    key="get_thread",
    label="Get a conversation",
    fields=(Field("id", label="Conversation", required=True, example="18c2f0a1b2c3d4e5"),),
    request=lambda inputs: Request(
        "GET", f"{ME}/threads/{{id}}", at={"id": inputs["id"]}, query={"format": "full"}
    ),
    output=lambda response: {
        "id": dig(response.json, "id"),
        "messages": [read_message(message) for message in dig(response.json, "messages") or ()],
    },
    returns={"id": "id", "messages": Output("messages", kind="list", of=MESSAGE)},
    effect="read",
)

GET_ATTACHMENT = Action(
    key="get_attachment",
    label="Get an attachment",
    description="Use it right after reading the message: Gmail changes attachment ids.",
    fields=(
        Field("message_id", label="Message", required=True, example="18c2f0a1b2c3d4e5"),
        Field("attachment_id", label="Attachment", required=True, example="ANGjdJ8w"),
        Field("name", label="File name", example="invoice.pdf", default="attachment"),
        Field(
            "content_type", label="File type", example="application/pdf", default="application/octet-stream"
        ),
    ),
    run=lambda call: fetch_attachment(call.inputs),
    returns={"file": Output("", kind="file"), "size": Output("size", kind="integer")},
    effect="read",
)


def fetch_attachment(inputs: Mapping[str, Any]):
    answer = yield Request(
        "GET",
        f"{ME}/messages/{{message}}/attachments/{{id}}",
        at={"message": inputs["message_id"], "id": inputs["attachment_id"]},
    )
    content = base64.b64encode(decoded(dig(answer.json, "data") or "")).decode()
    file = {"name": inputs["name"], "content": content, "content_type": inputs["content_type"]}
    return {"file": file, "size": dig(answer.json, "size")}


LIST_LABELS = Action(
    key="list_labels",
    label="List labels",
    request=lambda inputs: Request("GET", f"{ME}/labels"),
    offers=Offers(items="labels"),
    returns={"labels": Output("labels", kind="list", of={"id": "id", "name": "name", "type": "type"})},
    effect="read",
)

CREATE_LABEL = Action(
    key="create_label",
    label="Create a label",
    fields=(
        Field(
            "name",
            label="Name",
            required=True,
            example="Orders/New",
            help="A slash puts it under another label.",
        ),
        Field(
            "label_list_visibility",
            label="In the list of labels",
            kind="select",
            send="labelListVisibility",
            choices=(("labelShow", "Show"), ("labelShowIfUnread", "Show if unread"), ("labelHide", "Hide")),
            example="labelShow",
            advanced=True,
        ),
        Field(
            "message_list_visibility",
            label="In the list of messages",
            kind="select",
            send="messageListVisibility",
            choices=("show", "hide"),
            example="show",
            advanced=True,
        ),
    ),
    call=f"POST {ME}/labels",
    returns={"id": "id", "name": "name"},
    effect="unsafe",
)


def newest(query: str) -> Request:
    return Request("GET", f"{ME}/messages", query={"q": query, "maxResults": MOST_PER_PAGE})


def labelled(config: Mapping[str, Any], since: Any) -> Request:
    """Ask where we stand first, then what was labelled since."""
    if since is None:
        return Request("GET", f"{ME}/profile")
    return Request(
        "GET",
        f"{ME}/history",
        query={
            "startHistoryId": since,
            "historyTypes": "labelAdded",
            "labelId": config["label"],
            "maxResults": MOST_PER_PAGE,
        },
    )


def labelled_messages(response: Response, config: Mapping[str, Any]) -> list[Any]:
    return [
        {"history_id": record["id"], **added["message"]}
        for record in dig(response.json, "history") or ()
        for added in record.get("labelsAdded") or ()
        if config["label"] in added.get("labelIds", ())
    ]


IN_FULL = FollowUp(
    lambda item, account: full_message(item["id"]), read=lambda response: read_message(response.json)
)
# The list tells ids only, newest first, so known ids are what tells new mail: nothing is lost while Google's history,
# which lives about a week, would be.
MAIL_PAGES = CursorPages(items="messages", into="pageToken", cursor="nextPageToken")
PICKED = {
    key: Output(key, kind=output.kind, label=output.label, of={inner: inner for inner in output.of})
    for key, output in MESSAGE.items()
}
SAMPLE = {
    "id": "18c2f0a1b2c3d4e5",
    "thread_id": "18c2f0a1b2c3d4e5",
    "label_ids": ["INBOX", "UNREAD"],
    "from": "Ada Lovelace <ada@example.com>",
    "to": "you@example.com",
    "cc": None,
    "reply_to": None,
    "subject": "Invoice 1042",
    "date": "Sun, 22 Nov 2026 09:30:00 +0100",
    "message_id": "<CAF1@mail.gmail.com>",
    "snippet": "Please find the invoice",
    "received_at_ms": "1795336200000",
    "text": "Please find the invoice attached.",
    "html": None,
    "attachments": [
        {"attachment_id": "ANGjdJ8w", "name": "invoice.pdf", "content_type": "application/pdf", "size": 48211}
    ],
}

TRIGGERS = (
    Trigger(
        key="new_email",
        label="New e-mail",
        kind="polling",
        description="Looked for every minute in the inbox.",
        poll=Poll(
            request=lambda config, since: newest("in:inbox newer_than:7d"),
            items="messages",
            pagination=MAIL_PAGES,
            follow_up=IN_FULL,
            interval_seconds=60,
        ),
        sample=SAMPLE,
        returns=PICKED,
    ),
    Trigger(
        key="email_matching_search",
        label="New e-mail that a search finds",
        kind="polling",
        fields=(
            Field(
                "query",
                label="Search",
                required=True,
                example="subject:invoice has:attachment",
                help="As in Gmail's search box.",
            ),
        ),
        poll=Poll(
            request=lambda config, since: newest(f"({config['query']}) newer_than:30d"),
            items="messages",
            pagination=MAIL_PAGES,
            follow_up=IN_FULL,
        ),
        sample=SAMPLE,
        returns=PICKED,
    ),
    Trigger(
        key="label_added",
        label="A label is put on an e-mail",
        kind="polling",
        fields=(Field("label", label="Label", required=True, options="list_labels", example="Label_12"),),
        poll=Poll(
            request=labelled,
            items=labelled_messages,
            id=("id", "history_id"),
            position="historyId",
            stale=(404,),
            order="oldest_first",
            pagination=CursorPages(items="history", into="pageToken", cursor="nextPageToken"),
            follow_up=IN_FULL,
        ),
        sample=SAMPLE,
        returns=PICKED,
    ),
)

connector = Connector(
    slug="gmail",
    name="Gmail",
    category="Communication",
    summary="Send, find, read and label your e-mail.",
    docs_url="https://developers.google.com/workspace/gmail/api/reference/rest",
    base_url="https://gmail.googleapis.com",
    auth=sign_in("gmail.modify"),  # reads, labels, drafts, sends; never deletes for good
    test=Test(Request("GET", f"{ME}/profile"), account={"email": "emailAddress"}, label="emailAddress"),
    on_error=refine("Gmail"),
    rate_limit=RateLimit(
        calls=50, seconds=60
    ),  # 6,000 units a minute and person, sending costs 100 (since 2026-05)
    actions=(
        SEND_EMAIL,
        SEARCH,
        GET_MESSAGE,
        MODIFY_LABELS,
        TRASH,
        CREATE_DRAFT,
        SEND_DRAFT,
        GET_THREAD,
        GET_ATTACHMENT,
        LIST_LABELS,
        CREATE_LABEL,
    ),
    triggers=TRIGGERS,
)
