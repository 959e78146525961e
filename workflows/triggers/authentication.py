"""Whether a request comes from who may send it: header, password, signature, or a service's own scheme."""

from __future__ import annotations

import base64
import binascii
import hmac

from integrations.framework import registry
from integrations.framework.messages import Inbound
from integrations.framework.signatures import Hmac, Refused, Verified, body_only, timestamp_dot_body
from workflows.definition.durations import parse_duration
from workflows.definition.triggers import WebhookAuth
from workflows.triggers.addresses import Address

NOT_STORED = Refused("no secret is stored on this trigger, so nobody can be let in")


def verify(address: Address, inbound: Inbound, *, url: str) -> Verified | Refused:
    """Return whether the request may start a run; comparisons take constant time.

    url: our address as the sender knows it. A trigger that asks for proof but has no secret stored refuses everybody.
    """
    auth = getattr(address.settings, "auth", None)
    if auth is None or auth.method == "none":
        return Verified()
    if not address.secret:
        return NOT_STORED
    if auth.method == "header":
        return _header(auth, inbound, address.secret)
    if auth.method == "basic":
        return _basic(inbound, address.secret)
    if auth.method == "hmac":
        return _signature(auth).verify(inbound, key=address.secret, now=inbound.received_at, address=url)
    return _provider(auth, inbound, address.secret, url)


def _header(auth: WebhookAuth, inbound: Inbound, secret: str) -> Verified | Refused:
    value = inbound.headers.get(auth.header or "X-API-Key", "")
    if not value:
        return Refused(f"header {auth.header or 'X-API-Key'} is missing")
    if hmac.compare_digest(value.encode(), secret.encode()):
        return Verified()
    return Refused(f"header {auth.header or 'X-API-Key'} does not match")


def _basic(inbound: Inbound, secret: str) -> Verified | Refused:
    scheme, _, encoded = inbound.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return Refused("user name and password are missing")
    try:
        given = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return Refused("user name and password cannot be read")
    return (
        Verified()
        if hmac.compare_digest(given, secret.encode())
        else Refused("user name or password does not match")
    )


def _signature(auth: WebhookAuth) -> Hmac:
    return Hmac(
        header=auth.header or "X-Signature",
        digest=auth.algorithm,
        encoding=auth.encoding,
        prefix=auth.prefix,
        signed=timestamp_dot_body if auth.timestamp_header else body_only,
        timestamp_header=auth.timestamp_header,
        tolerance_seconds=parse_duration(auth.tolerance).total_seconds(),
    )


def _provider(auth: WebhookAuth, inbound: Inbound, secret: str, url: str) -> Verified | Refused:
    try:
        webhooks = registry.get(auth.provider).webhooks
    except KeyError:
        return Refused(f"there is no connector {auth.provider}")
    if webhooks is None or webhooks.signature is None:
        return Refused(f"{auth.provider} does not sign its deliveries; choose another way to know the sender")
    return webhooks.signature.verify(inbound, key=secret, now=inbound.received_at, address=url)
