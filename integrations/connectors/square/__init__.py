"""Square: customers, orders, payments, refunds, invoices and payment links of a seller."""

from integrations.connectors.square.customers import (
    CREATE_CUSTOMER,
    LIST_LOCATIONS,
    SEARCH_CUSTOMERS,
    UPDATE_CUSTOMER,
)
from integrations.connectors.square.failures import check_partial, failure
from integrations.connectors.square.invoices import CREATE_INVOICE, PUBLISH_INVOICE
from integrations.connectors.square.orders import CREATE_ORDER, GET_ORDER, SEARCH_ORDERS
from integrations.connectors.square.payments import CREATE_PAYMENT_LINK, LIST_PAYMENTS, REFUND_PAYMENT
from integrations.connectors.square.triggers import TRIGGERS
from integrations.framework import BearerToken, Connector, Hmac, OAuth2, Request, Test, Webhooks
from integrations.framework.signatures import address_then_body

API_VERSION = "2026-09-16"
REFRESH_SECONDS = 7 * 86_400  # tokens last 30 days; Square asks apps to renew them every 7

connector = Connector(
    slug="square",
    name="Square",
    category="Payments",
    summary="Customers, orders, invoices, payment links and refunds; start when somebody pays or orders.",
    docs_url="https://developer.squareup.com/reference/square",
    base_url="https://connect.squareup.com",
    auth=(
        OAuth2(
            authorize_url="https://connect.squareup.com/oauth2/authorize",
            token_url="https://connect.squareup.com/oauth2/token",
            scopes=(
                "MERCHANT_PROFILE_READ",
                "CUSTOMERS_READ",
                "CUSTOMERS_WRITE",
                "ORDERS_READ",
                "ORDERS_WRITE",
                "PAYMENTS_READ",
                "PAYMENTS_WRITE",
                "INVOICES_READ",
                "INVOICES_WRITE",
            ),
            token_body="json",
            pkce=False,  # with it refresh tokens would end after 90 days
            authorize_params={"session": "false"},  # the seller always signs in
            expires_in=REFRESH_SECONDS,
            account_from_token={"merchant_id": "merchant_id"},
        ),
        BearerToken(
            secret_label="Access token",
            label="Access token of your own app",
            help="In the Square Developer Console: your application, Production, Access token. Payments and orders "
            "are then looked for every few minutes; they do not arrive by themselves.",
        ),
    ),
    headers={"Square-Version": API_VERSION},
    test=Test(
        Request("GET", "/v2/merchants/me"),
        account={"merchant_id": "merchant.id"},
        label="merchant.business_name",
    ),
    check=check_partial,
    on_error=failure,
    error_paths=("errors.0.detail",),
    webhooks=Webhooks(
        address="app",
        signature=Hmac(
            header="x-square-hmacsha256-signature", encoding="base64", signed=address_then_body
        ),  # no age in it: a repeated delivery is told by its event_id
        secret="app",
        event="type",
        delivery_id="event_id",
        account="merchant_id",
        account_key="merchant_id",
        setup="Events arrive by themselves once the seller is connected by signing in.",
    ),
    actions=(
        CREATE_CUSTOMER,
        UPDATE_CUSTOMER,
        SEARCH_CUSTOMERS,
        GET_ORDER,
        SEARCH_ORDERS,
        CREATE_ORDER,
        LIST_PAYMENTS,
        REFUND_PAYMENT,
        CREATE_INVOICE,
        PUBLISH_INVOICE,
        CREATE_PAYMENT_LINK,
        LIST_LOCATIONS,
    ),
    triggers=TRIGGERS,
)
