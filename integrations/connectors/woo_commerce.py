"""WooCommerce: orders, customers, products and coupons of a person's own store."""

from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.framework import (
    Action,
    Basic,
    Connector,
    Field,
    Hmac,
    Inbound,
    NumberedPages,
    Offers,
    Output,
    Poll,
    Reply,
    Request,
    Response,
    Subscription,
    Test,
    Trigger,
    Webhooks,
)

STATUSES = ("pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed")
ORDER_ID = Field("id", label="Order", kind="integer", required=True, example=727)
PAGES = NumberedPages(items="", size=100, total_pages_header="x-wp-totalpages")
EMAIL = Field("email", label="E-mail", kind="email", required=True, example="ada@example.com")
ORDER = {
    "id": Output("id", kind="integer"),
    "number": "number",
    "status": "status",
    "total": "total",
    "currency": "currency",
    "email": "billing.email",
    "first_name": "billing.first_name",
    "items": Output("line_items", kind="json"),
    "modified": "date_modified_gmt",
}
CUSTOMER = {
    "id": Output("id", kind="integer"),
    "email": "email",
    "first_name": "first_name",
    "last_name": "last_name",
}
PRODUCT = {
    "id": Output("id", kind="integer"),
    "name": "name",
    "stock_quantity": Output("stock_quantity", kind="integer"),
    "stock_status": "stock_status",
}

ACTIONS = (
    Action(
        key="get_order",
        label="Get an order",
        fields=(ORDER_ID,),
        call="GET /orders/{id}",
        returns=ORDER,
        effect="read",
    ),
    Action(
        key="list_orders",
        label="Find orders",
        fields=(
            Field("search", label="Search for", example="Ada"),
            Field("status", label="Status", kind="select", choices=STATUSES, example="processing"),
            Field("customer", label="Customer number", kind="integer", example=26),
            Field(
                "after",
                label="Ordered after",
                kind="datetime",
                example="2026-11-01T00:00:00",
                help="The store's own time.",
            ),
        ),
        request=lambda inputs: Request(
            "GET",
            "/orders",
            query={
                "search": inputs.get("search"),
                "status": inputs.get("status"),
                "customer": inputs.get("customer"),
                "after": inputs.get("after"),
                "per_page": 100,
            },
        ),
        pagination=PAGES,
        returns={"orders": Output("", kind="list", of=ORDER)},
        effect="read",
    ),
    Action(
        key="update_order",
        label="Change an order's status",
        fields=(
            ORDER_ID,
            Field(
                "status", label="Status", kind="select", required=True, choices=STATUSES, example="completed"
            ),
            Field("customer_note", label="Customer's note", example="Ring twice"),
        ),
        call="PUT /orders/{id}",
        returns=ORDER,
        effect="key_safe",  # writes whole values: a repeat leaves the same order
    ),
    Action(
        key="create_order",
        label="Create an order",
        fields=(
            Field(
                "line_items",
                label="Items",
                kind="list",
                required=True,
                fields=(
                    Field("product_id", label="Product", kind="integer", required=True, example=93),
                    Field("quantity", label="Quantity", kind="integer", required=True, example=1),
                ),
                example=[{"product_id": 93, "quantity": 1}],
            ),
            Field("customer_id", label="Customer number", kind="integer", example=26),
            Field("set_paid", label="Already paid", kind="boolean", example=False),
        ),
        call="POST /orders",
        returns=ORDER,
        effect="unsafe",
    ),
    Action(
        key="add_order_note",
        label="Add a note to an order",
        fields=(
            ORDER_ID,
            Field("note", label="Note", kind="long_text", required=True, example="Packed"),
            Field("customer_note", label="E-mail it to the customer", kind="boolean", example=False),
        ),
        call="POST /orders/{id}/notes",
        returns={"id": Output("id", kind="integer"), "note": "note"},
        effect="unsafe",
    ),
    Action(
        key="refund_order",
        label="Refund an order",
        fields=(
            ORDER_ID,
            Field("amount", label="Amount", required=True, example="10.00"),
            Field("reason", label="Reason", example="Damaged"),
            Field("api_refund", label="Pay it back through the gateway", kind="boolean", example=True),
        ),
        call="POST /orders/{id}/refunds",
        returns={"id": Output("id", kind="integer"), "amount": "amount"},
        effect="unsafe",
    ),
    Action(
        key="find_customer",
        label="Find customers by e-mail",
        fields=(EMAIL,),
        request=lambda inputs: Request(
            "GET", "/customers", query={"email": inputs["email"], "role": "all", "per_page": 100}
        ),
        pagination=PAGES,
        returns={"customers": Output("", kind="list", of=CUSTOMER)},
        effect="read",
    ),
    Action(
        key="create_customer",
        label="Create a customer",
        fields=(
            EMAIL,
            Field("first_name", label="First name", example="Ada"),
            Field("last_name", label="Last name", example="King"),
        ),
        call="POST /customers",
        returns=CUSTOMER,
        effect="unsafe",
    ),
    Action(
        key="update_product",
        label="Change a product or its stock",
        fields=(
            Field("id", label="Product", kind="integer", required=True, options="list_products", example=794),
            Field("stock_quantity", label="In stock", kind="integer", example=5),
            Field("regular_price", label="Price", example="49.00"),
            Field("sale_price", label="Sale price", example="39.00"),
            Field(
                "status",
                label="Status",
                kind="select",
                choices=("draft", "pending", "private", "publish"),
                example="publish",
            ),
        ),
        call="PUT /products/{id}",
        returns=PRODUCT,
        effect="key_safe",  # writes whole values
    ),
    Action(
        key="create_coupon",
        label="Create a coupon",
        fields=(
            Field("code", label="Code", required=True, example="spring10"),
            Field(
                "discount_type",
                label="Kind",
                kind="select",
                choices=("percent", "fixed_cart", "fixed_product"),
                example="percent",
            ),
            Field("amount", label="Amount", example="10.00"),
            Field("usage_limit", label="How often it can be used", kind="integer", example=100),
            Field("individual_use", label="Not with other coupons", kind="boolean", example=True),
            Field(
                "date_expires",
                label="Ends at",
                kind="datetime",
                example="2026-12-31T23:59:59",
                help="The store's own time.",
            ),
        ),
        call="POST /coupons",
        returns={"id": Output("id", kind="integer"), "code": "code", "amount": "amount"},
        effect="unsafe",
    ),
    Action(
        key="list_products",
        label="List products",
        request=lambda inputs: Request("GET", "/products", query={"per_page": 100}),
        pagination=PAGES,
        offers=Offers(items="products"),
        returns={"products": Output("", kind="list", of=PRODUCT)},
        effect="read",
    ),
)

SAMPLE = {
    "id": 727,
    "number": "727",
    "status": "processing",
    "total": "49.00",
    "currency": "EUR",
    "billing": {"email": "ada@example.com", "first_name": "Ada"},
    "line_items": [{"name": "Garden chair", "quantity": 1}],
    "date_modified_gmt": "2026-11-20T09:30:00",
}
PERSON = {"id": 26, "email": "ada@example.com", "first_name": "Ada", "last_name": "King"}
CHAIR = {"id": 794, "name": "Garden chair", "stock_quantity": 5, "stock_status": "instock"}

TRIGGERS = (
    Trigger("order_created", "A new order arrives", event="order.created", returns=ORDER, sample=SAMPLE),
    Trigger("order_updated", "An order changes", event="order.updated", returns=ORDER, sample=SAMPLE),
    Trigger(
        "customer_created", "A customer is new", event="customer.created", returns=CUSTOMER, sample=PERSON
    ),
    Trigger("product_updated", "A product changes", event="product.updated", returns=PRODUCT, sample=CHAIR),
    Trigger(
        "orders_poll",
        "An order is new or changes (checked every few minutes)",
        kind="polling",
        poll=Poll(
            request=lambda config, since: Request(
                "GET",
                "/orders",
                query={
                    "modified_after": since,
                    "dates_are_gmt": True,
                    "orderby": "modified",
                    "order": "asc",
                    "per_page": 100,
                },
            ),
            id=("id", "date_modified_gmt"),
            stamp="date_modified_gmt",
            order="oldest_first",
            pagination=PAGES,
        ),
        returns=ORDER,
        sample=SAMPLE,
    ),
)


def greeting(inbound: Inbound) -> Reply | None:
    """Answer the unsigned form a store sends once when the webhook is made."""
    return Reply() if set(inbound.form) == {"webhook_id"} else None


def subscribe(subscription: Subscription) -> Request:
    return Request(
        "POST",
        "/webhooks",
        json={
            "name": "Steward",
            "topic": subscription.events[0],
            "delivery_url": subscription.address,
            "secret": subscription.secret,
            "status": "active",
        },
    )


def subscribed(response: Response, subscription: Subscription) -> dict[str, Any]:
    """Read a new webhook, or one that was switched on again.

    A store switches a webhook off after five failures in a row and tells nobody: so it is switched on every day.
    """
    tomorrow = datetime.fromtimestamp(subscription.now, UTC) + timedelta(days=1)
    return {"id": response.json["id"], "secret": subscription.secret, "expires_at": tomorrow.isoformat()}


connector = Connector(
    slug="woo_commerce",
    name="WooCommerce",
    category="Commerce",
    summary="Work with orders, customers, products and coupons of a store.",
    docs_url="https://woocommerce.github.io/woocommerce-rest-api-docs/",
    base_url="https://{store}/wp-json/wc/v3",
    auth=Basic(
        username="consumer_key",
        password="consumer_secret",
        username_label="Consumer key",
        password_label="Consumer secret",
        help="In WooCommerce: Settings, Advanced, REST API.",
    ),
    account=(Field("store", label="Store address", required=True, example="shop.example.com"),),
    test=Test(Request("GET", "/orders", query={"per_page": 1})),
    webhooks=Webhooks(
        signature=Hmac(header="X-WC-Webhook-Signature", encoding="base64"),
        event="header:x-wc-webhook-topic",
        delivery_id="header:x-wc-webhook-delivery-id",
        handshake=greeting,
        subscribe=subscribe,
        read=subscribed,
        renew=lambda subscription: Request(
            "PUT", "/webhooks/{id}", at={"id": subscription.state["id"]}, json={"status": "active"}
        ),
        renew_before_seconds=3_600,
        unsubscribe=lambda subscription: Request(
            "DELETE", "/webhooks/{id}", at={"id": subscription.state["id"]}, query={"force": True}
        ),
    ),
    actions=ACTIONS,
    triggers=TRIGGERS,
)
