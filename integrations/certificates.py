"""Certificates that services publish and sign deliveries with: fetched through the HTTP door and kept a while."""

from __future__ import annotations

import hashlib
import json
import logging

from django.core.cache import cache

from integrations.calls import call
from integrations.framework import CertificateSignature, ConnectorError, Inbound
from integrations.framework.signatures import Scheme

log = logging.getLogger("integrations.certificates")

KEPT_SECONDS = 86_400
ABSENT_SECONDS = 60  # an address that gave nothing is asked again after this, not with every delivery
BEGINS = "-----BEGIN CERTIFICATE-----"


def named_by(inbound: Inbound) -> str:
    """Return the certificate (PEM) at the address a delivery names, "" when it names none we trust.

    May call the service: never inside a scope.
    """
    address = CertificateSignature().certificate_url(inbound)
    if address is None:
        return ""
    key = f"certificate:{hashlib.sha256(address.encode()).hexdigest()}"
    kept = cache.get(key)
    if kept is None:
        kept = _fetched(address)
        cache.set(key, kept, KEPT_SECONDS if kept else ABSENT_SECONDS)
    return str(kept)


def key_for(scheme: Scheme, key: str, certificate: str) -> str:
    """Return what a scheme checks with: the key, joined with the certificate where the scheme needs one."""
    if not isinstance(scheme, CertificateSignature):
        return key
    return json.dumps({"webhook_id": key, "certificate": certificate}) if key and certificate else ""


def _fetched(address: str) -> str:
    try:
        response = call(lambda client: client.send("GET", address, provider="PAYPAL"))
    except ConnectorError as error:
        log.warning("certificate not fetched reason=%s", error.detail or error.message)
        return ""
    return response.text if response.status == 200 and BEGINS in response.text else ""
