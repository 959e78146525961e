"""What the e-mail connector's requests do: one SMTP or IMAP session each, in a thread of its own.

An e-mail is named "<folder validity>:<uid>": a server that renumbers a folder changes its validity (RFC 9051, 2.3.1),
and an old name then means nothing rather than another e-mail.
"""

from __future__ import annotations

import asyncio
import imaplib
import re
import smtplib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from integrations.connectors import _mail_messages as messages
from integrations.connectors._mail_servers import Mailbox, imap, mailbox, quoted, refusal, smtp
from integrations.framework import PermanentError, Request, Response, TemporaryError
from integrations.framework.client import Client

MOST_NEW = 100  # e-mails of one look; what is left comes with the next
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FLAGS = {
    "read": ("+", "\\Seen"),
    "unread": ("-", "\\Seen"),
    "star": ("+", "\\Flagged"),
    "unstar": ("-", "\\Flagged"),
}


async def carry(
    request: Request, credentials: Mapping[str, Any], account: Mapping[str, Any], client: Client
) -> Response:
    """Do one request; see Connector.transport. Its json is what the work needs."""
    box = await mailbox(credentials, client)
    answer = await asyncio.to_thread(WORK[request.method], box, request.json or {})
    return Response(200, answer)


def prove(box: Mailbox, _values: Mapping[str, Any]) -> dict[str, Any]:
    """Sign in at both servers."""
    with smtp(box):
        pass
    with imap(box) as connection:
        _select(connection, "INBOX", readonly=True)
    return {"address": box.address}


def send(box: Mailbox, values: Mapping[str, Any]) -> dict[str, Any]:
    message = messages.build(values, box.address)
    to = [address for key in ("to", "cc", "bcc") for address in messages.addresses(values.get(key) or [])]
    if not to:
        raise PermanentError("The e-mail has no recipient.", detail="no recipient")
    with smtp(box) as connection:
        try:
            refused = connection.send_message(message, box.address, to)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise refusal(box.smtp, code, said.decode("utf-8", "replace")) from None
        except smtplib.SMTPResponseException as error:
            words = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else ""
            raise refusal(box.smtp, error.smtp_code, words) from None
        except UnicodeError:
            raise PermanentError("An address of this e-mail is not valid.", detail="not ascii") from None
        except (OSError, smtplib.SMTPException) as error:
            raise TemporaryError(
                f"{box.smtp.name} ended the connection while the e-mail was sent.",
                detail=type(error).__name__,
                may_have_happened=True,
            ) from None
    return {
        "message_id": message["Message-ID"],
        "refused": sorted(refused),
        "kept": _keep(box, values, message),
    }


def folders(box: Mailbox, _values: Mapping[str, Any]) -> dict[str, Any]:
    with imap(box) as connection:
        return {"folders": [{"id": name, "name": name} for _flags, name in _folders(connection)]}


def search(box: Mailbox, values: Mapping[str, Any]) -> dict[str, Any]:
    """Newest first."""
    with imap(box) as connection:
        validity = _select(connection, values.get("folder"), readonly=True)
        uids = _search(connection, _criteria(values))
        newest = sorted(uids, reverse=True)[: int(values.get("limit") or 20)]
        found = dict(_fetch(connection, newest, "BODY.PEEK[HEADER]"))
        return {
            "messages": [
                {
                    "id": f"{validity}:{uid}",
                    **found[uid][0],
                    **messages.headline(messages.parsed(found[uid][1])),
                }
                for uid in newest
                if uid in found
            ]
        }


def read(box: Mailbox, values: Mapping[str, Any]) -> dict[str, Any]:
    with imap(box) as connection:
        uid = _named(connection, values)
        for found, (state, raw) in _fetch(connection, [uid], "BODY.PEEK[]"):
            if found == uid:
                message = messages.parsed(raw)
                return {
                    "id": values["id"], **state, **messages.headline(message),
                    **messages.content(message, with_files=True),
                }  # fmt: skip
    raise _gone()


def find(box: Mailbox, values: Mapping[str, Any]) -> dict[str, Any]:
    """Whether an e-mail is still in a folder."""
    with imap(box) as connection:
        uid = _named(connection, values)
        return {"is_there": _is_there(connection, uid)}


def move(box: Mailbox, values: Mapping[str, Any]) -> dict[str, Any]:
    with imap(box) as connection:
        uid = _named(connection, values, readonly=False)
        if not _is_there(connection, uid):
            raise _gone()
        target = quoted(_encoded(str(values["to_folder"])))
        if "MOVE" in connection.capabilities:
            _done(connection, connection.uid("MOVE", str(uid), target), values["to_folder"])
        else:  # RFC 6851 names these three as its meaning
            _done(connection, connection.uid("COPY", str(uid), target), values["to_folder"])
            connection.uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)")
            if "UIDPLUS" in connection.capabilities:
                connection.uid("EXPUNGE", str(uid))
    return {"id": values["id"], "folder": values["to_folder"]}


def flag(box: Mailbox, values: Mapping[str, Any]) -> dict[str, Any]:
    sign, name = FLAGS[values["mark"]]
    with imap(box) as connection:
        uid = _named(connection, values, readonly=False)
        if not _is_there(connection, uid):
            raise _gone()
        connection.uid("STORE", str(uid), f"{sign}FLAGS.SILENT", f"({name})")
    return {"id": values["id"], "mark": values["mark"]}


def new(box: Mailbox, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return e-mails that came after a position, oldest first, and the position after them.

    position: "<validity>:<last uid>:<Unix seconds of the look>". When the folder was renumbered meanwhile, what
    arrived since the day of the last look is listed again; what was seen is known by its Message-ID.
    """
    with imap(box) as connection:
        validity = _select(connection, values.get("folder"), readonly=True)
        now = int(time.time())
        since = [int(part) for part in str(values.get("since") or "").split(":") if part]
        if len(since) != 3:
            return {
                "messages": [],
                "position": f"{validity}:{max(_search(connection, ['ALL']), default=0)}:{now}",
            }
        before, last, looked_at = since
        if before == validity:
            # "n:*" names the last one even when it is older than n, so what comes back is compared.
            uids = [uid for uid in _search(connection, [f"UID {last + 1}:*"]) if uid > last]
        else:
            uids, last = _search(connection, [f"SINCE {_day(datetime.fromtimestamp(looked_at, UTC))}"]), 0
        uids = sorted(uids)[:MOST_NEW]
        found = dict(_fetch(connection, uids, "BODY.PEEK[]"))
    items = []
    for uid in uids:
        if uid not in found:
            continue  # deleted since the search
        state, raw = found[uid]
        message = messages.parsed(raw)
        name = f"{validity}:{uid}"
        top = messages.headline(message)
        key = top["message_id"] or name
        items.append({"key": key, "id": name, **state, **top, **messages.content(message, with_files=False)})
    return {"messages": items, "position": f"{validity}:{max(uids, default=last)}:{now}"}


WORK: dict[str, Callable[[Mailbox, Mapping[str, Any]], dict[str, Any]]] = {
    "TEST": prove,
    "SEND": send,
    "FOLDERS": folders,
    "SEARCH": search,
    "READ": read,
    "FIND": find,
    "MOVE": move,
    "FLAG": flag,
    "NEW": new,
}


def _select(connection: imaplib.IMAP4, folder: Any, *, readonly: bool) -> int:
    """Open a folder; return its validity."""
    name = str(folder or "INBOX")
    status, _words = connection.select(quoted(_encoded(name)), readonly)
    if status != "OK":
        raise PermanentError(
            f"There is no folder “{name[:100]}” in this mailbox.", detail="select", status=404
        )
    _status, found = connection.response("UIDVALIDITY")
    return int(found[0]) if found and found[0] else 0


def _named(connection: imaplib.IMAP4, values: Mapping[str, Any], *, readonly: bool = True) -> int:
    """Open the folder of an e-mail and return its uid there."""
    validity = _select(connection, values.get("folder"), readonly=readonly)
    match = re.fullmatch(r"(\d{1,10}):(\d{1,10})", str(values["id"]).strip())
    if match is None:
        raise PermanentError(
            "This is not the id of an e-mail. Take it from a search or a trigger.", detail="id"
        )
    if int(match[1]) != validity:
        raise _gone()
    return int(match[2])


def _search(connection: imaplib.IMAP4, criteria: Sequence[str]) -> list[int]:
    text = " ".join(criteria)
    if text.isascii():
        status, found = connection.uid("SEARCH", text)
    else:
        # Texts beyond ASCII go as a literal, one at most: the last criterion.
        words = criteria[-1]
        name, _, value = words.partition(" ")
        connection.literal = value[1:-1].encode()  # type: ignore[assignment] # imaplib's way to send one
        status, found = connection.uid("SEARCH", "CHARSET UTF-8", *criteria[:-1], name)
    if status != "OK":
        raise PermanentError("The mail server cannot search for that.", detail="search refused")
    return [int(word) for word in b" ".join(part for part in found if part).split()]


def _is_there(connection: imaplib.IMAP4, uid: int) -> bool:
    return uid in _search(connection, [f"UID {uid}", "UNDELETED"])


def _criteria(values: Mapping[str, Any]) -> list[str]:
    """Return IMAP search keys; texts that are not ASCII last, and only one of them."""
    texts = [
        (key, str(values[name]))
        for name, key in (("from", "FROM"), ("to", "TO"), ("subject", "SUBJECT"), ("text", "TEXT"))
        if values.get(name)
    ]
    if sum(not text.isascii() for _key, text in texts) > 1:
        raise PermanentError(
            "Only one of the searched texts may hold letters beyond A to Z. Shorten the others.",
            detail="search",
        )
    keys = ["ALL"]
    if values.get("unread_only"):
        keys.append("UNSEEN")
    if values.get("since"):
        keys.append(f"SINCE {_day(datetime.fromisoformat(str(values['since'])))}")
    texts.sort(key=lambda pair: not pair[1].isascii())
    return keys + [f"{key} {quoted(text)}" for key, text in texts]


def _day(moment: datetime) -> str:
    return f"{moment.day}-{MONTHS[moment.month - 1]}-{moment.year}"


def _fetch(
    connection: imaplib.IMAP4, uids: Sequence[int], what: str
) -> Iterator[tuple[int, tuple[dict[str, Any], bytes]]]:
    """Yield (uid, ({"is_read", "is_starred"}, raw)) for those that are still there."""
    for uid in uids:
        _status, parts = connection.uid("FETCH", str(uid), f"(UID FLAGS {what})")
        for index, part in enumerate(parts):
            if not isinstance(part, tuple):
                continue
            after = parts[index + 1] if index + 1 < len(parts) else b""
            about = part[0] + b" " + (after if isinstance(after, bytes) else b"")
            if re.search(rb"\bUID (\d+)", about, re.IGNORECASE) is None:
                continue
            lower = about.lower()
            state = {"is_read": b"\\seen" in lower, "is_starred": b"\\flagged" in lower}
            yield int(re.search(rb"\bUID (\d+)", about, re.IGNORECASE)[1]), (state, part[1])  # type: ignore[index]


def _folders(connection: imaplib.IMAP4) -> Iterator[tuple[str, str]]:
    """Yield (flags, name) of every folder that holds e-mails."""
    _status, rows = connection.list()
    for row in rows:
        raw = row[0] + b" " + row[1] if isinstance(row, tuple) else row
        match = re.match(
            rb'\((?P<flags>[^)]*)\) (?:"[^"]*"|NIL) (?P<name>.+)$', raw or b"", re.IGNORECASE | re.DOTALL
        )
        if match is None or b"\\noselect" in match["flags"].lower():
            continue
        name = match["name"].strip()
        if isinstance(row, tuple):
            name = row[1]
        elif name.startswith(b'"'):
            name = name[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\")
        yield match["flags"].decode("ascii", "replace"), _decoded(name.decode("ascii", "replace"))


def _keep(box: Mailbox, values: Mapping[str, Any], message: Any) -> bool:
    """Put a copy among the sent e-mails, where that was asked for. The e-mail is out: nothing here may fail it."""
    if not values.get("keep_copy"):
        return False
    try:
        with imap(box) as connection:
            sent = next((name for flags, name in _folders(connection) if "\\sent" in flags.lower()), "Sent")
            status, _words = connection.append(
                quoted(_encoded(sent)), "(\\Seen)", imaplib.Time2Internaldate(time.time()), message.as_bytes()
            )
            return status == "OK"
    except (PermanentError, TemporaryError):
        return False


def _done(connection: imaplib.IMAP4, answer: tuple[str, list[Any]], folder: Any) -> None:
    status, words = answer
    if status != "OK":
        said = words[0].decode("utf-8", "replace")[:200] if words and isinstance(words[0], bytes) else ""
        raise PermanentError(f"The e-mail could not be put into “{folder}”: “{said}”", detail="move refused")


def _gone() -> PermanentError:
    return PermanentError(
        "This e-mail is not in that folder any more. It may have been moved or deleted.",
        detail="gone",
        status=404,
    )


def _encoded(name: str) -> str:
    """Return a folder's name in IMAP's modified UTF-7 (RFC 3501, 5.1.3)."""
    return re.sub(r"[^\x20-\x7e]+|&", lambda match: "&-" if match[0] == "&" else _shifted(match[0]), name)


def _shifted(text: str) -> str:
    return "&" + text.encode("utf-7").decode("ascii").strip("+-").replace("/", ",") + "-"


def _decoded(name: str) -> str:
    return re.sub(
        r"&([^-]*)-",
        lambda match: (
            ("+" + match[1].replace(",", "/") + "-").encode().decode("utf-7", "replace") if match[1] else "&"
        ),
        name,
    )
