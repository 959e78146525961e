"""Outlook: send, draft, answer, file and read mail of Microsoft 365; start on new and changed mail."""

from collections.abc import Mapping
from typing import Any

from integrations.connectors._mailboxes import mailboxes, one_line
from integrations.connectors._microsoft import GRAPH, TENANT, notice, notifications, refine, sign_in
from integrations.framework import (
    Action,
    Connector,
    Field,
    FollowUp,
    LinkPages,
    LookUp,
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

MESSAGE_PATH = "/me/messages/{id}"
STAYING_IDS = 'IdType="ImmutableId"'  # otherwise a message gets another id when it is moved
AS_TEXT = {"Prefer": f'{STAYING_IDS}, outlook.body-content-type="text"'}
BRIEF = ",".join(
    (
        "id",
        "subject",
        "from",
        "toRecipients",
        "receivedDateTime",
        "bodyPreview",
        "conversationId",
        "hasAttachments",
        "isRead",
        "webLink",
        "internetMessageId",
    )
)
PAGE_SIZE = 50
LARGEST_BYTES = 3_000_000  # larger files need an upload session
LONG_AGO = "1970-01-01T00:00:00Z"
WATCH_MINUTES = 10_070  # Graph allows 10,080 for mail


def recipients(text: str | None) -> list[dict[str, Any]] | None:
    if text is None:
        return None
    return [{"emailAddress": given(address=address, name=name or None)} for name, address in mailboxes(text)]


def attachment(value: Mapping[str, Any]) -> dict[str, str]:
    """Return a file as Graph takes it. Raises PermanentError when it cannot be sent."""
    try:
        file = read_file(value)
    except (ValueError, KeyError) as error:
        raise PermanentError(
            "An attachment could not be read. Choose a file from an earlier step."
        ) from error
    if len(file.content) > LARGEST_BYTES:
        raise PermanentError("The attachment is larger than 3 MB. Send a link to the file instead.")
    return {
        "@odata.type": "#microsoft.graph.fileAttachment",
        "name": one_line(file.name),
        "contentType": file.content_type,
        "contentBytes": value["content"],
    }


def compose(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message resource of the inputs."""
    return given(
        subject=inputs.get("subject"),
        body={"contentType": inputs["format"], "content": inputs["body"]} if "body" in inputs else None,
        toRecipients=recipients(inputs.get("to")),
        ccRecipients=recipients(inputs.get("cc")),
        bccRecipients=recipients(inputs.get("bcc")),
        replyTo=recipients(inputs.get("reply_to")),
        importance=inputs.get("importance"),
        attachments=[attachment(entry["file"]) for entry in inputs.get("attachments", ())] or None,
    )


def list_messages(inputs: Mapping[str, Any]) -> Request:
    if "search" in inputs and "filter" in inputs:
        raise PermanentError("Outlook takes either a search or a filter. Empty one of the two in this step.")
    search = inputs["search"].replace('"', "") if "search" in inputs else None
    return Request(
        "GET",
        "/me/messages",
        headers=AS_TEXT,
        query={
            "$search": f'"{search}"' if search else None,
            "$filter": inputs.get("filter"),
            "$orderby": None if search or "filter" in inputs else "receivedDateTime desc",
            "$select": BRIEF,
            "$top": PAGE_SIZE,
        },
    )


MESSAGE_ID = Field(
    "id",
    label="Message",
    required=True,
    example="AAkALgAAAAAAHYQDEapmEc2byACqAC",
    help="The message's id, as given by the step or trigger that found it.",
)
TO = Field(
    "to",
    label="To",
    required=True,
    example="Ada Lovelace <ada@example.com>",
    help="One address, or several separated by commas.",
)
IMPORTANCE = Field(
    "importance",
    label="Importance",
    kind="select",
    choices=("low", "normal", "high"),
    example="normal",
    advanced=True,
)
MESSAGE_FIELDS = (
    TO,
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
        choices=(("Text", "Plain text"), ("HTML", "HTML")),
        default="Text",
        example="Text",
    ),
    Field("cc", label="Copy to", example="bob@example.com", advanced=True),
    Field("bcc", label="Blind copy to", example="archive@example.com", advanced=True),
    Field("reply_to", label="Answers go to", example="support@example.com", advanced=True),
    IMPORTANCE,
    Field(
        "attachments",
        label="Attachments",
        kind="list",
        advanced=True,
        fields=(Field("file", label="File", kind="file", required=True),),
        help="At most 3 MB each.",
        example=[{"file": {"name": "order.txt", "content": "SGVsbG8=", "content_type": "text/plain"}}],
    ),
)
COMMENT = Field(
    "comment",
    label="Text",
    kind="long_text",
    required=True,
    example="Thank you, it arrived.",
    help="Stands above the mail you answer or pass on.",
)
SENDER: dict[str, Output | str] = {
    "from": Output("from.emailAddress.address", label="From"),
    "from_name": Output("from.emailAddress.name", label="Name of the sender"),
}
BRIEF_MESSAGE: dict[str, Output | str] = {
    "id": "id",
    "subject": "subject",
    **SENDER,
    "to": Output("toRecipients[].emailAddress.address", kind="list"),
    "received_at": "receivedDateTime",
    "preview": "bodyPreview",
    "conversation_id": "conversationId",
    "has_attachments": Output("hasAttachments", kind="boolean"),
    "is_read": Output("isRead", kind="boolean"),
    "url": "webLink",
    "message_id": "internetMessageId",
}
MESSAGE: dict[str, Output | str] = {
    **BRIEF_MESSAGE,
    "body": Output("body.content", kind="long_text"),
    "body_type": "body.contentType",
}

SEND_MAIL = Action(
    key="send_mail",
    label="Send an e-mail",
    description="Gives no id; where a later step needs it, create a draft and send that.",
    fields=(
        *MESSAGE_FIELDS,
        Field(
            "save_to_sent_items",
            label="Keep in sent items",
            kind="boolean",
            default=True,
            example=True,
            advanced=True,
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        "/me/sendMail",
        json={"message": compose(inputs), "saveToSentItems": inputs["save_to_sent_items"]},
    ),
    effect="unsafe",
)

CREATE_DRAFT = Action(
    key="create_draft",
    label="Create a draft",
    fields=MESSAGE_FIELDS,
    request=lambda inputs: Request("POST", "/me/messages", json=compose(inputs)),
    returns={
        "id": "id",
        "conversation_id": "conversationId",
        "url": "webLink",
        "message_id": "internetMessageId",
    },
    effect="unsafe",
)

SEND_DRAFT = Action(
    key="send_draft",
    label="Send a draft",
    fields=(MESSAGE_ID,),
    request=lambda inputs: Request("POST", f"{MESSAGE_PATH}/send", at={"id": inputs["id"]}, content=b""),
    effect="checkable",
    look_up=LookUp(  # the id stays with the message when it is sent
        request=lambda inputs: Request(
            "GET", MESSAGE_PATH, at={"id": inputs["id"]}, query={"$select": "id,isDraft"}
        ),
        found=lambda response, inputs: {} if dig(response.json, "isDraft") is False else None,
    ),
)

LIST_MESSAGES = Action(
    key="list_messages",
    label="Search messages",
    fields=(
        Field("search", label="Search", help="As in Outlook's search box, such as from:ada subject:invoice."),
        Field(
            "filter",
            label="Filter",
            example="isRead eq false",
            advanced=True,
            help="Graph's language, such as isRead eq false. Not together with a search.",
        ),
    ),
    request=list_messages,
    pagination=LinkPages(items="value", path="@odata.nextLink"),
    returns={"messages": Output("value", kind="list", of=BRIEF_MESSAGE)},
    effect="read",
)

GET_MESSAGE = Action(
    key="get_message",
    label="Get a message",
    fields=(
        MESSAGE_ID,
        Field(
            "format",
            label="Body as",
            kind="select",
            choices=(("text", "Plain text"), ("html", "HTML")),
            default="text",
            example="text",
        ),
    ),
    request=lambda inputs: full_message(inputs["id"], inputs["format"]),
    returns=MESSAGE,
    effect="read",
)


def full_message(message_id: str, body: str = "text") -> Request:
    return Request(
        "GET",
        MESSAGE_PATH,
        at={"id": message_id},
        headers={"Prefer": f'{STAYING_IDS}, outlook.body-content-type="{body}"'},
    )


REPLY = Action(
    key="reply",
    label="Reply",
    fields=(
        MESSAGE_ID,
        COMMENT,
        Field(
            "to",
            label="Answer to others",
            example="bob@example.com",
            advanced=True,
            help="Empty answers the sender.",
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        f"{MESSAGE_PATH}/reply",
        at={"id": inputs["id"]},
        json={
            "comment": inputs["comment"],
            "message": {"toRecipients": recipients(inputs["to"])} if "to" in inputs else None,
        },
    ),
    effect="unsafe",
)

FORWARD = Action(
    key="forward",
    label="Forward",
    fields=(MESSAGE_ID, TO, Field("comment", label="Text", kind="long_text", example="Please have a look.")),
    request=lambda inputs: Request(
        "POST",
        f"{MESSAGE_PATH}/forward",
        at={"id": inputs["id"]},
        json={"comment": inputs.get("comment"), "toRecipients": recipients(inputs["to"])},
    ),
    effect="unsafe",
)

MOVE = Action(
    key="move_message",
    label="Move to a folder",
    fields=(
        MESSAGE_ID,
        Field(
            "folder",
            label="Folder",
            required=True,
            options="list_folders",
            example="archive",
            send="destinationId",
            help="Or one of inbox, archive, deleteditems, junkemail.",
        ),
    ),
    call=f"POST {MESSAGE_PATH}/move",
    returns={"id": "id", "folder_id": "parentFolderId"},
    effect="key_safe",  # the id stays, so a second move leaves the message where it is
)

UPDATE = Action(
    key="update_message",
    label="Mark or categorise",
    fields=(
        MESSAGE_ID,
        Field("is_read", label="Read", kind="boolean", example=True, send="isRead"),
        Field(
            "categories",
            label="Categories",
            kind="multi_select",
            example=["Orders"],
            help="These take the place of those it has.",
        ),
        Field(
            "flag",
            label="Flag",
            kind="select",
            send="flag.flagStatus",
            example="flagged",
            choices=(("flagged", "Flagged"), ("complete", "Done"), ("notFlagged", "None")),
        ),
        IMPORTANCE,
    ),
    call=f"PATCH {MESSAGE_PATH}",
    returns={
        "id": "id",
        "is_read": Output("isRead", kind="boolean"),
        "categories": Output("categories", kind="list"),
    },
    effect="key_safe",  # marks set twice are the same marks
)

LIST_FOLDERS = Action(
    key="list_folders",
    label="List mail folders",
    fields=(
        Field(
            "include_hidden",
            label="Hidden ones too",
            kind="boolean",
            example=False,
            send="includeHiddenFolders",
            advanced=True,
        ),
    ),
    request=lambda inputs: Request(
        "GET",
        "/me/mailFolders",
        query={"$top": 100, "includeHiddenFolders": "true" if inputs.get("include_hidden") else None},
    ),
    pagination=LinkPages(items="value", path="@odata.nextLink"),
    offers=Offers(items="folders"),
    returns={
        "folders": Output(
            "value",
            kind="list",
            of={"id": "id", "name": "displayName", "unread_count": Output("unreadItemCount", kind="integer")},
        )
    },
    effect="read",
)


def read_attachments(response: Response) -> dict[str, Any]:
    """Return the attachments, files among them with their content; attached mails and links have none."""
    return {
        "attachments": [
            {
                "id": entry.get("id"),
                "name": entry.get("name"),
                "content_type": entry.get("contentType"),
                "size": entry.get("size"),
                "file": {
                    "name": entry.get("name") or "file",
                    "content": entry["contentBytes"],
                    "content_type": entry.get("contentType") or "application/octet-stream",
                }
                if entry.get("contentBytes")
                else None,
            }
            for entry in dig(response.json, "value") or ()
        ]
    }


LIST_ATTACHMENTS = Action(
    key="list_attachments",
    label="Get attachments",
    fields=(MESSAGE_ID,),
    request=lambda inputs: Request("GET", f"{MESSAGE_PATH}/attachments", at={"id": inputs["id"]}),
    output=read_attachments,
    returns={
        "attachments": Output(
            "value",
            kind="list",
            of={
                "id": "id",
                "name": "name",
                "content_type": "contentType",
                "size": Output("size", kind="integer"),
                "file": Output("", kind="file"),
            },
        )
    },
    effect="read",
)

ADD_ATTACHMENT = Action(
    key="add_attachment",
    label="Attach a file to a draft",
    fields=(
        MESSAGE_ID,
        Field(
            "file",
            label="File",
            kind="file",
            required=True,
            help="At most 3 MB.",
            example={"name": "order.txt", "content": "SGVsbG8=", "content_type": "text/plain"},
        ),
    ),
    request=lambda inputs: Request(
        "POST", f"{MESSAGE_PATH}/attachments", at={"id": inputs["id"]}, json=attachment(inputs["file"])
    ),
    returns={"id": "id", "name": "name", "size": Output("size", kind="integer")},
    effect="unsafe",
)


def inbox(config: Mapping[str, Any], since: Any) -> Request:
    return Request(
        "GET",
        "/me/mailFolders/{folder}/messages",
        at={"folder": config.get("folder", "inbox")},
        headers=AS_TEXT,
        query=newest(since),
    )


def matching(config: Mapping[str, Any], since: Any) -> Request:
    return Request("GET", "/me/messages", headers=AS_TEXT, query=newest(since, f" and ({config['filter']})"))


def newest(since: Any, more: str = "") -> dict[str, Any]:
    # Graph wants what it sorts by first in the filter. "ge", for two mails may share a second; ids tell them apart.
    return {
        "$filter": f"receivedDateTime ge {since or LONG_AGO}{more}",
        "$orderby": "receivedDateTime desc",
        "$select": f"{BRIEF},body",
        "$top": PAGE_SIZE,
    }


def watched_folder(config: Mapping[str, Any]) -> str:
    folder = config.get("folder", "inbox").replace("'", "''")
    return f"me/mailFolders('{folder}')/messages"


FETCH = FollowUp(lambda event, account: full_message(event["resourceData"]["id"]), into="message")
SAMPLE = {
    "id": "AAkALgAAAAAAHYQDEapmEc2byACqAC",
    "subject": "Invoice 1042",
    "from": {"emailAddress": {"name": "Ada Lovelace", "address": "ada@example.com"}},
    "toRecipients": [{"emailAddress": {"name": "You", "address": "you@example.com"}}],
    "receivedDateTime": "2026-11-22T09:30:00Z",
    "bodyPreview": "Please find the invoice",
    "conversationId": "AAQk1",
    "hasAttachments": True,
    "isRead": False,
    "webLink": "https://outlook.office365.com/owa/?ItemID=AAkALg",
    "internetMessageId": "<1042@example.com>",
    "body": {"contentType": "text", "content": "Please find the invoice attached."},
}
FOLDER = Field("folder", label="Folder", options="list_folders", example="inbox", help="Empty for the inbox.")
TOLD: dict[str, Output | str] = {
    **{
        name: Output(f"message.{value.path}", kind=value.kind, label=value.label)
        if isinstance(value, Output)
        else f"message.{value}"
        for name, value in MESSAGE.items()
    },
    "id": "resourceData.id",  # known also when the mail has gone before we could read it
}
TOLD_SAMPLE = (
    "Users/u1/Messages/AAkALgAAAAAAHYQDEapmEc2byACqAC",
    "#Microsoft.Graph.Message",
    "AAkALgAAAAAAHYQDEapmEc2byACqAC",
)

TRIGGERS = (
    Trigger(
        key="new_email",
        label="New e-mail",
        event="created",
        fields=(FOLDER,),
        follow_up=FETCH,
        webhooks=notifications(watched_folder, "created", minutes=WATCH_MINUTES),
        sample=notice("created", *TOLD_SAMPLE, message=SAMPLE),
        returns=TOLD,
    ),
    Trigger(
        key="email_updated",
        label="E-mail changed",
        event="updated",
        follow_up=FETCH,
        description="Read, flagged, moved or categorised: each change counts.",
        webhooks=notifications(lambda config: "me/messages", "updated", minutes=WATCH_MINUTES),
        sample=notice("updated", *TOLD_SAMPLE, message=SAMPLE),
        returns=TOLD,
    ),
    Trigger(
        key="new_email_polling",
        label="New e-mail (checked every few minutes)",
        kind="polling",
        fields=(FOLDER,),
        poll=Poll(
            request=inbox,
            items="value",
            stamp="receivedDateTime",
            pagination=LinkPages(items="value", path="@odata.nextLink"),
        ),
        sample=SAMPLE,
        returns=MESSAGE,
    ),
    Trigger(
        key="search_polling",
        label="New e-mail that a filter finds (checked every few minutes)",
        kind="polling",
        fields=(
            Field(
                "filter",
                label="Filter",
                required=True,
                example="hasAttachments eq true",
                help="Graph's language, such as from/emailAddress/address eq 'ada@example.com'.",
            ),
        ),
        poll=Poll(
            request=matching,
            items="value",
            stamp="receivedDateTime",
            pagination=LinkPages(items="value", path="@odata.nextLink"),
        ),
        sample=SAMPLE,
        returns=MESSAGE,
    ),
)

connector = Connector(
    slug="outlook",
    name="Outlook",
    category="Communication",
    summary="Send, answer, file and read your Microsoft 365 e-mail.",
    docs_url="https://learn.microsoft.com/graph/api/resources/mail-api-overview",
    base_url=GRAPH,
    account=(TENANT,),
    auth=sign_in("Mail.Send", "Mail.ReadWrite"),
    headers={"Prefer": STAYING_IDS},
    test=Test(
        Request("GET", "/me"),
        account={"user_id": "id", "email": "userPrincipalName"},
        label="userPrincipalName",
    ),
    on_error=refine("Outlook"),
    rate_limit=RateLimit(calls=16),  # 10,000 in ten minutes for an app and mailbox
    actions=(
        SEND_MAIL,
        CREATE_DRAFT,
        SEND_DRAFT,
        LIST_MESSAGES,
        GET_MESSAGE,
        REPLY,
        FORWARD,
        MOVE,
        UPDATE,
        LIST_FOLDERS,
        LIST_ATTACHMENTS,
        ADD_ATTACHMENT,
    ),
    triggers=TRIGGERS,
)
