"""Stripe: customers, products, invoices, payment links and refunds in the customer's own account."""

from integrations.framework import (
    Action,
    BearerToken,
    Connector,
    ConnectorError,
    CursorPages,
    Field,
    Idempotency,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    Request,
    Response,
    Subscription,
    TemporaryError,
    Test,
    TimestampedHmac,
    Trigger,
    Webhooks,
    dig,
)

API_VERSION = "2026-10-28.endive"


def refine(response: Response) -> ConnectorError | None:
    code = dig(response.json, "error.code") or ""
    message = dig(response.json, "error.message") or "no reason given"
    if response.headers.get("stripe-should-retry") == "false" and response.status in (409, 429):
        return PermanentError(
            f'Stripe did not accept the request: "{message}"', code=code, status=response.status
        )
    if response.status == 402:
        return PermanentError(f'The payment was declined: "{message}"', code=code, status=402)
    if response.status == 409 and code in ("", "lock_timeout", "idempotency_key_in_use"):
        # Another call with this key, or on this object, is still under way.
        return TemporaryError(
            "Stripe was still busy with the same object. We will try again.", status=409, code=code
        )
    return None


METADATA = Field(
    "metadata",
    label="Metadata",
    kind="key_value",
    example={"order": "1042"},
    advanced=True,
    help="Up to 50 pairs of text, shown in the Stripe dashboard.",
)
CUSTOMER = Field(
    "customer", label="Customer", required=True, example="cus_NffrFeUfNV2Hib", help="Begins with cus_."
)
INVOICE = Field(
    "invoice", label="Invoice", required=True, example="in_1MtHbELkdIwHu7ixl4OzzPMv", help="Begins with in_."
)
CURRENCY = Field(
    "currency",
    label="Currency",
    example="eur",
    pattern="^[a-z]{3}$",
    help="Three lower-case letters, such as eur.",
)

CREATE_CUSTOMER = Action(
    key="create_customer",
    label="Create a customer",
    description="Stripe allows several customers with one e-mail: search first when that matters.",
    fields=(
        Field("email", label="E-mail", kind="email", example="ada@example.com"),
        Field("name", label="Name", example="Ada Lovelace"),
        Field("phone", label="Phone", example="+441632960001"),
        Field("description", label="Note", example="Met at the fair"),
        Field(
            "address",
            label="Address",
            kind="object",
            advanced=True,
            fields=(
                Field("line1", label="Street"),
                Field("city", label="City"),
                Field("postal_code", label="Postcode"),
                Field("country", label="Country", help="Two letters, such as DE."),
            ),
            example={"line1": "Main Street 1", "city": "Berlin", "postal_code": "10115", "country": "DE"},
        ),
        METADATA,
    ),
    call="POST /v1/customers",
    returns={
        "id": "id",
        "email": "email",
        "name": "name",
        "created": Output("created", kind="integer"),
        "metadata": Output("metadata", kind="object"),
    },
    effect="key_safe",
)

UPDATE_CUSTOMER = Action(
    key="update_customer",
    label="Change a customer",
    fields=(
        CUSTOMER,
        Field("email", label="E-mail", kind="email", example="ada@example.com"),
        Field("name", label="Name", example="Ada King"),
        METADATA,
    ),
    call="POST /v1/customers/{customer}",
    returns={"id": "id", "email": "email", "name": "name"},
    effect="key_safe",
)

FIND_CUSTOMER = Action(
    key="find_customer",
    label="Find customers by e-mail",
    fields=(
        Field(
            "email",
            label="E-mail",
            kind="email",
            required=True,
            example="ada@example.com",
            help="Exactly as stored: capitals count.",
        ),
    ),
    request=lambda inputs: Request("GET", "/v1/customers", query={"email": inputs["email"], "limit": 100}),
    pagination=CursorPages(items="data", into="starting_after", last_item="id", more="has_more"),
    returns={"customers": Output("data", kind="list", of={"id": "id", "email": "email", "name": "name"})},
    effect="read",
)

CREATE_PAYMENT_LINK = Action(
    key="create_payment_link",
    label="Create a payment link",
    fields=(
        Field(
            "line_items",
            label="Items",
            kind="list",
            required=True,
            fields=(
                Field(
                    "price",
                    label="Price",
                    required=True,
                    options="list_prices",
                    example="price_1MoC3TLkdIwHu7ixcIbKelAC",
                ),
                Field("quantity", label="Quantity", kind="integer", required=True, minimum=1, example=1),
            ),
            example=[{"price": "price_1MoC3TLkdIwHu7ixcIbKelAC", "quantity": 1}],
        ),
        Field(
            "redirect_url",
            label="Page after payment",
            kind="url",
            example="https://example.com/thanks",
            place="none",
        ),
        METADATA,
    ),
    request=lambda inputs: Request(
        "POST",
        "/v1/payment_links",
        form={
            "line_items": inputs["line_items"],
            "metadata": inputs.get("metadata"),
            "after_completion": {"type": "redirect", "redirect": {"url": inputs["redirect_url"]}}
            if "redirect_url" in inputs
            else None,
        },
    ),
    returns={"id": "id", "url": "url", "active": Output("active", kind="boolean")},
    effect="key_safe",
)

CREATE_PRODUCT = Action(
    key="create_product",
    label="Create a product",
    fields=(
        Field("name", label="Name", required=True, example="Garden chair"),
        Field("description", label="Description", kind="long_text", example="Folds flat."),
        Field(
            "unit_amount",
            label="Price",
            kind="integer",
            send="default_price_data.unit_amount",
            example=4900,
            help="In the smallest unit: 4900 is 49.00.",
        ),
        Field(
            "currency",
            label="Currency",
            send="default_price_data.currency",
            example="eur",
            pattern="^[a-z]{3}$",
            help="Needed with a price.",
        ),
        Field(
            "interval",
            label="Charged every",
            kind="select",
            choices=("day", "week", "month", "year"),
            send="default_price_data.recurring.interval",
            example="month",
            help="Empty for a single payment.",
        ),
        METADATA,
    ),
    call="POST /v1/products",
    returns={"id": "id", "name": "name", "default_price": "default_price"},
    effect="key_safe",
)

ADD_INVOICE_ITEM = Action(
    key="add_invoice_item",
    label="Add an invoice item",
    description="Give an amount with its currency, or a price.",
    fields=(
        CUSTOMER,
        Field(
            "amount",
            label="Amount",
            kind="integer",
            example=1500,
            help="In the smallest unit: 1500 is 15.00.",
        ),
        CURRENCY,
        Field("price", label="Price", options="list_prices", send="pricing.price"),
        Field("quantity", label="Quantity", kind="integer", minimum=1),
        Field("description", label="Text on the invoice", example="Delivery"),
        Field(
            "invoice",
            label="Draft invoice",
            example="in_1MtHbELkdIwHu7ixl4OzzPMv",
            help="Empty for the customer's next invoice.",
        ),
    ),
    call="POST /v1/invoiceitems",
    returns={
        "id": "id",
        "amount": Output("amount", kind="integer"),
        "currency": "currency",
        "customer": "customer",
        "invoice": "invoice",
    },
    effect="key_safe",
)

CREATE_INVOICE = Action(
    key="create_invoice",
    label="Create a draft invoice",
    fields=(
        CUSTOMER,
        Field(
            "collection_method",
            label="How it is paid",
            kind="select",
            default="send_invoice",
            choices=(("send_invoice", "We send it"), ("charge_automatically", "Charge the stored card")),
            example="send_invoice",
        ),
        Field(
            "days_until_due",
            label="Days to pay",
            kind="integer",
            example=14,
            minimum=0,
            help="Needed when we send it.",
        ),
        Field("auto_advance", label="Let Stripe finalise it", kind="boolean", example=False, advanced=True),
        Field(
            "pending_invoice_items_behavior",
            label="Waiting items",
            kind="select",
            choices=(("include", "Put on this invoice"), ("exclude", "Leave out")),
            example="include",
        ),
        Field("description", label="Note on the invoice", example="Thank you"),
    ),
    call="POST /v1/invoices",
    returns={
        "id": "id",
        "status": "status",
        "total": Output("total", kind="integer"),
        "customer": "customer",
    },
    effect="key_safe",
)

FINALIZE_INVOICE = Action(
    key="finalize_invoice",
    label="Finalise an invoice",
    fields=(INVOICE, Field("auto_advance", label="Collect automatically", kind="boolean", example=False)),
    call="POST /v1/invoices/{invoice}/finalize",
    returns={
        "id": "id",
        "status": "status",
        "number": "number",
        "hosted_invoice_url": "hosted_invoice_url",
        "invoice_pdf": "invoice_pdf",
    },
    effect="key_safe",
)

SEND_INVOICE = Action(
    key="send_invoice",
    label="E-mail an invoice",
    fields=(INVOICE,),
    call="POST /v1/invoices/{invoice}/send",
    returns={"id": "id", "status": "status", "hosted_invoice_url": "hosted_invoice_url"},
    effect="key_safe",
)

REFUND = Action(
    key="refund_payment",
    label="Refund a payment",
    fields=(
        Field(
            "payment_intent",
            label="Payment",
            required=True,
            example="pi_1Gszwa2eZvKYlo2CE6IlJHPH",
            help="Begins with pi_.",
        ),
        Field(
            "amount",
            label="Amount",
            kind="integer",
            example=1000,
            minimum=1,
            help="In the smallest unit. Empty refunds everything.",
        ),
        Field(
            "reason",
            label="Reason",
            kind="select",
            example="requested_by_customer",
            choices=("duplicate", "fraudulent", "requested_by_customer"),
        ),
        METADATA,
    ),
    call="POST /v1/refunds",
    returns={
        "id": "id",
        "status": "status",
        "amount": Output("amount", kind="integer"),
        "payment_intent": "payment_intent",
    },
    effect="key_safe",
)

GET_PAYMENT = Action(
    key="get_payment",
    label="Get a payment",
    fields=(
        Field(
            "payment_intent",
            label="Payment",
            required=True,
            send="intent",
            example="pi_1Gszwa2eZvKYlo2CE6IlJHPH",
            help="Begins with pi_.",
        ),
    ),
    call="GET /v1/payment_intents/{intent}",
    returns={
        "id": "id",
        "status": "status",
        "amount": Output("amount", kind="integer"),
        "amount_received": Output("amount_received", kind="integer"),
        "currency": "currency",
        "customer": "customer",
        "latest_charge": "latest_charge",
        "metadata": Output("metadata", kind="object"),
    },
    effect="read",
)

CANCEL_SUBSCRIPTION = Action(
    key="cancel_subscription",
    label="Cancel a subscription now",
    fields=(
        Field(
            "subscription",
            label="Subscription",
            required=True,
            send="subscription_exposed_id",
            example="sub_1MowQVLkdIwHu7ixeRlqHVzs",
            help="Begins with sub_.",
        ),
        Field("invoice_now", label="Bill usage so far", kind="boolean", example=True),
        Field("prorate", label="Credit unused time", kind="boolean", example=True),
    ),
    call="DELETE /v1/subscriptions/{subscription_exposed_id}",
    returns={
        "id": "id",
        "status": "status",
        "canceled_at": Output("canceled_at", kind="integer"),
        "ended_at": Output("ended_at", kind="integer"),
    },
    effect="unsafe",  # keys count for POST only; a second cancel answers 404
)

LIST_PRICES = Action(
    key="list_prices",
    label="List prices",
    request=lambda inputs: Request("GET", "/v1/prices", query={"active": True, "limit": 100}),
    pagination=CursorPages(items="data", into="starting_after", last_item="id", more="has_more"),
    offers=Offers(items="prices", value="id", label="nickname"),
    returns={
        "prices": Output(
            "data",
            kind="list",
            of={
                "id": "id",
                "nickname": "nickname",
                "product": "product",
                "currency": "currency",
                "unit_amount": Output("unit_amount", kind="integer"),
            },
        )
    },
    effect="read",
)


def event(type_: str, **member) -> dict:
    """Return a sample delivery in the shape of a Stripe event."""
    return {
        "id": "evt_1NG8Du2eZvKYlo2CUI79vXWy",
        "object": "event",
        "api_version": API_VERSION,
        "created": 1686089970,
        "type": type_,
        "livemode": False,
        "data": {"object": member},
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
    }


PAYMENT = {
    "id": "id",
    "amount_received": Output("amount_received", kind="integer"),
    "currency": "currency",
    "customer": "customer",
    "metadata": Output("metadata", kind="object"),
}

TRIGGERS = (
    Trigger(
        key="payment_succeeded",
        label="A payment succeeds",
        event="payment_intent.succeeded",
        root="data.object",
        returns=PAYMENT,
        sample=event(
            "payment_intent.succeeded",
            id="pi_1Gszwa2eZvKYlo2CE6IlJHPH",
            object="payment_intent",
            amount_received=4900,
            currency="eur",
            customer="cus_NffrFeUfNV2Hib",
            metadata={"order": "1042"},
        ),
    ),
    Trigger(
        key="checkout_completed",
        label="A checkout is completed",
        event="checkout.session.completed",
        root="data.object",
        returns={
            "id": "id",
            "customer": "customer",
            "email": "customer_details.email",
            "amount_total": Output("amount_total", kind="integer"),
            "payment_status": "payment_status",
        },
        sample=event(
            "checkout.session.completed",
            id="cs_test_a11YYufWQzNY63zpQ6QSNRQhkUpVph4",
            object="checkout.session",
            customer=None,
            customer_details={"email": "ada@example.com"},
            amount_total=4900,
            payment_status="paid",
        ),
    ),
    Trigger(
        key="invoice_paid",
        label="An invoice is paid",
        event="invoice.paid",
        root="data.object",
        returns={"id": "id", "customer": "customer", "amount_paid": Output("amount_paid", kind="integer")},
        sample=event(
            "invoice.paid",
            id="in_1MtHbELkdIwHu7ixl4OzzPMv",
            object="invoice",
            customer="cus_NffrFeUfNV2Hib",
            amount_paid=4900,
        ),
    ),
    Trigger(
        key="invoice_failed",
        label="An invoice payment fails",
        event="invoice.payment_failed",
        root="data.object",
        returns={
            "id": "id",
            "customer": "customer",
            "attempt_count": Output("attempt_count", kind="integer"),
        },
        sample=event(
            "invoice.payment_failed",
            id="in_1MtHbELkdIwHu7ixl4OzzPMv",
            object="invoice",
            customer="cus_NffrFeUfNV2Hib",
            attempt_count=1,
        ),
    ),
    Trigger(
        key="subscription_cancelled",
        label="A subscription ends",
        event="customer.subscription.deleted",
        root="data.object",
        returns={"id": "id", "customer": "customer", "status": "status"},
        sample=event(
            "customer.subscription.deleted",
            id="sub_1MowQVLkdIwHu7ixeRlqHVzs",
            object="subscription",
            customer="cus_NffrFeUfNV2Hib",
            status="canceled",
        ),
    ),
    Trigger(
        key="events_poll",
        label="Any event (checked every few minutes)",
        kind="polling",
        fields=(
            Field(
                "types",
                label="Only these events",
                kind="multi_select",
                example=["invoice.paid"],
                help="Stripe's names, such as invoice.paid. Empty for all.",
            ),
        ),
        poll=Poll(
            request=lambda config, since: Request(
                "GET",
                "/v1/events",
                query={
                    "types[]": config.get("types") or None,
                    "limit": 100,
                    "created": {"gte": since} if since is not None else None,
                },
            ),
            items="data",
            id="id",
            stamp="created",
            pagination=CursorPages(items="data", into="starting_after", last_item="id", more="has_more"),
        ),
        returns={
            "id": "id",
            "type": "type",
            "created": Output("created", kind="integer"),
            "object": Output("data.object", kind="object"),
        },
        sample=event("invoice.paid", id="in_1MtHbELkdIwHu7ixl4OzzPMv", object="invoice"),
    ),
)


def subscribe(subscription: Subscription) -> Request:
    return Request(
        "POST",
        "/v1/webhook_endpoints",
        form={
            "url": subscription.address,
            "enabled_events": list(subscription.events),
            "api_version": API_VERSION,
        },
    )


connector = Connector(
    slug="stripe",
    name="Stripe",
    category="Payments",
    summary="Invoices, payment links, refunds and customers in your own Stripe account.",
    docs_url="https://docs.stripe.com/api",
    base_url="https://api.stripe.com",
    auth=BearerToken(
        secret_label="Restricted key",
        help="In Stripe: Developers, API keys, Create restricted key. It begins with rk_live_ or rk_test_.",
    ),
    headers={"Stripe-Version": API_VERSION},
    body="form",
    idempotency=Idempotency("Idempotency-Key"),
    test=Test(Request("GET", "/v1/account"), account={"account_id": "id"}, label="business_profile.name"),
    on_error=refine,
    rate_limit=RateLimit(calls=25),  # the sandbox's pace and that of most single endpoints
    webhooks=Webhooks(
        address="trigger",
        signature=TimestampedHmac("Stripe-Signature"),
        secret="subscription",
        event="type",
        delivery_id="id",
        subscribe=subscribe,
        read=lambda response, subscription: {"id": response.json["id"], "secret": response.json["secret"]},
        unsubscribe=lambda subscription: Request(
            "DELETE", "/v1/webhook_endpoints/{id}", at={"id": subscription.state["id"]}
        ),
    ),
    actions=(
        CREATE_CUSTOMER,
        UPDATE_CUSTOMER,
        FIND_CUSTOMER,
        CREATE_PAYMENT_LINK,
        CREATE_PRODUCT,
        ADD_INVOICE_ITEM,
        CREATE_INVOICE,
        FINALIZE_INVOICE,
        SEND_INVOICE,
        REFUND,
        GET_PAYMENT,
        CANCEL_SUBSCRIPTION,
        LIST_PRICES,
    ),
    triggers=TRIGGERS,
)
