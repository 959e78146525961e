"""Proof that a delivery comes from the service it names, and is not an old one sent again.

Every scheme answers Verified or Refused with a reason for the log; comparisons take constant time. A signature
proves origin and age; the same delivery sent twice inside the tolerance is caught by its delivery id.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import unquote

from integrations.framework.messages import Inbound

TOLERANCE_SECONDS = 300  # Stripe, Slack and Standard Webhooks all advise five minutes


@dataclass(frozen=True)
class Verified:
    """The delivery is genuine and fresh. More than the signature proved nothing is claimed."""

    ok: bool = True


@dataclass(frozen=True)
class Refused:
    """The delivery must not be processed. reason: for the log and the delivery page; holds no secret."""

    reason: str
    ok: bool = False


class Scheme(Protocol):
    """key: the secret as the service gave it. now: Unix seconds. address: our URL exactly as registered."""

    def verify(self, inbound: Inbound, *, key: str, now: float, address: str = "") -> Verified | Refused: ...


def body_only(inbound: Inbound, timestamp: str, address: str) -> bytes:
    return inbound.body


def timestamp_dot_body(inbound: Inbound, timestamp: str, address: str) -> bytes:
    return timestamp.encode() + b"." + inbound.body


def address_then_body(inbound: Inbound, timestamp: str, address: str) -> bytes:
    return address.encode() + inbound.body


def body_then_address(inbound: Inbound, timestamp: str, address: str) -> bytes:
    return inbound.body + address.encode()


@dataclass(frozen=True)
class Hmac:
    """A keyed hash in a header.

    signed: makes the signed bytes from (inbound, timestamp text, our registered address).
    encoding: hex or base64 of the digest. prefix: text before it in the header ("sha256=").
    timestamp_header or timestamp_in_body (a function of the parsed body): when given, older or newer than
    `tolerance_seconds` is refused. timestamp_unit: how many of its units make one second (1000 for milliseconds).
    key_encoding: utf8, base64, or whsec (the part after "whsec_", base64).
    several: separator of several acceptable signatures in the header.
    """

    header: str
    digest: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    signed: Callable[[Inbound, str, str], bytes] = body_only
    timestamp_header: str = ""
    timestamp_in_body: Callable[[Any], Any] | None = None
    timestamp_unit: int = 1
    tolerance_seconds: float = TOLERANCE_SECONDS
    key_encoding: str = "utf8"
    several: str = ""

    def verify(self, inbound: Inbound, *, key: str, now: float, address: str = "") -> Verified | Refused:
        signature = inbound.headers.get(self.header, "")
        if not signature:
            return Refused(f"header {self.header} is missing")
        timestamp = inbound.headers.get(self.timestamp_header, "") if self.timestamp_header else ""
        if self.timestamp_header or self.timestamp_in_body:
            moment = timestamp or (self.timestamp_in_body(inbound.json) if self.timestamp_in_body else "")
            refusal = check_age(moment, unit=self.timestamp_unit, now=now, tolerance=self.tolerance_seconds)
            if refusal:
                return refusal
        secret = decode_key(key, self.key_encoding)
        if not secret:
            return Refused("the signing secret is missing or unreadable")
        expected = _encode(
            hmac.digest(secret, self.signed(inbound, timestamp, address), self.digest), self.encoding
        )
        candidates = signature.split(self.several) if self.several else [signature]
        for candidate in candidates:
            if candidate.startswith(self.prefix) and same(
                candidate[len(self.prefix) :], expected, self.encoding
            ):
                return Verified()
        return Refused("the signature does not match")


@dataclass(frozen=True)
class TimestampedHmac:
    """`t=<unix seconds>,v1=<hex>[,v1=<hex>]` in one header, over "<t>.<body>": Stripe, Calendly, Kit, Mailchimp."""

    header: str
    tolerance_seconds: float = TOLERANCE_SECONDS

    def verify(self, inbound: Inbound, *, key: str, now: float, address: str = "") -> Verified | Refused:
        header = inbound.headers.get(self.header, "")
        if not header:
            return Refused(f"header {self.header} is missing")
        parts = [part.strip().partition("=")[::2] for part in header.split(",")]
        timestamps = [value for name, value in parts if name == "t"]
        if len(timestamps) != 1:
            return Refused(f"header {self.header} has no timestamp")
        refusal = check_age(timestamps[0], unit=1, now=now, tolerance=self.tolerance_seconds)
        if refusal:
            return refusal
        if not key:
            return Refused("the signing secret is missing or unreadable")
        expected = hmac.digest(key.encode(), timestamp_dot_body(inbound, timestamps[0], ""), "sha256").hex()
        # v0 and other versions are ignored: accepting an older one would be a downgrade.
        if any(same(value, expected, "hex") for name, value in parts if name == "v1"):
            return Verified()
        return Refused("the signature does not match")


@dataclass(frozen=True)
class StandardWebhooks:
    """The Standard Webhooks specification; `prefix` is "webhook" there and "svix" at Svix."""

    prefix: str = "webhook"
    tolerance_seconds: float = TOLERANCE_SECONDS

    def verify(self, inbound: Inbound, *, key: str, now: float, address: str = "") -> Verified | Refused:
        message_id = inbound.headers.get(f"{self.prefix}-id", "")
        timestamp = inbound.headers.get(f"{self.prefix}-timestamp", "")
        signatures = inbound.headers.get(f"{self.prefix}-signature", "")
        if not (message_id and timestamp and signatures):
            return Refused(f"headers {self.prefix}-id, -timestamp and -signature are needed")
        refusal = check_age(timestamp, unit=1, now=now, tolerance=self.tolerance_seconds)
        if refusal:
            return refusal
        secret = decode_key(key, "whsec")
        if not secret:
            return Refused("the signing secret is missing or unreadable")
        signed = f"{message_id}.{timestamp}.".encode() + inbound.body
        expected = base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
        for entry in signatures.split():
            version, _, value = entry.partition(",")
            if version == "v1" and same(value, expected, "base64"):
                return Verified()
        return Refused("the signature does not match")


@dataclass(frozen=True)
class Ed25519:
    """Discord: Ed25519 over timestamp + body. The key is the application's public key in hex."""

    header: str = "X-Signature-Ed25519"
    timestamp_header: str = "X-Signature-Timestamp"
    tolerance_seconds: float = TOLERANCE_SECONDS

    def verify(self, inbound: Inbound, *, key: str, now: float, address: str = "") -> Verified | Refused:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        timestamp = inbound.headers.get(self.timestamp_header, "")
        refusal = check_age(timestamp, unit=1, now=now, tolerance=self.tolerance_seconds)
        if refusal:
            return refusal
        try:
            public_key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
            public_key.verify(
                bytes.fromhex(inbound.headers.get(self.header, "")), timestamp.encode() + inbound.body
            )
        except (ValueError, InvalidSignature):
            return Refused("the signature does not match")
        return Verified()


@dataclass(frozen=True)
class Ecdsa:
    """SendGrid: ECDSA P-256 with SHA-256 over timestamp + body. The key is a base64 DER public key."""

    header: str = "X-Twilio-Email-Event-Webhook-Signature"
    timestamp_header: str = "X-Twilio-Email-Event-Webhook-Timestamp"
    tolerance_seconds: float = TOLERANCE_SECONDS

    def verify(self, inbound: Inbound, *, key: str, now: float, address: str = "") -> Verified | Refused:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        timestamp = inbound.headers.get(self.timestamp_header, "")
        refusal = check_age(timestamp, unit=1, now=now, tolerance=self.tolerance_seconds)
        if refusal:
            return refusal
        try:
            public_key = load_der_public_key(base64.b64decode(key, validate=True))
            signature = base64.b64decode(inbound.headers.get(self.header, ""), validate=True)
            if not isinstance(public_key, EllipticCurvePublicKey):
                return Refused("the signing key is not an elliptic-curve key")
            public_key.verify(signature, timestamp.encode() + inbound.body, ECDSA(hashes.SHA256()))
        except (ValueError, InvalidSignature):
            return Refused("the signature does not match")
        return Verified()


@dataclass(frozen=True)
class SharedToken:
    """A secret we chose that comes back in clear: in a header, the query, HTTP Basic or a member of the body.

    find: reads the candidates from the delivery; all of them must match (Graph sends several notifications).
    """

    find: Callable[[Inbound], list[str]]

    def verify(self, inbound: Inbound, *, key: str, now: float, address: str = "") -> Verified | Refused:
        candidates = self.find(inbound)
        if not key:
            return Refused("the shared token is missing")
        if not candidates:
            return Refused("the delivery carries no token")
        # A list, not a generator: the time must not tell which candidate was wrong.
        if all([hmac.compare_digest(candidate.encode(), key.encode()) for candidate in candidates]):  # noqa: C419
            return Verified()
        return Refused("the token does not match")


def token_in_header(name: str, prefix: str = "") -> SharedToken:
    def find(inbound: Inbound) -> list[str]:
        value = inbound.headers.get(name, "")
        return [value[len(prefix) :]] if value and value.startswith(prefix) else []

    return SharedToken(find)


def token_in_query(name: str) -> SharedToken:
    return SharedToken(lambda inbound: [inbound.query[name]] if name in inbound.query else [])


def hubspot_v3(inbound: Inbound, timestamp: str, address: str) -> bytes:
    """Method + decoded address + body + timestamp, as HubSpot's version 3 signs them."""
    decoded = re.sub(
        "%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)",
        lambda match: unquote(match.group(0)),
        address or inbound.url,
        flags=re.IGNORECASE,
    )
    return inbound.method.upper().encode() + decoded.encode() + inbound.body + timestamp.encode()


def check_age(value: Any, *, unit: int, now: float, tolerance: float) -> Refused | None:
    """Refuse a moment further than `tolerance` seconds from now, either way; ISO 8601 text is read too."""
    try:
        moment = float(value) / unit
    except (TypeError, ValueError):
        try:
            moment = datetime.fromisoformat(str(value)).timestamp()
        except ValueError:
            return Refused("the timestamp is missing or unreadable")
    if not abs(now - moment) <= tolerance:  # written so that NaN is refused too
        return Refused(f"the delivery is {abs(now - moment):.0f} s from now; {tolerance:.0f} s are allowed")
    return None


def decode_key(key: str, encoding: str) -> bytes:
    """Return the key's bytes; empty when it cannot be read."""
    if encoding == "utf8":
        return key.encode()
    text = key.removeprefix("whsec_") if encoding == "whsec" else key
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def same(candidate: str, expected: str, encoding: str) -> bool:
    """Compare in constant time; hex may come in either case."""
    if encoding == "hex":
        candidate = candidate.lower()
    return hmac.compare_digest(candidate.encode(), expected.encode())


def _encode(digest: bytes, encoding: str) -> str:
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
