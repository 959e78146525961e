"""E-mails as later steps see them, and as they are sent: parsed with their attachments, built from plain inputs."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import formataddr, getaddresses, make_msgid, parsedate_to_datetime
from typing import Any

from integrations.framework import PermanentError, read_file

MAX_TEXT = 200_000  # characters of a body that steps get
MAX_ATTACHED = 10 * 1024 * 1024  # bytes of all attachments of one e-mail that steps get as files


def parsed(raw: bytes) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(raw)
    assert isinstance(message, EmailMessage)  # noqa: S101 - the policy makes these
    return message


def headline(message: EmailMessage) -> dict[str, Any]:
    """Return what a list shows: who, to whom, what about, when. Broken headers become empty texts."""
    senders = people(message, "from")
    return {
        "message_id": header(message, "message-id"),
        "from_name": senders[0]["name"] if senders else "",
        "from_address": senders[0]["address"] if senders else "",
        "reply_to": next((one["address"] for one in people(message, "reply-to")), ""),
        "to": [one["address"] for one in people(message, "to")],
        "cc": [one["address"] for one in people(message, "cc")],
        "subject": header(message, "subject"),
        "date": sent_at(message),
        "in_reply_to": header(message, "in-reply-to"),
    }


def content(message: EmailMessage, *, with_files: bool) -> dict[str, Any]:
    """Return {"text", "html", "attachments"}. with_files: each attachment is a file that a step can pass on."""
    attachments, room = [], MAX_ATTACHED
    for part in message.walk():
        if part.is_multipart() or not _is_attached(part):
            continue
        payload = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        found: dict[str, Any] = {
            "name": part.get_filename() or "attachment",
            "content_type": part.get_content_type(),
            "size": len(data),
        }
        if with_files and len(data) <= room:
            room -= len(data)
            found["content"] = base64.b64encode(data).decode()
        attachments.append(found)
    html = _body(message, "html")
    return {"text": _body(message, "plain") or _stripped(html), "html": html, "attachments": attachments}


def build(inputs: Mapping[str, Any], sender: str) -> EmailMessage:
    """Return the e-mail that these inputs describe. Raises PermanentError for what cannot be an e-mail."""
    message = EmailMessage(policy=policy.SMTP)
    try:
        message["From"] = Address(str(inputs.get("from_name") or ""), addr_spec=sender)
        for name, key in (("To", "to"), ("Cc", "cc"), ("Reply-To", "reply_to")):
            if inputs.get(key):
                message[name] = ", ".join(addresses(inputs[key]))
        message["Subject"] = " ".join(str(inputs.get("subject") or "").split())
        if inputs.get("in_reply_to"):
            message["In-Reply-To"] = message["References"] = " ".join(str(inputs["in_reply_to"]).split())
    except (ValueError, IndexError) as error:
        raise PermanentError("An address of this e-mail is not valid.", detail=str(error)[:200]) from None
    message["Date"] = datetime.now(UTC)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or "localhost")
    text, html = str(inputs.get("text") or ""), str(inputs.get("html") or "")
    message.set_content(text or _stripped(html))
    if html:
        message.add_alternative(html, subtype="html")
    for entry in inputs.get("attachments") or []:
        try:
            file = read_file(entry.get("file") or entry)
        except (KeyError, ValueError, AttributeError):
            raise PermanentError("An attachment is not a file.", detail="not base64") from None
        kind, _, subtype = file.content_type.partition("/")
        if not subtype or kind in ("multipart", "message"):
            kind, subtype = "application", "octet-stream"
        message.add_attachment(
            file.content, maintype=kind, subtype=subtype.partition(";")[0], filename=file.name
        )
    return message


def addresses(value: Any) -> list[str]:
    """Return the addresses of a text or list, each as it stands in a header. Raises PermanentError."""
    texts = value if isinstance(value, list | tuple) else [value]
    if any(ord(character) < 32 for text in texts for character in str(text)):
        raise PermanentError("An e-mail address cannot hold line breaks.", detail="control character")
    found = [
        (name, address) for name, address in getaddresses([str(text) for text in texts]) if name or address
    ]
    for _name, address in found:
        if address.count("@") != 1 or any(ord(character) < 33 for character in address):
            raise PermanentError(f"“{address[:100]}” is not an e-mail address.", detail="address")
    return [formataddr(pair) for pair in found]


def header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name) or "").split())
    except (ValueError, IndexError, AttributeError):  # the parser stumbles over some broken headers
        return ""


def people(message: EmailMessage, name: str) -> list[dict[str, str]]:
    return [
        {"name": who, "address": address}
        for who, address in getaddresses([header(message, name)])
        if "@" in address
    ]


def sent_at(message: EmailMessage) -> str:
    """Return the Date header in ISO 8601, "" when there is none that can be read."""
    try:
        return parsedate_to_datetime(header(message, "date")).isoformat()
    except (ValueError, TypeError):
        return ""


def _is_attached(part: Any) -> bool:
    if part.get_content_disposition() == "attachment":
        return True
    return part.get_filename() is not None or part.get_content_maintype() not in ("text", "multipart")


def _body(message: EmailMessage, kind: str) -> str:
    texts = []
    for part in message.walk():
        if part.get_content_type() != f"text/{kind}" or _is_attached(part):
            continue
        payload = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        try:
            texts.append(data.decode(part.get_content_charset("utf-8"), "replace"))
        except LookupError:  # a charset nobody knows
            texts.append(data.decode("utf-8", "replace"))
    return "\n".join(texts).replace("\r\n", "\n").strip()[:MAX_TEXT]


def _stripped(html: str) -> str:
    from django.utils.html import strip_tags

    return strip_tags(html).strip()
