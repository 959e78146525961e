"""A mail provider on this machine: real SMTP and IMAP servers with TLS, for the tests of the e-mail connector."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from integrations.connectors import _mail_servers
from integrations.framework.client import Client

PASSWORD = "correct-horse-battery"


@dataclass
class MailHost:
    """smtp_port, imap_port: both want STARTTLS. arrived: envelopes of sent e-mails. answers: to the next DATA."""

    smtp_port: int
    imap_port: int
    arrived: list[Any] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    @property
    def credentials(self) -> dict[str, Any]:
        return {
            "auth": "custom",
            "address": "demo@shop.example",
            "username": "demouser",
            "password": PASSWORD,
            "smtp_host": "localhost",
            "smtp_port": self.smtp_port,
            "imap_host": "localhost",
            "imap_port": self.imap_port,
            "encryption": "tls",
        }

    def client(self) -> Client:
        return Client(allow_private=frozenset({f"localhost:{self.smtp_port}", f"localhost:{self.imap_port}"}))

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        if self.answers:
            return self.answers.pop(0)
        self.arrived.append(envelope)
        return "250 OK"


def signs_in(server, session, envelope, mechanism, data):
    ok = getattr(data, "login", b"") == b"demouser" and getattr(data, "password", b"") == PASSWORD.encode()
    return AuthResult(success=ok, handled=ok)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The certificates of `authority` count as public ones."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    monkeypatch.setattr(_mail_servers, "public_certificates", lambda: context)
    return context


@pytest.fixture
def mailhost(authority: trustme.CA, trusted: ssl.SSLContext, tmp_path: Path) -> Iterator[MailHost]:
    certificate = authority.issue_cert("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    host = MailHost(free_port(), free_port())
    smtp = Controller(
        host,
        hostname="127.0.0.1",
        port=host.smtp_port,
        tls_context=context,
        authenticator=signs_in,
        auth_required=True,
    )
    smtp.start()
    (tmp_path / "cert.pem").write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    (tmp_path / "key.pem").write_bytes(certificate.private_key_pem.bytes())
    imap = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("pymap")), "--no-service", "admin", "--host", "127.0.0.1",
            "--port", str(host.imap_port), "--cert", str(tmp_path / "cert.pem"), "--key", str(tmp_path / "key.pem"),
            "dict", "--demo-data", "--demo-password", PASSWORD,
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(host.imap_port)
        yield host
    finally:
        imap.terminate()
        imap.wait(10)
        smtp.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> None:
    give_up = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < give_up, "the IMAP server did not start"
            time.sleep(0.02)
