"""Each way services sign their deliveries: genuine accepted; tampered, stale and unsigned refused."""

import base64
import hmac
import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

from integrations.framework import (
    Ecdsa,
    Ed25519,
    Hmac,
    Inbound,
    Refused,
    StandardWebhooks,
    TimestampedHmac,
    Verified,
    dig,
)
from integrations.framework.handshakes import (
    answer_methods,
    echo_header,
    echo_json,
    echo_query,
    first_of,
    keep_json,
)
from integrations.framework.signatures import (
    SharedToken,
    address_then_body,
    body_then_address,
    hubspot_v3,
    token_in_header,
    token_in_query,
)
from integrations.framework.signed_tokens import CertificateSignature, JwtHs256
from tests.integrations.checks import NOW, delivery

BODY = b'{"event":"order.paid","note":"caf\xc3\xa9"}'
KEY = "signing-secret"
ADDRESS = "https://steward.example/hooks/abc?x=%2Fa"
STAMP = str(int(NOW))


def mac(key, data, digest="sha256"):
    return hmac.digest(key if isinstance(key, bytes) else key.encode(), data, digest)


def b64(data):
    return base64.b64encode(data).decode()


ED_KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
EC_KEY = ec.derive_private_key(12345, ec.SECP256R1())
ED_PUBLIC = ED_KEY.public_key().public_bytes_raw().hex()
EC_PUBLIC = b64(
    EC_KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
)


def jwt(claims, key=KEY, algorithm="HS256"):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    signed = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
    return f"{signed}.{base64.urlsafe_b64encode(mac(key, signed.encode())).rstrip(b'=').decode()}"


# name -> (scheme, key, headers of a genuine delivery signed at STAMP)
GENUINE = {
    "shopify": (
        Hmac("X-Shopify-Hmac-SHA256", encoding="base64"),
        KEY,
        {"X-Shopify-Hmac-SHA256": b64(mac(KEY, BODY))},
    ),
    "notion": (
        Hmac("X-Notion-Signature", prefix="sha256="),
        KEY,
        {"X-Notion-Signature": "sha256=" + mac(KEY, BODY).hex()},
    ),
    "airtable": (
        Hmac("X-Airtable-Content-MAC", prefix="hmac-sha256=", key_encoding="base64"),
        b64(b"mac key"),
        {"X-Airtable-Content-MAC": "hmac-sha256=" + mac(b"mac key", BODY).hex()},
    ),
    "square": (
        Hmac("x-square-hmacsha256-signature", encoding="base64", signed=address_then_body),
        KEY,
        {"x-square-hmacsha256-signature": b64(mac(KEY, ADDRESS.encode() + BODY))},
    ),
    "trello": (
        Hmac("X-Trello-Webhook", digest="sha1", encoding="base64", signed=body_then_address),
        KEY,
        {"X-Trello-Webhook": b64(mac(KEY, BODY + ADDRESS.encode(), "sha1"))},
    ),
    "asana, upper case": (Hmac("X-Hook-Signature"), KEY, {"X-Hook-Signature": mac(KEY, BODY).hex().upper()}),
    "sha512": (Hmac("X-Signature", digest="sha512"), KEY, {"X-Signature": mac(KEY, BODY, "sha512").hex()}),
    "several": (Hmac("X-Signature", several=","), KEY, {"X-Signature": "aa," + mac(KEY, BODY).hex()}),
    "calendly": (
        TimestampedHmac("Calendly-Webhook-Signature"),
        KEY,
        {"Calendly-Webhook-Signature": f"t={STAMP},v1={mac(KEY, STAMP.encode() + b'.' + BODY).hex()}"},
    ),
    "svix": (
        StandardWebhooks("svix"),
        "whsec_" + b64(b"svix key"),
        {
            "svix-id": "msg_1",
            "svix-timestamp": STAMP,
            "svix-signature": "v1," + b64(mac(b"svix key", f"msg_1.{STAMP}.".encode() + BODY)),
        },
    ),
    "hubspot": (
        Hmac(
            "X-HubSpot-Signature-v3",
            encoding="base64",
            signed=hubspot_v3,
            timestamp_unit=1000,
            timestamp_header="X-HubSpot-Request-Timestamp",
        ),
        KEY,
        {
            "X-HubSpot-Request-Timestamp": STAMP + "000",
            "X-HubSpot-Signature-v3": b64(
                mac(KEY, b"POST" + b"https://steward.example/hooks/abc?x=/a" + BODY + STAMP.encode() + b"000")
            ),
        },
    ),
    "discord": (
        Ed25519(),
        ED_PUBLIC,
        {"X-Signature-Timestamp": STAMP, "X-Signature-Ed25519": ED_KEY.sign(STAMP.encode() + BODY).hex()},
    ),
    "sendgrid": (
        Ecdsa(),
        EC_PUBLIC,
        {
            "X-Twilio-Email-Event-Webhook-Timestamp": STAMP,
            "X-Twilio-Email-Event-Webhook-Signature": b64(
                EC_KEY.sign(STAMP.encode() + BODY, ec.ECDSA(hashes.SHA256()))
            ),
        },
    ),
}
STAMPED = ("calendly", "svix", "hubspot", "discord", "sendgrid")


def check(name, *, body=BODY, now=NOW, headers=None, key=None, address=ADDRESS):
    scheme, own_key, own_headers = GENUINE[name]
    inbound = Inbound("POST", ADDRESS, own_headers if headers is None else headers, body, NOW)
    return scheme.verify(inbound, key=own_key if key is None else key, now=now, address=address)


@pytest.mark.parametrize("name", GENUINE)
def test_a_genuine_delivery_is_accepted(name):
    assert check(name) == Verified()


@pytest.mark.parametrize("name", GENUINE)
def test_a_tampered_delivery_is_refused(name):
    assert isinstance(check(name, body=BODY.replace(b"paid", b"void")), Refused)


@pytest.mark.parametrize("name", GENUINE)
def test_an_unsigned_delivery_and_a_missing_key_are_refused(name):
    assert isinstance(check(name, headers={}), Refused)
    assert isinstance(check(name, key=""), Refused)


@pytest.mark.parametrize("name", GENUINE)
def test_nonsense_in_the_headers_is_refused_not_crashed_on(name):
    _, _, headers = GENUINE[name]
    for nonsense in ("", "é", "v1,", "t=,v1=", "====", "NaN"):
        assert isinstance(check(name, headers=dict.fromkeys(headers, nonsense)), Refused)


@pytest.mark.parametrize("name", STAMPED)
def test_a_stale_delivery_is_refused_and_a_recent_one_is_not(name):
    assert check(name, now=NOW + 299) == Verified()
    assert isinstance(check(name, now=NOW + 301), Refused)
    assert isinstance(check(name, now=NOW - 301), Refused)


@pytest.mark.parametrize("name", ["square", "trello"])
def test_a_signature_for_another_address_is_refused(name):
    assert isinstance(check(name, address="https://steward.example/hooks/other"), Refused)


def test_a_moment_inside_the_body_counts_too():
    scheme = Hmac(
        "Linear-Signature",
        timestamp_in_body=lambda body: dig(body, "webhookTimestamp"),
        timestamp_unit=1000,
        tolerance_seconds=60,
    )
    body = json.dumps({"webhookTimestamp": NOW * 1000}).encode()
    inbound = delivery(body, {"Linear-Signature": mac(KEY, body).hex()})
    assert scheme.verify(inbound, key=KEY, now=NOW + 59) == Verified()
    assert isinstance(scheme.verify(inbound, key=KEY, now=NOW + 61), Refused)


def test_shared_tokens_must_all_match():
    graph = SharedToken(lambda inbound: [entry.get("clientState", "") for entry in inbound.json["value"]])
    right, wrong = {"clientState": "s3cret"}, {"clientState": "other"}
    assert graph.verify(delivery({"value": [right, right]}), key="s3cret", now=NOW) == Verified()
    assert isinstance(graph.verify(delivery({"value": [right, wrong]}), key="s3cret", now=NOW), Refused)
    assert isinstance(graph.verify(delivery({"value": []}), key="s3cret", now=NOW), Refused)
    header = token_in_header("X-Goog-Channel-Token")
    assert (
        header.verify(delivery(b"", {"x-goog-channel-token": "s3cret"}), key="s3cret", now=NOW) == Verified()
    )
    assert isinstance(header.verify(delivery(b"", {}), key="s3cret", now=NOW), Refused)
    assert isinstance(header.verify(delivery(b"", {"x-goog-channel-token": ""}), key="", now=NOW), Refused)
    query = token_in_query("token")
    assert (
        query.verify(delivery(b"", url="https://a.example/?token=s3cret"), key="s3cret", now=NOW)
        == Verified()
    )


@pytest.mark.parametrize(
    ("claims", "options", "ok"),
    [
        ({"exp": NOW + 60, "aud": ADDRESS}, {}, True),
        ({"exp": NOW - 1, "aud": ADDRESS}, {}, False),
        ({"exp": NOW + 60, "aud": "https://elsewhere.example/"}, {}, False),
        ({"aud": ADDRESS}, {}, False),
        ({"exp": NOW + 60, "aud": ADDRESS}, {"key": "another"}, False),
        ({"exp": NOW + 60, "aud": ADDRESS}, {"algorithm": "none"}, False),
    ],
)
def test_tokens_are_held_to_key_age_audience_and_algorithm(claims, options, ok):
    inbound = delivery(BODY, {"Authorization": jwt(claims, **options)})
    verdict = JwtHs256().verify(inbound, key=KEY, now=NOW, address=ADDRESS)
    assert verdict.ok is ok


@pytest.fixture(scope="module")
def paypal():
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "messageverificationcerts.paypal.com")])
    now = datetime.fromtimestamp(NOW, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    signed = f"id-1|{moment}|WH-1|{zlib.crc32(BODY)}".encode()
    headers = {
        "PAYPAL-TRANSMISSION-ID": "id-1",
        "PAYPAL-TRANSMISSION-TIME": moment,
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        "PAYPAL-CERT-URL": "https://api.paypal.com/v1/notifications/certs/CERT-1",
        "PAYPAL-TRANSMISSION-SIG": b64(key.sign(signed, padding.PKCS1v15(), hashes.SHA256())),
    }
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return delivery(BODY, headers), json.dumps({"webhook_id": "WH-1", "certificate": pem})


def test_paypal_signatures_hold_only_for_body_webhook_and_time(paypal):
    inbound, key = paypal
    scheme = CertificateSignature()
    assert scheme.verify(inbound, key=key, now=NOW) == Verified()
    assert isinstance(scheme.verify(replace(inbound, body=BODY + b" "), key=key, now=NOW), Refused)
    assert isinstance(scheme.verify(inbound, key=key.replace("WH-1", "WH-2"), now=NOW), Refused)
    assert isinstance(scheme.verify(inbound, key=key, now=NOW + 301), Refused)
    assert isinstance(scheme.verify(inbound, key="{}", now=NOW), Refused)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/cert",
        "http://api.paypal.com/cert",
        "https://api.paypal.com.evil.example/cert",
        "https://api.paypal.com@evil.example/cert",
        "https://x@api.paypal.com/cert",
        "",
    ],
)
def test_a_certificate_from_elsewhere_is_refused(paypal, address):
    inbound, key = paypal
    moved = replace(inbound, headers={**inbound.headers, "paypal-cert-url": address})
    assert CertificateSignature().certificate_url(moved) is None
    assert isinstance(CertificateSignature().verify(moved, key=key, now=NOW), Refused)


def test_handshakes_answer_what_each_service_asks():
    asana = echo_header("X-Hook-Secret", "secret")(delivery(b"", {"x-hook-secret": "s1"}))
    assert asana.headers == {"X-Hook-Secret": "s1"}
    assert asana.keep == {"secret": "s1"}
    graph = echo_query("validationToken")(delivery(b"", url="https://a.example/?validationToken=a%20b"))
    assert (graph.body, graph.content_type) == (b"a b", "text/plain")
    monday = echo_json("challenge")(delivery({"challenge": "c1"}))
    assert json.loads(monday.body) == {"challenge": "c1"}
    assert keep_json("verification_token", "secret")(delivery({"verification_token": "v"})).keep == {
        "secret": "v"
    }
    assert answer_methods("HEAD")(delivery(b"", method="HEAD")).status == 200
    ordinary = delivery({"event": 1})
    either = first_of(
        echo_json("challenge"),
        echo_query("validationToken"),
        echo_header("X-Hook-Secret", "secret"),
        answer_methods("HEAD"),
    )
    assert either(ordinary) is None
