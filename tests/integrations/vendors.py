"""How services sign and shape their deliveries, written from their side: what our checks are tried against."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

from integrations.framework import (
    CertificateSignature,
    Connector,
    Ecdsa,
    Ed25519,
    Hmac,
    JwtHs256,
    SharedToken,
    StandardWebhooks,
    TimestampedHmac,
    Trigger,
    Webhooks,
)

STANDARD_SECRET = "whsec_" + base64.b64encode(b"a secret of the service's own!!!").decode()
CERTIFICATE_URL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"


@dataclass
class Sent:
    """What a service posts: body and headers, and what it adds to the address."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""


def sent(
    connector: Connector,
    trigger: Trigger,
    webhooks: Webhooks,
    event: Any,
    *,
    key: str,
    address: str,
    now: float,
) -> Sent:
    """Return the signed delivery of one event. key: what the service signs with; address: as it was told."""
    delivery = _wrapped(connector, trigger, webhooks, event, key)
    _name(trigger, webhooks, delivery)
    _sign(connector, webhooks, delivery, key, address, now)
    return delivery


# --- Shapes ---------------------------------------------------------------------------------------------------


def _wrapped(connector: Connector, trigger: Trigger, webhooks: Webhooks, event: Any, key: str) -> Sent:
    shape = SHAPES.get((connector.slug, trigger.key)) or SHAPES.get((connector.slug, ""))
    if shape is not None:
        return shape(event, key)
    if isinstance(webhooks.events, str):
        body: Any = [event] if webhooks.events == "" else {webhooks.events: [event]}
        return _json(body)
    return _json(event)


def _json(body: Any) -> Sent:
    return Sent(json.dumps(body).encode(), {"Content-Type": "application/json"})


def _form(event: Any, key: str) -> Sent:
    return Sent(
        urlencode(list(_pairs("", event))).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    )


def _pairs(prefix: str, value: Any):
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from _pairs(f"{prefix}[{name}]" if prefix else str(name), member)
    elif isinstance(value, list):
        for member in value:
            yield from _pairs(f"{prefix}[]", member)
    else:
        yield prefix, "" if value is None else str(value)


def _graph(event: Any, key: str) -> Sent:
    plain = {name: event[name] for name in event if name not in ("message", "channel")}
    return _json({"value": [{**plain, "clientState": key}]})


def _channel(event: Any, key: str) -> Sent:
    channel, _, number = event["notice"].rpartition(":")
    return Sent(
        b"",
        {
            "X-Goog-Channel-ID": channel,
            "X-Goog-Message-Number": number,
            "X-Goog-Resource-ID": "ret08u3rv24htgh289g",
            "X-Goog-Resource-State": event["state"],
            "X-Goog-Changed": ",".join(event["changed"]),
            "X-Goog-Resource-URI": event["resource_uri"],
        },
    )


def _outbound_message(event: Any, key: str) -> Sent:
    members = "".join(f"<sf:{name}>{value}</sf:{name}>" for name, value in event["record"].items())
    body = f"""<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound">
  <OrganizationId>{event["organization_id"]}</OrganizationId><ActionId>04k5g00000Abcde</ActionId>
  <SessionId/><EnterpriseUrl>https://alder.example/</EnterpriseUrl><PartnerUrl>https://alder.example/</PartnerUrl>
  <Notification><Id>{event["id"]}</Id>
   <sObject xsi:type="sf:{event["type"]}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">{members}</sObject>
  </Notification></notifications></soapenv:Body></soapenv:Envelope>"""
    return Sent(body.encode(), {"Content-Type": "text/xml; charset=utf-8"})


def _payloads(event: Any, key: str) -> Sent:
    """Airtable's notices only say that there is something."""
    return _json(
        {"base": {"id": "appLkNDICXNqxSDhG"}, "webhook": {"id": "ach1"}, "timestamp": "2026-11-22T10:00:00Z"}
    )


SHAPES: dict[tuple[str, str], Callable[[Any, str], Sent]] = {
    ("activecampaign", ""): _form,
    ("acuity", ""): _form,
    ("mailchimp", ""): _form,
    ("sendgrid", "inbound_email"): _form,
    ("microsoft_teams", ""): _graph,
    ("outlook", ""): _graph,
    ("google_sheets", ""): _channel,
    ("google_calendar", ""): _channel,
    ("google_drive", ""): _channel,
    ("salesforce", ""): _outbound_message,
    ("airtable", ""): _payloads,
}


def _name(trigger: Trigger, webhooks: Webhooks, delivery: Sent) -> None:
    if isinstance(webhooks.event, str) and webhooks.event.startswith("header:"):
        delivery.headers[webhooks.event[7:]] = trigger.events[0]
    if isinstance(webhooks.delivery_id, str) and webhooks.delivery_id.startswith("header:"):
        delivery.headers[webhooks.delivery_id[7:]] = "delivery-1"


# --- Signatures -----------------------------------------------------------------------------------------------


def _sign(
    connector: Connector, webhooks: Webhooks, delivery: Sent, key: str, address: str, now: float
) -> None:
    scheme, headers, at = webhooks.signature, delivery.headers, str(int(now))
    if isinstance(scheme, TimestampedHmac):
        headers[scheme.header] = f"t={at},v1={_hex(key.encode(), at.encode() + b'.' + delivery.body)}"
    elif isinstance(scheme, StandardWebhooks):
        headers.setdefault(f"{scheme.prefix}-id", "delivery-1")
        headers[f"{scheme.prefix}-timestamp"] = at
        signed = f"{headers[f'{scheme.prefix}-id']}.{at}.".encode() + delivery.body
        secret = base64.b64decode(key.removeprefix("whsec_"))
        headers[f"{scheme.prefix}-signature"] = (
            "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()
        )
    elif isinstance(scheme, Ed25519):
        headers[scheme.timestamp_header] = at
        headers[scheme.header] = bot_key().sign(at.encode() + delivery.body).hex()
    elif isinstance(scheme, Ecdsa):
        headers[scheme.timestamp_header] = at
        signature = mail_key().sign(at.encode() + delivery.body, ec.ECDSA(hashes.SHA256()))
        headers[scheme.header] = base64.b64encode(signature).decode()
    elif isinstance(scheme, CertificateSignature):
        _sign_as_paypal(delivery, key, now)
    elif isinstance(scheme, JwtHs256):
        claims = {"aud": address, "exp": int(now) + 300, "iat": int(now)}
        parts = ".".join(
            _url64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)
        )
        headers[scheme.header] = f"{parts}.{_url64(hmac.digest(key.encode(), parts.encode(), 'sha256'))}"
    elif isinstance(scheme, Hmac):
        HMACS.get(connector.slug, _plain_hmac)(scheme, delivery, key, address, at)
    elif isinstance(scheme, SharedToken):
        TOKENS[connector.slug](delivery, key)
    else:
        assert scheme is None, f"nobody wrote how {connector.slug} signs"


def _plain_hmac(scheme: Hmac, delivery: Sent, key: str, address: str, at: str) -> None:
    secret = base64.b64decode(key) if scheme.key_encoding == "base64" else key.encode()
    digest = hmac.digest(secret, delivery.body, scheme.digest)
    text = digest.hex() if scheme.encoding == "hex" else base64.b64encode(digest).decode()
    delivery.headers[scheme.header] = scheme.prefix + text
    if scheme.timestamp_in_body:
        assert scheme.timestamp_in_body(json.loads(delivery.body)) is not None


def _slack(scheme: Hmac, delivery: Sent, key: str, address: str, at: str) -> None:
    delivery.headers["X-Slack-Request-Timestamp"] = at
    delivery.headers["X-Slack-Signature"] = "v0=" + _hex(
        key.encode(), b"v0:" + at.encode() + b":" + delivery.body
    )


def _hubspot(scheme: Hmac, delivery: Sent, key: str, address: str, at: str) -> None:
    moment = at + "000"
    signed = b"POST" + address.encode() + delivery.body + moment.encode()
    delivery.headers["X-HubSpot-Request-Timestamp"] = moment
    delivery.headers["X-HubSpot-Signature-v3"] = _base64(key, signed, "sha256")


def _square(scheme: Hmac, delivery: Sent, key: str, address: str, at: str) -> None:
    delivery.headers["x-square-hmacsha256-signature"] = _base64(
        key, address.encode() + delivery.body, "sha256"
    )


def _trello(scheme: Hmac, delivery: Sent, key: str, address: str, at: str) -> None:
    delivery.headers["X-Trello-Webhook"] = _base64(key, delivery.body + address.encode(), "sha1")


def _linear(scheme: Hmac, delivery: Sent, key: str, address: str, at: str) -> None:
    body = {**json.loads(delivery.body), "webhookTimestamp": int(at) * 1000}
    delivery.body = json.dumps(body).encode()
    _plain_hmac(scheme, delivery, key, address, at)


HMACS = {"slack": _slack, "hubspot": _hubspot, "square": _square, "trello": _trello, "linear": _linear}


def _in_header(name: str, make: Callable[[str], str] = str) -> Callable[[Sent, str], None]:
    return lambda delivery, key: delivery.headers.__setitem__(name, make(key))


def _in_query(name: str) -> Callable[[Sent, str], None]:
    return lambda delivery, key: setattr(delivery, "query", urlencode({name: key}))


def _pipedrive(delivery: Sent, key: str) -> None:
    basic = base64.b64encode(f"steward:{key}".encode()).decode()
    delivery.headers["Authorization"] = f"Basic {basic}"


TOKENS: dict[str, Callable[[Sent, str], None]] = {
    "activecampaign": _in_query("key"),
    "google_sheets": _in_header("X-Goog-Channel-Token"),
    "google_calendar": _in_header("X-Goog-Channel-Token"),
    "google_drive": _in_header("X-Goog-Channel-Token"),
    "microsoft_teams": lambda delivery, key: None,  # inside the body
    "outlook": lambda delivery, key: None,
    "pipedrive": _pipedrive,
    "telegram": _in_header("X-Telegram-Bot-Api-Secret-Token"),
    "make": _in_header("X-Webhook-Token"),
    "zapier": _in_header("X-Webhook-Token"),
}


def _sign_as_paypal(delivery: Sent, webhook_id: str, now: float) -> None:
    moment = datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signed = f"transmission-1|{moment}|{webhook_id}|{zlib.crc32(delivery.body)}"
    key, _certificate = paypal_certificate()
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    delivery.headers |= {
        "PAYPAL-TRANSMISSION-ID": "transmission-1",
        "PAYPAL-TRANSMISSION-TIME": moment,
        "PAYPAL-TRANSMISSION-SIG": base64.b64encode(signature).decode(),
        "PAYPAL-CERT-URL": CERTIFICATE_URL,
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
    }


@cache
def bot_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def bot_public_key() -> str:
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    return bot_key().public_key().public_bytes(*raw).hex()


@cache
def mail_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def mail_public_key() -> str:
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(mail_key().public_key().public_bytes(*form)).decode()


@cache
def paypal_certificate() -> tuple[rsa.RSAPrivateKey, str]:
    """Return the key and the certificate (PEM) it publishes."""
    key = rsa.generate_private_key(65_537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "messageverificationcerts.paypal.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return key, made.public_bytes(serialization.Encoding.PEM).decode()


def _hex(key: bytes, signed: bytes) -> str:
    return hmac.new(key, signed, hashlib.sha256).hexdigest()


def _base64(key: str, signed: bytes, digest: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), signed, digest)).decode()


def _url64(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
