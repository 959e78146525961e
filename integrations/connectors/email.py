"""Any mailbox, by SMTP and IMAP: send, search, read, move and mark e-mails, and start when one arrives."""

from integrations.connectors._mail_transport import carry
from integrations.framework import (
    Action,
    Basic,
    Connector,
    Field,
    LookUp,
    OAuth2,
    Offers,
    Output,
    Poll,
    RateLimit,
    Request,
    Test,
    Trigger,
)

FOLDER = Field(
    "folder",
    label="Folder",
    default="INBOX",
    example="INBOX",
    options="list_folders",
    help="Where to look. Your inbox is called INBOX everywhere.",
)
MESSAGE = Field(
    "id",
    label="E-mail",
    required=True,
    example="1700000000:42",
    help="The id that a search or the “New e-mail” trigger gives.",
)
HEADLINE = {
    "id": "id",
    "message_id": "message_id",
    "from_name": "from_name",
    "from_address": "from_address",
    "reply_to": "reply_to",
    "to": Output("to", kind="list"),
    "cc": Output("cc", kind="list"),
    "subject": "subject",
    "date": Output("date", kind="datetime"),
    "in_reply_to": "in_reply_to",
    "is_read": Output("is_read", kind="boolean"),
    "is_starred": Output("is_starred", kind="boolean"),
}
BODY = {"text": Output("text", kind="long_text"), "html": Output("html", kind="long_text")}
ATTACHMENTS = Output(
    "attachments",
    kind="list",
    of={
        "name": "name",
        "content_type": "content_type",
        "size": Output("size", kind="integer"),
        "content": Output("content", label="Content (as a file)"),
    },
)
ENCRYPTION = Field(
    "encryption",
    label="Encryption",
    kind="select",
    choices=(("tls", "TLS"), ("none", "None: anybody on the way can read along")),
    default="tls",
    example="tls",
    advanced=True,
)


def with_password(key: str, label: str, advice: str, more: tuple[Field, ...] = ()) -> Basic:
    """Return a way to connect with an address and a password."""
    return Basic(
        username="address",
        username_label="E-mail address",
        password="password",
        password_label="App password" if key != "custom" else "Password",
        help=advice,
        key=key,
        label=label,
        more=more,
    )


WAYS = (
    with_password(
        "gmail",
        "Gmail",
        "Google wants an app password: switch on two-step verification, then make one at"
        " myaccount.google.com/apppasswords.",
    ),
    OAuth2(
        authorize_url="https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        token_url="https://login.microsoftonline.com/common/oauth2/v2.0/token",
        scopes=(
            "offline_access",
            "https://outlook.office.com/IMAP.AccessAsUser.All",
            "https://outlook.office.com/SMTP.Send",
        ),
        rotates_refresh_token=True,
        expires_in=3600,
        # Microsoft takes no password for IMAP and SMTP any more, not even an app password.
        more=(
            Field("address", label="E-mail address", kind="email", required=True, example="ada@outlook.com"),
        ),
        key="outlook",
        label="Outlook",
    ),
    with_password(
        "icloud",
        "iCloud",
        "Apple wants an app-specific password: make one at account.apple.com under Sign-In.",
    ),
    with_password(
        "custom",
        "Other",
        "The address that e-mails are sent from.",
        (
            Field(
                "username",
                label="User name",
                example="ada@example.com",
                help="Only where it is not the e-mail address.",
                advanced=True,
            ),
            Field("smtp_host", label="Outgoing server (SMTP)", required=True, example="smtp.example.com"),
            Field(
                "smtp_port",
                label="SMTP port",
                kind="integer",
                default=465,
                minimum=1,
                maximum=65535,
                example=465,
                help="465, or 587 where your provider says so.",
            ),
            Field("imap_host", label="Incoming server (IMAP)", required=True, example="imap.example.com"),
            Field(
                "imap_port",
                label="IMAP port",
                kind="integer",
                default=993,
                minimum=1,
                maximum=65535,
                example=993,
            ),
            ENCRYPTION,
        ),
    ),
)

connector = Connector(
    slug="email",
    name="E-mail (SMTP and IMAP)",
    category="Communication",
    summary="Any mailbox: send, find, read and sort e-mails, and start a workflow when one arrives.",
    docs_url="https://www.rfc-editor.org/rfc/rfc9051",
    auth=WAYS,
    transport=carry,
    rate_limit=RateLimit(5),
    test=Test(Request("TEST", ""), label="address"),
    actions=(
        Action(
            "send_email",
            "Send an e-mail",
            fields=(
                Field("to", label="To", kind="list", required=True, example=["ada@example.com"]),
                Field("subject", label="Subject", required=True, example="Your order is on its way"),
                Field("text", label="Text", kind="long_text", example="Hello Ada, …"),
                Field("html", label="HTML", kind="long_text", example="<p>Hello Ada, …</p>", advanced=True),
                Field("cc", label="Cc", kind="list", example=["team@example.com"], advanced=True),
                Field("bcc", label="Bcc", kind="list", example=["archive@example.com"], advanced=True),
                Field("from_name", label="Sender's name", example="Alder Bakery", advanced=True),
                Field(
                    "reply_to", label="Answers go to", kind="email", example="shop@example.com", advanced=True
                ),
                Field(
                    "in_reply_to",
                    label="Answers the e-mail",
                    example="<abc@example.com>",
                    help="The Message-ID of the e-mail this one answers, so that both stand together.",
                    advanced=True,
                ),
                Field(
                    "attachments",
                    label="Attachments",
                    kind="list",
                    fields=(Field("file", label="File", kind="file", required=True),),
                    advanced=True,
                ),
                Field(
                    "keep_copy",
                    label="Keep a copy among the sent e-mails",
                    kind="boolean",
                    help="Gmail, Outlook and iCloud do so by themselves.",
                    example=False,
                    advanced=True,
                ),
            ),
            request=lambda inputs: Request("SEND", "", json=dict(inputs)),
            returns={
                "message_id": "message_id",
                "refused": Output("refused", kind="list", label="Addresses the server refused"),
                "copy_kept": Output("kept", kind="boolean"),
            },
            # SMTP knows no key, and whether a sent e-mail can be found afterwards depends on the provider.
            effect="unsafe",
        ),
        Action(
            "search_emails",
            "Search e-mails",
            fields=(
                FOLDER,
                Field("from", label="From", example="ada@example.com"),
                Field("to", label="To", example="shop@example.com"),
                Field("subject", label="Subject contains", example="Order"),
                Field("text", label="Anywhere", example="invoice"),
                Field("unread_only", label="Only unread", kind="boolean", example=True),
                Field("since", label="Since", kind="date", example="2026-11-01"),
                Field(
                    "limit",
                    label="Most results",
                    kind="integer",
                    default=20,
                    minimum=1,
                    maximum=200,
                    example=20,
                ),
            ),
            request=lambda inputs: Request("SEARCH", "", json=dict(inputs)),
            returns={"messages": Output("messages", kind="list", of=HEADLINE)},
            effect="read",
        ),
        Action(
            "read_email",
            "Read an e-mail",
            "Its text, and its attachments as files that other steps can use.",
            fields=(MESSAGE, FOLDER),
            request=lambda inputs: Request("READ", "", json=dict(inputs)),
            returns={**HEADLINE, **BODY, "attachments": ATTACHMENTS},
            effect="read",
        ),
        Action(
            "move_email",
            "Move an e-mail",
            fields=(
                MESSAGE,
                FOLDER,
                Field("to_folder", label="Into", required=True, example="Archive", options="list_folders"),
            ),
            request=lambda inputs: Request("MOVE", "", json=dict(inputs)),
            returns={"id": "id", "folder": "folder"},
            effect="checkable",
            # The call was made while it was there: if it is there no more, it was moved.
            look_up=LookUp(
                request=lambda inputs: Request("FIND", "", json=dict(inputs)),
                found=lambda answer, inputs: (
                    None if answer.json["is_there"] else {"id": inputs["id"], "folder": inputs["to_folder"]}
                ),
            ),
        ),
        Action(
            "mark_email",
            "Mark an e-mail",
            fields=(
                MESSAGE,
                Field(
                    "mark",
                    label="As",
                    kind="select",
                    required=True,
                    choices=(
                        ("read", "Read"),
                        ("unread", "Unread"),
                        ("star", "Starred"),
                        ("unstar", "Not starred"),
                    ),
                    example="read",
                ),
                FOLDER,
            ),
            request=lambda inputs: Request("FLAG", "", json=dict(inputs)),
            returns={"id": "id", "mark": "mark"},
            effect="key_safe",  # the mark is a state: setting it twice is setting it
        ),
        Action(
            "list_folders",
            "List folders",
            request=lambda inputs: Request("FOLDERS", ""),
            returns={"folders": Output("folders", kind="list", of={"id": "id", "name": "name"})},
            effect="read",
            offers=Offers("folders"),
        ),
    ),
    triggers=(
        Trigger(
            "new_email",
            "New e-mail",
            kind="polling",
            description="Starts for each e-mail that arrives in a folder, read or not.",
            fields=(FOLDER,),
            poll=Poll(
                request=lambda config, since: Request(
                    "NEW", "", json={"folder": config.get("folder"), "since": since}
                ),
                items="messages",
                id="key",
                position="position",
                order="oldest_first",
                interval_seconds=120,
            ),
            returns={**HEADLINE, **BODY, "attachments": ATTACHMENTS},
            sample={
                "key": "<order-1042@shop.example>",
                "id": "1700000000:42",
                "message_id": "<order-1042@shop.example>",
                "from_name": "Ada Lovelace",
                "from_address": "ada@example.com",
                "reply_to": "",
                "to": ["shop@example.com"],
                "cc": [],
                "subject": "Order 1042",
                "date": "2026-11-22T09:30:00+00:00",
                "in_reply_to": "",
                "is_read": False,
                "is_starred": False,
                "text": "When will it arrive?",
                "html": "",
                "attachments": [{"name": "order.pdf", "content_type": "application/pdf", "size": 12345}],
            },
        ),
    ),
)
