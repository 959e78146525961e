"""PayPal: exact requests, keys, failures, pages, and deliveries signed with a certificate PayPal publishes."""

import base64
import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from integrations import certificates
from integrations.connectors.paypal import RETRY_SECONDS, connector
from integrations.framework import (
    PermanentError,
    ReconnectError,
    Refused,
    Response,
    Subscription,
    TemporaryError,
    Verified,
)
from tests.integrations.checks import (
    KEY,
    NOW,
    answer,
    answer_in_turn,
    assert_well_described,
    delivery,
    empty_optionals,
    run_at,
    sent,
)

API = "https://api-m.paypal.com"
AUTHORIZED = {"Authorization": "Bearer access-token-for-tests"}
KEYED = {**AUTHORIZED, "Prefer": "return=representation", "PayPal-Request-Id": KEY}
EUROS = {"currency_code": "EUR", "value": "49.00"}
CERTIFICATE_URL = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "path", "headers", "body"),
    [
        (
            "create_order",
            {"amount": "49.00", "currency": "EUR", "custom_id": "1042", "return_url": "https://a.example/ok"},
            "/v2/checkout/orders",
            KEYED,
            {
                "intent": "CAPTURE",
                "purchase_units": [{"amount": EUROS, "custom_id": "1042"}],
                "payment_source": {
                    "paypal": {"experience_context": {"return_url": "https://a.example/ok"}},
                },
            },
        ),
        ("capture_order", {"id": "5O1"}, "/v2/checkout/orders/5O1/capture", KEYED, {}),
        (
            "refund_capture",
            {"capture_id": "2GG", "amount": "49.00", "currency": "EUR", "note_to_payer": "Back"},
            "/v2/payments/captures/2GG/refund",
            KEYED,
            {"amount": EUROS, "note_to_payer": "Back"},
        ),
        (
            "create_invoice",
            {
                "currency": "EUR",
                "email": "ada@example.com",
                "first_name": "Ada",
                "items": [{"name": "Chair", "quantity": 2, "amount": "49.00"}],
                "invoice_number": "R-1",
            },
            "/v2/invoicing/invoices",
            {**AUTHORIZED, "Prefer": "return=representation"},
            {
                "detail": {"currency_code": "EUR", "invoice_number": "R-1"},
                "primary_recipients": [
                    {"billing_info": {"email_address": "ada@example.com", "name": {"given_name": "Ada"}}}
                ],
                "items": [{"name": "Chair", "quantity": "2", "unit_amount": EUROS}],
            },
        ),
        (
            "send_invoice",
            {"invoice_id": "INV2-1", "send_to_invoicer": "yes"},
            "/v2/invoicing/invoices/INV2-1/send",
            AUTHORIZED,
            {"send_to_invoicer": True},
        ),
        (
            "create_payout",
            {"items": [{"receiver": "ada@example.com", "amount": "49.00", "currency": "EUR"}]},
            "/v1/payments/payouts",
            AUTHORIZED,
            {
                "sender_batch_header": {"sender_batch_id": KEY},
                "items": [
                    {
                        "recipient_type": "EMAIL",
                        "receiver": "ada@example.com",
                        "amount": {"value": "49.00", "currency": "EUR"},
                    }
                ],
            },
        ),
        (
            "cancel_subscription",
            {"id": "I-1", "reason": "Moved"},
            "/v1/billing/subscriptions/I-1/cancel",
            AUTHORIZED,
            {"reason": "Moved"},
        ),
    ],
)
def test_each_operation_sends_exactly_this(key, inputs, path, headers, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["json_body"]) == ("POST", API + path, body)
    assert call["headers"] == headers


@pytest.mark.parametrize(
    ("key", "inputs", "path", "query"),
    [
        ("get_order", {"id": "5O1"}, "/v2/checkout/orders/5O1", []),
        ("get_capture", {"capture_id": "2GG"}, "/v2/payments/captures/2GG", []),
        ("get_invoice", {"invoice_id": "INV2-1"}, "/v2/invoicing/invoices/INV2-1", []),
        ("get_subscription", {"id": "I-1"}, "/v1/billing/subscriptions/I-1", []),
        (
            "list_plans",
            {},
            "/v1/billing/plans",
            [("page_size", "20"), ("page", "1"), ("total_required", "true")],
        ),
    ],
)
def test_each_reading_operation_asks_exactly_this(key, inputs, path, query):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["query"]) == ("GET", API + path, query)
    assert call["headers"] == AUTHORIZED


def test_the_sandbox_is_another_host():
    call = sent(connector, "get_order", {"id": "5O1"}, account={"host": "api-m.sandbox.paypal.com"})
    assert call["url"] == "https://api-m.sandbox.paypal.com/v2/checkout/orders/5O1"


def test_empty_optional_values_are_not_sent():
    assert sent(connector, "refund_capture", empty_optionals(connector, "refund_capture"))["json_body"] == {}
    invoice = sent(connector, "create_invoice", empty_optionals(connector, "create_invoice"))["json_body"]
    assert invoice == {"detail": {"currency_code": "EUR"}}
    order = sent(connector, "create_order", empty_optionals(connector, "create_order"))["json_body"]
    assert order == {"intent": "CAPTURE", "purchase_units": [{"amount": EUROS}]}


@pytest.mark.parametrize(
    ("key", "inputs"),
    [
        ("refund_capture", {"capture_id": "2GG", "amount": "1.00"}),
        ("create_invoice", {"currency": "EUR", "first_name": "Ada"}),
    ],
)
def test_what_paypal_would_refuse_is_said_before(key, inputs):
    with pytest.raises(PermanentError):
        sent(connector, key, inputs)


@pytest.mark.parametrize(
    ("status", "body", "error", "says"),
    [
        (429, {"name": "RATE_LIMIT_REACHED"}, TemporaryError, "slow down"),
        (503, {"name": "SERVICE_UNAVAILABLE"}, TemporaryError, "try again"),
        (422, {"details": [{"issue": "PREVIOUS_REQUEST_IN_PROGRESS"}]}, TemporaryError, "busy"),
        (422, {"details": [{"issue": "ORDER_NOT_APPROVED"}]}, PermanentError, "not approved"),
        (400, {"name": "WEBHOOK_NUMBER_LIMIT_EXCEEDED"}, PermanentError, "ten webhook addresses"),
        (
            400,
            {"message": "x", "details": [{"description": "Bad currency."}]},
            PermanentError,
            "Bad currency",
        ),
        (403, {"name": "NOT_AUTHORIZED"}, PermanentError, "Switch the feature on"),
        (401, {"error": "invalid_token"}, ReconnectError, "Reconnect"),
    ],
)
def test_failures_say_whether_a_retry_can_help(status, body, error, says):
    with pytest.raises(error, match=says):
        connector.outcome("capture_order", answer(status, body))


@pytest.mark.parametrize("relation", ["approve", "payer-action"])
def test_a_new_order_tells_where_the_buyer_approves(relation):
    links = [{"rel": "self", "href": "https://a.example/1"}, {"rel": relation, "href": "https://a.example/2"}]
    output = connector.outcome("create_order", answer(201, {"id": "5O1", "links": links}))
    assert (output["id"], output["approval_url"]) == ("5O1", "https://a.example/2")


def test_a_cancelled_subscription_is_recognised_after_a_doubtful_call():
    assert connector.outcome("cancel_subscription", Response(204)) == {"cancelled": True}
    look_up = connector.action("cancel_subscription").look_up
    assert look_up.request({"id": "I-1"}).at == {"id": "I-1"}
    assert look_up.found(answer(200, {"status": "CANCELLED"}), {}) == {"cancelled": True}
    assert look_up.found(answer(200, {"status": "ACTIVE"}), {}) is None


def test_plans_are_read_over_three_pages(httpserver):
    pages = [{"plans": [{"id": f"P-{number}"}], "total_pages": 3} for number in (1, 2, 3)]
    arrived = answer_in_turn(httpserver, pages)
    plans = run_at(httpserver, connector, "list_plans", {}).output["plans"]
    assert [plan["id"] for plan in plans] == ["P-1", "P-2", "P-3"]
    assert [request.args["page"] for request in arrived] == ["1", "2", "3"]


def test_transactions_are_asked_for_with_room_for_late_ones():
    poll = connector.trigger("transactions_poll").poll
    query = poll.request({}, None).query
    ends = datetime.fromisoformat(query["end_date"])
    assert ends - datetime.fromisoformat(query["start_date"]) == timedelta(days=3)
    assert poll.stamp == ""


def test_only_the_wanted_plan_starts_a_workflow():
    trigger = connector.trigger("subscription_cancelled")
    name = "BILLING.SUBSCRIPTION.CANCELLED"
    assert trigger.wants(name, trigger.sample, {"plan_id": "P-5ML4271244454362W"})
    assert trigger.wants(name, trigger.sample, {})
    assert not trigger.wants(name, trigger.sample, {"plan_id": "P-2"})


def test_a_subscription_is_made_and_its_id_is_what_deliveries_are_checked_with():
    webhooks = connector.webhooks
    made = webhooks.subscribe(Subscription("https://steward.example/hooks/abc", ("INVOICING.INVOICE.PAID",)))
    assert (made.path, made.json) == (
        "/v1/notifications/webhooks",
        {
            "url": "https://steward.example/hooks/abc",
            "event_types": [{"name": "INVOICING.INVOICE.PAID"}],
        },
    )
    state = webhooks.read(answer(201, {"id": "0EH40505U7160970P"}), Subscription(""))
    assert state == {"id": "0EH40505U7160970P", "secret": "0EH40505U7160970P"}
    removed = webhooks.unsubscribe(Subscription("", state=state))
    assert (removed.method, removed.at) == ("DELETE", {"id": "0EH40505U7160970P"})


@pytest.fixture(scope="module")
def signer():
    """A key of PayPal's and its certificate as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = datetime.fromtimestamp(NOW, UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "messageverificationcerts.paypal.com")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(serialization.Encoding.PEM).decode()


def signed(signer, *, at=NOW, url=CERTIFICATE_URL):
    """Return a genuine delivery of the sample event to the webhook WH-1."""
    body = json.dumps(connector.trigger("payment_captured").sample).encode()
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = f"transmission-1|{moment}|WH-1|{zlib.crc32(body)}"
    signature = signer[0].sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    headers = {
        "PAYPAL-TRANSMISSION-ID": "transmission-1",
        "PAYPAL-TRANSMISSION-TIME": moment,
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        "PAYPAL-CERT-URL": url,
        "PAYPAL-TRANSMISSION-SIG": base64.b64encode(signature).decode(),
    }
    return delivery(body, headers)


def verify(inbound, certificate, webhook="WH-1"):
    scheme = connector.webhooks.signature
    return scheme.verify(inbound, key=certificates.key_for(scheme, webhook, certificate), now=NOW)


def test_a_signed_delivery_is_accepted_and_a_changed_one_is_not(signer):
    inbound = signed(signer)
    assert verify(inbound, signer[1]) == Verified()
    assert isinstance(verify(replace(inbound, body=inbound.body + b" "), signer[1]), Refused)
    assert isinstance(verify(inbound, signer[1], webhook="WH-2"), Refused)
    assert isinstance(verify(inbound, signer[1], webhook=""), Refused)
    assert isinstance(verify(inbound, ""), Refused)


def test_a_delivery_is_refused_once_paypal_would_no_longer_repeat_it(signer):
    assert verify(signed(signer, at=NOW - RETRY_SECONDS), signer[1]) == Verified()
    assert isinstance(verify(signed(signer, at=NOW - RETRY_SECONDS - 301), signer[1]), Refused)


def test_a_replay_has_the_same_id(signer):
    inbound = signed(signer)
    (event,) = connector.webhooks.split(inbound)
    assert connector.webhooks.event_id(inbound, event) == "WH-58D329510W468432D-8HN650336L201105X"
    assert connector.webhooks.event_name(inbound, event) == "PAYMENT.CAPTURE.COMPLETED"


@pytest.fixture
def fetched(signer, monkeypatch, settings):
    """The certificates asked for, answered from memory; kept in memory too."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    asked = []

    class Door:
        async def send(self, method, url, **options):
            asked.append((method, url))
            return Response(200, content=signer[1].encode()) if "CERT-360" in url else Response(404)

    def call(make):
        import asyncio

        return asyncio.run(make(Door()))

    monkeypatch.setattr(certificates, "call", call)
    certificates.cache.clear()
    return asked


def test_a_certificate_is_fetched_once_and_only_from_paypal(signer, fetched):
    inbound = signed(signer)
    assert certificates.named_by(inbound) == certificates.named_by(inbound) == signer[1]
    assert fetched == [("GET", CERTIFICATE_URL)]
    for elsewhere in (
        "https://evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/other",
    ):
        assert certificates.named_by(signed(signer, url=elsewhere)) == ""
    assert certificates.named_by(delivery({})) == ""
    assert len(fetched) == 1


def test_a_certificate_that_is_not_there_is_not_asked_for_with_every_delivery(signer, fetched):
    inbound = signed(signer, url=CERTIFICATE_URL.replace("CERT-360", "CERT-404"))
    assert certificates.named_by(inbound) == certificates.named_by(inbound) == ""
    assert len(fetched) == 1


def test_other_schemes_keep_their_key():
    from integrations.framework import Hmac

    assert certificates.key_for(Hmac("X-Signature"), "secret", "pem") == "secret"
