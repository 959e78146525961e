"""Mail servers of any provider: where they are, how to sign in, and what their refusals mean in plain words."""

from __future__ import annotations

import contextlib
import imaplib
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.framework import ConnectorError, PermanentError, ReconnectError, TemporaryError
from integrations.framework.client import CONNECT_SECONDS, Client, public_certificates

ANSWER_SECONDS = 30.0
MAX_MESSAGE_BYTES = 25 * 1024 * 1024  # what the large providers accept and deliver
PRESETS: dict[str, dict[str, Any]] = {
    "gmail": {"smtp_host": "smtp.gmail.com", "imap_host": "imap.gmail.com"},
    "icloud": {"smtp_host": "smtp.mail.me.com", "smtp_port": 587, "imap_host": "imap.mail.me.com"},
    "outlook": {"smtp_host": "smtp.office365.com", "smtp_port": 587, "imap_host": "outlook.office365.com"},
}
# Ports where the connection is encrypted from its first byte; on the others it is switched on by a command.
ENCRYPTED_PORTS = (465, 993)


@dataclass(frozen=True)
class Server:
    """One server, ready to be connected to. name: for TLS. addresses: checked, connect to these only."""

    kind: str
    name: str
    port: int
    addresses: tuple[str, ...]
    is_encrypted: bool


@dataclass(frozen=True)
class Mailbox:
    """Both servers of an account, and how to sign in there. token: of Microsoft's or Google's sign-in."""

    address: str
    username: str
    smtp: Server
    imap: Server
    password: str = field(repr=False, default="")
    token: str = field(repr=False, default="")


async def mailbox(credentials: Mapping[str, Any], client: Client) -> Mailbox:
    """Return the account of these credentials with its servers' addresses checked. Raises ConnectorError."""
    preset = PRESETS.get(str(credentials.get("auth")), {})
    values = {**credentials, **preset}
    encrypted = values.get("encryption") != "none"

    async def server(kind: str, port: int) -> Server:
        number = int(values.get(f"{kind}_port") or port)
        name, addresses = await client.addresses(str(values.get(f"{kind}_host") or ""), number)
        return Server(kind.upper(), name, number, tuple(addresses[:4]), encrypted)

    address = str(values.get("address") or "")
    return Mailbox(
        address,
        str(values.get("username") or address),
        await server("smtp", 465),
        await server("imap", 993),
        str(values.get("password") or ""),
        str(values.get("access_token") or ""),
    )


@contextlib.contextmanager
def smtp(account: Mailbox) -> Iterator[smtplib.SMTP]:
    """Give a signed-in SMTP connection. Raises ConnectorError; nothing has been sent by then."""
    server = account.smtp
    with _told(server, account):
        connection = _Smtp(server)
    try:
        with _told(server, account):
            if server.is_encrypted and server.port not in ENCRYPTED_PORTS:
                connection.starttls(context=public_certificates())
            connection.ehlo_or_helo_if_needed()
            if account.token:
                connection.auth("XOAUTH2", lambda challenge=None: _xoauth2(account) if not challenge else "")
            else:
                connection.login(account.username, account.password)
        yield connection
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            connection.quit()
        connection.close()


@contextlib.contextmanager
def imap(account: Mailbox) -> Iterator[imaplib.IMAP4]:
    """Give a signed-in IMAP connection. Raises ConnectorError for what fails with it, also in the body."""
    server = account.imap
    with _told(server, account):
        connection = _Imap(server)
    try:
        with _told(server, account):
            if server.is_encrypted and server.port not in ENCRYPTED_PORTS:
                connection.starttls(ssl_context=public_certificates())
            if account.token:
                connection.authenticate("XOAUTH2", lambda challenge: _xoauth2(account).encode())
            else:
                connection.sign_in(account.username, account.password)
            # Servers say more about what they can do once they know who asks; imaplib keeps the first answer.
            connection.capabilities = tuple(
                connection.capability()[1][0].decode("ascii", "replace").upper().split()
            )
            yield connection
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            connection.logout()
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            connection.shutdown()


def open_socket(server: Server) -> socket.socket:
    """Return a connection to one of the checked addresses, encrypted where the port is."""
    failure: OSError | None = None
    for address in server.addresses:
        try:
            plain = socket.create_connection((address, server.port), timeout=CONNECT_SECONDS)
        except OSError as error:
            failure = error
            continue
        plain.settimeout(ANSWER_SECONDS)
        if not (server.is_encrypted and server.port in ENCRYPTED_PORTS):
            return plain
        try:
            return public_certificates().wrap_socket(plain, server_hostname=server.name)
        except OSError:
            plain.close()
            raise
    raise failure or OSError("no address")


class _Smtp(smtplib.SMTP):
    """smtplib's client, connected to a checked address."""

    def __init__(self, server: Server) -> None:
        self._server = server
        super().__init__(timeout=ANSWER_SECONDS, local_hostname="[127.0.0.1]")
        self._host = server.name  # the name that STARTTLS checks the certificate for
        code, words = self.connect(server.name, server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return open_socket(self._server)


class _Imap(imaplib.IMAP4):
    """imaplib's client, connected to a checked address, that does not read more than a mail may be."""

    def __init__(self, server: Server) -> None:
        self._server = server
        super().__init__(server.name, server.port, ANSWER_SECONDS)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return open_socket(self._server)

    def read(self, size: int) -> bytes:
        if size > MAX_MESSAGE_BYTES:
            raise PermanentError(
                f"The e-mail is larger than {MAX_MESSAGE_BYTES // (1024 * 1024)} MB.",
                detail="literal too large",
            )
        return super().read(size)

    def sign_in(self, name: str, password: str) -> None:
        """Sign in; as PLAIN where possible, which takes any character, else with LOGIN."""
        if "AUTH=PLAIN" in self.capabilities:
            self.authenticate("PLAIN", lambda challenge: f"\0{name}\0{password}".encode())
        else:
            self.login(quoted(name), password)


def quoted(text: str) -> str:
    """Return a text as an IMAP quoted string: nothing in it can end the command."""
    return '"' + re.sub(r"[\r\n\0]", " ", text).replace("\\", "\\\\").replace('"', '\\"') + '"'


@contextlib.contextmanager
def _told(server: Server, account: Mailbox) -> Iterator[None]:
    """Turn what mail servers and sockets do wrong into errors a person can act on."""
    kind, where = server.kind, f"{server.name}, port {server.port}"
    try:
        yield
    except ConnectorError:
        raise
    except ssl.SSLCertVerificationError as error:
        raise PermanentError(
            f"The certificate of {server.name} is not valid for that name ({error.verify_message})."
            " Enter the server's name as your provider writes it.",
            detail=f"certificate: {error.verify_message}",
        ) from None
    except ssl.SSLError as error:
        raise PermanentError(
            f"{where} does not speak TLS the way that port should. For {kind}, use port"
            f" {'465 or 587' if kind == 'SMTP' else '993 or 143'}.",
            detail=f"tls: {error.reason}",
        ) from None
    except smtplib.SMTPNotSupportedError as error:
        raise PermanentError(
            f"The {kind} server {where} offers no encryption or no sign-in there. Use port 465 or 587.",
            detail=str(error),
        ) from None
    except smtplib.SMTPAuthenticationError as error:
        if 400 <= error.smtp_code < 500:
            raise TemporaryError(
                f"The {kind} server {server.name} lets nobody sign in right now. We will try again.",
                detail=f"code={error.smtp_code}",
            ) from None
        raise _wrong_password(kind, server, f"code={error.smtp_code}") from None
    except smtplib.SMTPResponseException as error:
        words = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else ""
        raise refusal(server, error.smtp_code, words) from None
    except TimeoutError:
        raise TemporaryError(
            f"The {kind} server {where} did not answer in time. Check the server and the port.",
            detail="timeout",
        ) from None
    except ConnectionRefusedError:
        raise TemporaryError(
            f"Nothing answers at {where}. Check the {kind} server and the port.", detail="refused"
        ) from None
    except imaplib.IMAP4.abort as error:
        raise TemporaryError(
            f"The {kind} server {server.name} ended the connection. Check the port, or try again.",
            detail=str(error)[:200],
        ) from None
    except imaplib.IMAP4.error as error:
        text = str(error)
        if "STARTTLS" in text or "TLS" in text:
            raise PermanentError(
                f"The {kind} server {where} offers no encryption there. Use port 993.", detail=text[:200]
            ) from None
        if "UNAVAILABLE" in text or "INUSE" in text:
            raise TemporaryError(
                f"The {kind} server {server.name} is not ready. We will try again.", detail=text[:200]
            ) from None
        raise _wrong_password(kind, server, text[:200]) from None
    except (OSError, smtplib.SMTPException) as error:
        raise TemporaryError(
            f"The {kind} server {where} could not be reached. Check the server and the port.",
            detail=f"{type(error).__name__}: {error}"[:200],
        ) from None


def _wrong_password(kind: str, server: Server, detail: str) -> ReconnectError:
    return ReconnectError(
        f"The {kind} server {server.name} does not accept this user name and password. Many providers want an app"
        " password here, not the one you sign in with.",
        detail=detail,
    )


def refusal(server: Server, code: int, words: str) -> ConnectorError:
    """Return what an SMTP answer means: 4xx can be tried again, 5xx cannot (RFC 5321, 4.2.1)."""
    said = " ".join(words.split())[:300]
    detail = f"code={code} {said}"
    if 400 <= code < 500 or code == -1:
        return TemporaryError(
            f"{server.name} cannot take the e-mail right now: “{said}”", detail=detail, status=code
        )
    return PermanentError(f"{server.name} refused the e-mail: “{said}”", detail=detail, status=code)


def _xoauth2(account: Mailbox) -> str:
    return f"user={account.username}\x01auth=Bearer {account.token}\x01\x01"
