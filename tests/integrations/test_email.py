"""The e-mail connector against real SMTP and IMAP servers on this machine."""

from __future__ import annotations

import asyncio
import base64
import imaplib
import smtplib
import ssl
from email import policy
from email.parser import BytesParser

import pytest

from integrations.connectors import _mail_messages as messages
from integrations.connectors import _mail_servers, _mail_transport
from integrations.connectors.email import connector
from integrations.framework import AddressRefused, PermanentError, ReconnectError, TemporaryError
from integrations.framework.client import Client
from integrations.framework.execute import (
    dynamic_options,
    look_up,
    perform,
    prepare,
    send_request,
    test_connection,
)
from integrations.framework.messages import Request
from integrations.framework.polling import look
from tests.integrations.checks import assert_well_described
from tests.integrations.mailhost import PASSWORD, free_port

RAW = (
    b"From: Ada Lovelace <ada@example.com>\r\nTo: shop@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    b"Message-ID: <m%d@example.com>\r\nDate: Sun, 22 Nov 2026 09:30:00 +0000\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="xx"\r\n\r\n--xx\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
    b"When will it arrive?\r\n--xx\r\nContent-Type: application/pdf\r\n"
    b'Content-Disposition: attachment; filename="order.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    b"JVBERi0=\r\n--xx--\r\n"
)


def run(host, key, inputs, **changes):
    return asyncio.run(
        perform(
            connector, key, inputs, host.credentials | changes, {}, idempotency_key="k", client=host.client()
        )
    ).output


def proved(host, **changes):
    return asyncio.run(test_connection(connector, host.credentials | changes, {}, client=host.client()))


def deliver(host, trusted, number=1, folder="INBOX"):
    """Put an e-mail into the mailbox, as if it had arrived."""
    box = imaplib.IMAP4("localhost", host.imap_port)
    box.starttls(trusted)
    box.login("demouser", PASSWORD)
    status, words = box.append(folder, "", None, RAW % number)
    assert status == "OK", words
    box.logout()


def first_id(host, folder="INBOX"):
    return run(host, "search_emails", {"folder": folder, "limit": 1})["messages"][0]["id"]


def test_it_describes_itself_well():
    assert_well_described(connector)


def test_connecting_signs_in_at_both_servers(mailhost):
    assert proved(mailhost).label == "demo@shop.example"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"password": "wrong"}, ReconnectError, "does not accept this user name and password"),
        ({"username": "nobody"}, ReconnectError, "app password"),
        ({"smtp_host": "127.0.0.1"}, AddressRefused, "private network"),
        ({"encryption": "none"}, PermanentError, "no encryption or no sign-in"),
    ],
)
def test_a_mistake_in_the_connect_form_is_named(mailhost, changes, error, words):
    with pytest.raises(error, match=words):
        proved(mailhost, **changes)


def test_a_port_where_nothing_listens_is_named(mailhost):
    port = free_port()
    client = Client(allow_private=frozenset({f"localhost:{port}", f"localhost:{mailhost.imap_port}"}))
    with pytest.raises(TemporaryError, match=f"Nothing answers at localhost, port {port}"):
        asyncio.run(test_connection(connector, mailhost.credentials | {"smtp_port": port}, {}, client=client))


def test_a_port_that_wants_starttls_is_no_port_for_tls_from_the_start(mailhost, monkeypatch):
    monkeypatch.setattr(_mail_servers, "ENCRYPTED_PORTS", (mailhost.smtp_port,))
    with pytest.raises(PermanentError, match="does not speak TLS the way that port should"):
        proved(mailhost)


def test_a_certificate_nobody_vouches_for_is_refused(mailhost, monkeypatch):
    monkeypatch.setattr(_mail_servers, "public_certificates", ssl.create_default_context)
    with pytest.raises(PermanentError, match="certificate of localhost is not valid"):
        proved(mailhost)


@pytest.mark.parametrize(
    "host", ["10.0.0.8", "2130706433", "0x7f.1", "::ffff:127.0.0.1", "169.254.169.254", "mail"]
)
def test_servers_inside_our_network_are_refused(mailhost, host):
    with pytest.raises(AddressRefused):
        proved(mailhost, smtp_host=host, smtp_port=465)
    with pytest.raises(AddressRefused):
        proved(mailhost, imap_host=host, imap_port=993)


def test_a_name_that_resolves_inside_is_refused(mailhost):
    async def inside(host, port):
        return ["93.184.216.34", "127.0.0.1"]

    with pytest.raises(AddressRefused):
        asyncio.run(
            test_connection(
                connector,
                {"auth": "gmail", "address": "a@b.c", "password": "x"},
                {},
                client=Client(resolve=inside),
            )
        )


def test_an_email_is_sent_with_everything(mailhost):
    output = run(
        mailhost,
        "send_email",
        {
            "to": ["Ada <ada@example.com>"],
            "cc": "team@example.com",
            "bcc": ["secret@example.com"],
            "from_name": "Alder Bakery",
            "subject": "Grüße",
            "text": "Plain",
            "html": "<p>Rich</p>",
            "reply_to": "shop@example.com",
            "in_reply_to": "<m1@example.com>",
            "attachments": [
                {
                    "file": {
                        "name": "a.pdf",
                        "content": base64.b64encode(b"%PDF-").decode(),
                        "content_type": "application/pdf",
                    }
                }
            ],
        },
    )
    (envelope,) = mailhost.arrived
    message = BytesParser(policy=policy.default).parsebytes(envelope.content)
    assert envelope.mail_from == "demo@shop.example"
    assert sorted(envelope.rcpt_tos) == ["ada@example.com", "secret@example.com", "team@example.com"]
    assert message["From"] == "Alder Bakery <demo@shop.example>"
    assert (message["To"], message["Cc"], message["Bcc"]) == (
        "Ada <ada@example.com>",
        "team@example.com",
        None,
    )
    assert (message["Subject"], message["Reply-To"]) == ("Grüße", "shop@example.com")
    assert message["In-Reply-To"] == message["References"] == "<m1@example.com>"
    assert message.get_body(("plain",)).get_content().strip() == "Plain"
    assert message.get_body(("html",)).get_content().strip() == "<p>Rich</p>"
    (attached,) = message.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("a.pdf", b"%PDF-")
    assert output == {"message_id": message["Message-ID"], "refused": [], "copy_kept": False}


def test_empty_optional_values_are_left_out(mailhost):
    run(
        mailhost,
        "send_email",
        {"to": ["ada@example.com"], "subject": "Hi", "text": "", "cc": "", "reply_to": ""},
    )
    message = BytesParser(policy=policy.default).parsebytes(mailhost.arrived[0].content)
    assert message["Cc"] is message["Reply-To"] is None


def test_a_subject_cannot_add_headers(mailhost):
    run(
        mailhost,
        "send_email",
        {"to": ["ada@example.com"], "subject": "Hi\r\nBcc: thief@example.com", "text": "x"},
    )
    message = BytesParser(policy=policy.default).parsebytes(mailhost.arrived[0].content)
    assert message["Bcc"] is None
    assert mailhost.arrived[0].rcpt_tos == ["ada@example.com"]


@pytest.mark.parametrize("to", ["no address", "a@b@c", "ada@example.com\r\nBcc:x@y.z@q"])
def test_what_is_no_address_is_refused_before_anything_is_sent(mailhost, to):
    with pytest.raises(PermanentError):
        run(mailhost, "send_email", {"to": [to], "subject": "Hi", "text": "x"})
    assert mailhost.arrived == []


def test_a_busy_server_is_temporary_and_a_refusal_is_not(mailhost):
    email = {"to": ["ada@example.com"], "subject": "Hi", "text": "x"}
    mailhost.answers = ["451 try later", "554 spam"]
    with pytest.raises(TemporaryError, match="try later") as busy:
        run(mailhost, "send_email", email)
    assert not busy.value.may_have_happened
    with pytest.raises(PermanentError, match="spam"):
        run(mailhost, "send_email", email)
    mailhost.refused = {"ada@example.com"}
    with pytest.raises(PermanentError, match="no such user"):
        run(mailhost, "send_email", email)


def test_a_connection_that_ends_in_the_middle_may_have_sent(mailhost, monkeypatch):
    def gone(*arguments, **options):
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr(smtplib.SMTP, "send_message", gone)
    with pytest.raises(TemporaryError) as failed:
        run(mailhost, "send_email", {"to": ["ada@example.com"], "subject": "Hi", "text": "x"})
    assert failed.value.may_have_happened


def test_folders_are_offered(mailhost):
    choices = asyncio.run(
        dynamic_options(connector, "list_folders", {}, mailhost.credentials, {}, client=mailhost.client())
    )
    assert {"value": "INBOX", "label": "INBOX"} in choices


def test_an_email_is_found_and_read_with_its_attachments(mailhost, trusted):
    deliver(mailhost, trusted)
    (found,) = run(mailhost, "search_emails", {"from": "ada@example.com", "limit": 5})["messages"]
    assert (found["from_name"], found["subject"], found["is_read"]) == ("Ada Lovelace", "Grüße", False)
    output = run(mailhost, "read_email", {"id": found["id"]})
    assert output["text"] == "When will it arrive?"
    assert output["attachments"] == [
        {"name": "order.pdf", "content_type": "application/pdf", "size": 5, "content": "JVBERi0="}
    ]
    assert not run(mailhost, "read_email", {"id": found["id"]})["is_read"], "reading must not mark it as read"


def test_a_search_text_cannot_become_a_command(mailhost, trusted):
    deliver(mailhost, trusted)
    assert run(mailhost, "search_emails", {"subject": 'x" DELETED "\r\nA1 LOGOUT'})["messages"] == []


def test_an_email_is_marked(mailhost, trusted):
    deliver(mailhost, trusted)
    name = first_id(mailhost)
    for mark, key, value in (
        ("read", "is_read", True),
        ("star", "is_starred", True),
        ("unread", "is_read", False),
    ):
        assert run(mailhost, "mark_email", {"id": name, "mark": mark}) == {"id": name, "mark": mark}
        assert run(mailhost, "read_email", {"id": name})[key] is value


def test_an_email_is_moved_and_a_lost_answer_can_be_looked_up(mailhost, trusted):
    deliver(mailhost, trusted)
    inputs = {"id": first_id(mailhost), "to_folder": "Sent"}
    look_it_up = lambda: asyncio.run(  # noqa: E731 - said twice
        look_up(connector, "move_email", inputs, mailhost.credentials, {}, client=mailhost.client())
    )
    assert look_it_up() is None
    moved = {"id": inputs["id"], "folder": "Sent"}
    assert run(mailhost, "move_email", inputs) == moved
    assert look_it_up() == moved
    with pytest.raises(PermanentError, match="not in that folder any more"):
        run(mailhost, "move_email", inputs)


@pytest.mark.parametrize(("key", "words"), [("7:1", "not in that folder"), ("1 OR ALL", "not the id")])
def test_an_id_of_a_renumbered_folder_means_nothing(mailhost, key, words):
    with pytest.raises(PermanentError, match=words):
        run(mailhost, "read_email", {"id": key})


def test_a_folder_that_is_not_there_is_named(mailhost):
    with pytest.raises(PermanentError, match="no folder “Nowhere”"):
        run(mailhost, "search_emails", {"folder": "Nowhere"})


def new_emails(host, cursor):
    async def send(request):
        return await send_request(connector, request, host.credentials, {}, client=host.client())

    return asyncio.run(look(connector.trigger("new_email").poll, {"folder": "INBOX"}, cursor, send))


def test_new_emails_start_once_each_in_order_even_when_the_newest_vanished(mailhost, trusted):
    first = new_emails(mailhost, None)
    assert first.items == ()
    deliver(mailhost, trusted, 1)
    deliver(mailhost, trusted, 2)
    second = new_emails(mailhost, first.cursor)
    assert [key for key, _item in second.items] == ["<m1@example.com>", "<m2@example.com>"]
    item = connector.trigger("new_email").output(second.items[0][1])
    assert (item["subject"], item["text"]) == ("Grüße", "When will it arrive?")
    assert "content" not in second.items[0][1]["attachments"][0]
    run(mailhost, "move_email", {"id": first_id(mailhost), "to_folder": "Sent"})
    assert new_emails(mailhost, second.cursor).items == ()
    deliver(mailhost, trusted, 3)
    assert [key for key, _item in new_emails(mailhost, second.cursor).items] == ["<m3@example.com>"]


def test_a_renumbered_folder_loses_nothing(mailhost, trusted):
    first = new_emails(mailhost, None)
    deliver(mailhost, trusted, 1)
    validity, last, at = first.cursor["since"].split(":")
    found = new_emails(mailhost, {"since": f"{int(validity) + 1}:{last}:{at}", "seen": []})
    assert "<m1@example.com>" in [key for key, _item in found.items]


def test_more_than_one_look_holds_comes_with_the_next(mailhost, trusted, monkeypatch):
    monkeypatch.setattr(_mail_transport, "MOST_NEW", 2)
    cursor = new_emails(mailhost, None).cursor
    for number in range(5):
        deliver(mailhost, trusted, number)
    seen = []
    for _look in range(3):
        found = new_emails(mailhost, cursor)
        seen += [key for key, _item in found.items]
        cursor = found.cursor
    assert seen == [f"<m{number}@example.com>" for number in range(5)]


def test_the_http_step_cannot_use_it():
    with pytest.raises(PermanentError, match="not reached by web addresses"):
        prepare(connector, Request("GET", "https://example.com"), {"auth": "gmail"}, {})


@pytest.mark.parametrize(
    ("name", "wire"), [("Entwürfe & mehr", "Entw&APw-rfe &- mehr"), ("日本語", "&ZeVnLIqe-")]
)
def test_folder_names_are_written_as_imap_wants(name, wire):
    assert _mail_transport._encoded(name) == wire
    assert _mail_transport._decoded(wire) == name


def test_a_broken_email_is_still_readable():
    message = messages.parsed(
        b"From: \xff\xfe <<>\r\nDate: nonsense\r\nContent-Type: text/plain; charset=xyz\r\n\r\nhi\xff"
    )
    top = messages.headline(message)
    assert (top["from_address"], top["date"]) == ("", "")
    assert messages.content(message, with_files=True)["text"].startswith("hi")


def test_outlook_signs_in_with_a_token():
    account = _mail_servers.Mailbox("a@b.c", "a@b.c", None, None, token="t0ken")
    assert _mail_servers._xoauth2(account) == "user=a@b.c\x01auth=Bearer t0ken\x01\x01"


def test_what_is_too_large_is_not_read():
    box = object.__new__(_mail_servers._Imap)
    with pytest.raises(PermanentError, match="larger than 25 MB"):
        box.read(_mail_servers.MAX_MESSAGE_BYTES + 1)
