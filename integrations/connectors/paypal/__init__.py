"""PayPal: orders, payments, refunds, invoices, payouts and subscriptions of a person's own PayPal app."""

from integrations.connectors.paypal.failures import failure
from integrations.connectors.paypal.invoices import CREATE_INVOICE, GET_INVOICE, SEND_INVOICE
from integrations.connectors.paypal.orders import (
    CAPTURE_ORDER,
    CREATE_ORDER,
    GET_CAPTURE,
    GET_ORDER,
    REFUND_CAPTURE,
)
from integrations.connectors.paypal.subscriptions import (
    CANCEL_SUBSCRIPTION,
    CREATE_PAYOUT,
    GET_SUBSCRIPTION,
    LIST_PLANS,
)
from integrations.connectors.paypal.triggers import TRIGGERS
from integrations.framework import (
    CertificateSignature,
    Connector,
    Field,
    OAuth2,
    Request,
    Response,
    Subscription,
    Test,
    Webhooks,
)

RETRY_SECONDS = (
    3 * 86_400
)  # PayPal sends a delivery again for three days, with the time and signature of the first


def subscribe(subscription: Subscription) -> Request:
    return Request(
        "POST",
        "/v1/notifications/webhooks",
        json={
            "url": subscription.address,
            "event_types": [{"name": name} for name in subscription.events],
        },
    )


def subscribed(response: Response, subscription: Subscription) -> dict[str, str]:
    # What PayPal signs holds the webhook's id: it stands where other services have a secret.
    return {"id": response.json["id"], "secret": response.json["id"]}


connector = Connector(
    slug="paypal",
    name="PayPal",
    category="Payments",
    summary="Orders, refunds, invoices, payouts and subscriptions; start when somebody pays or cancels.",
    docs_url="https://developer.paypal.com/api/rest/",
    base_url="https://{host}",
    auth=OAuth2(
        key="client_credentials",
        label="Your own PayPal app",
        grant="client_credentials",
        token_url="https://{host}/v1/oauth2/token",
        token_auth="basic",
    ),
    account=(
        Field(
            "host",
            label="Account",
            kind="select",
            required=True,
            default="api-m.paypal.com",
            example="api-m.paypal.com",
            choices=(("api-m.paypal.com", "Real money"), ("api-m.sandbox.paypal.com", "Sandbox, for trying")),
            help="In the PayPal developer dashboard, Apps & Credentials: the switch at the top chooses which one "
            "the client ID and secret are of.",
        ),
    ),
    test=Test(Request("GET", "/v1/notifications/webhooks")),
    on_error=failure,
    error_paths=("details.0.description",),
    webhooks=Webhooks(
        address="trigger",
        signature=CertificateSignature(tolerance_seconds=RETRY_SECONDS + 300),
        event="event_type",
        delivery_id="id",
        subscribe=subscribe,
        read=subscribed,
        unsubscribe=lambda subscription: Request(
            "DELETE", "/v1/notifications/webhooks/{id}", at={"id": subscription.state["id"]}
        ),
    ),
    actions=(
        CREATE_ORDER,
        GET_ORDER,
        CAPTURE_ORDER,
        GET_CAPTURE,
        REFUND_CAPTURE,
        CREATE_INVOICE,
        SEND_INVOICE,
        GET_INVOICE,
        CREATE_PAYOUT,
        GET_SUBSCRIPTION,
        CANCEL_SUBSCRIPTION,
        LIST_PLANS,
    ),
    triggers=TRIGGERS,
)
