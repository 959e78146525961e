"""Signature schemes whose proof is a signed token or a certificate: monday's JWT and PayPal's RSA signature."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import zlib
from dataclasses import dataclass
from urllib.parse import urlsplit

from integrations.framework.messages import Inbound
from integrations.framework.signatures import TOLERANCE_SECONDS, Refused, Verified, check_age


@dataclass(frozen=True)
class JwtHs256:
    """A JSON Web Token in a header, signed with HS256; `exp` must lie ahead and `aud` be our registered address.

    It proves the sender, not the body: the address must stay secret too.
    """

    header: str = "Authorization"
    check_audience: bool = True

    def verify(self, inbound: Inbound, *, key: str, now: float, address: str = "") -> Verified | Refused:
        token = inbound.headers.get(self.header, "").removeprefix("Bearer ").strip()
        parts = token.split(".")
        if len(parts) != 3 or not key:
            return Refused("the token or the signing secret is missing")
        try:
            algorithm = json.loads(_decode(parts[0])).get("alg")
            claims = json.loads(_decode(parts[1]))
            signature = _decode(parts[2])
            expires = float(claims["exp"])
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            return Refused("the token is not readable")
        if algorithm != "HS256":  # "none" and others would let the sender choose how to be checked
            return Refused("the token is signed another way")
        expected = hmac.digest(key.encode(), f"{parts[0]}.{parts[1]}".encode(), "sha256")
        if not hmac.compare_digest(signature, expected):
            return Refused("the signature does not match")
        if not expires > now:
            return Refused("the token has expired")
        if self.check_audience and claims.get("aud") != address:
            return Refused("the token is meant for another address")
        return Verified()


@dataclass(frozen=True)
class CertificateSignature:
    """PayPal: RSA-SHA256 over `id|time|webhook id|crc32 of the body`, with a certificate PayPal publishes.

    key: JSON {"webhook_id": ..., "certificate": PEM text}. The caller fetches certificate_url() through the HTTP
    door, where TLS proves that PayPal serves it, and may keep it by its address.
    """

    hosts: tuple[str, ...] = ("api.paypal.com", "api.sandbox.paypal.com")
    path: str = "/v1/notifications/certs/"
    tolerance_seconds: float = TOLERANCE_SECONDS

    def certificate_url(self, inbound: Inbound) -> str | None:
        """Return where the certificate is, or None when the address named is not PayPal's own."""
        address = inbound.headers.get("paypal-cert-url", "")
        parts = urlsplit(address)
        try:
            trusted = (
                parts.scheme == "https"
                and parts.hostname in self.hosts
                and parts.port in (None, 443)
                and parts.path.startswith(self.path)
                and ".." not in parts.path
            )
        except ValueError:
            return None
        return address if trusted and parts.username is None else None

    def verify(self, inbound: Inbound, *, key: str, now: float, address: str = "") -> Verified | Refused:
        from cryptography import x509
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

        if self.certificate_url(inbound) is None:
            return Refused("the certificate is not at an address of PayPal")
        if inbound.headers.get("paypal-auth-algo", "") != "SHA256withRSA":
            return Refused("the signature is made another way")
        moment = inbound.headers.get("paypal-transmission-time", "")
        refusal = check_age(moment, unit=1, now=now, tolerance=self.tolerance_seconds)
        if refusal:
            return refusal
        try:
            known = json.loads(key)
            certificate = x509.load_pem_x509_certificate(known["certificate"].encode())
            signature = base64.b64decode(inbound.headers.get("paypal-transmission-sig", ""), validate=True)
        except (ValueError, KeyError, TypeError, AttributeError):
            return Refused("the certificate or the signature is not readable")
        if (
            not certificate.not_valid_before_utc.timestamp()
            <= now
            <= certificate.not_valid_after_utc.timestamp()
        ):
            return Refused("the certificate is out of date")
        public_key = certificate.public_key()
        if not isinstance(public_key, RSAPublicKey):
            return Refused("the certificate holds no RSA key")
        signed = "|".join(
            (
                inbound.headers.get("paypal-transmission-id", ""),
                moment,
                str(known["webhook_id"]),
                str(zlib.crc32(inbound.body)),
            )
        )
        try:
            public_key.verify(signature, signed.encode(), PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return Refused("the signature does not match")
        return Verified()


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
