"""Events of a shop that start a workflow, and how a shop is asked to send them."""

from integrations.connectors.shopify.calls import query
from integrations.connectors.shopify.shapes import SUMMARY
from integrations.framework import CursorPages, Output, Poll, Request, Subscription, Trigger

ORDER_SAMPLE = {
    "id": 450789469,
    "admin_graphql_api_id": "gid://shopify/Order/450789469",
    "name": "#1001",
    "email": "ada@example.com",
    "total_price": "49.00",
    "currency": "EUR",
    "financial_status": "paid",
    "customer": {"id": 544365967, "email": "ada@example.com"},
    "line_items": [{"title": "Garden chair", "quantity": 1}],
    "shipping_address": {"city": "Berlin"},
    "tags": "vip, garden",
    "note": None,
    "cancelled_at": None,
    "cancel_reason": None,
}

ORDER_RETURNS = {
    "id": "admin_graphql_api_id",
    "number": Output("id", kind="integer"),
    "name": "name",
    "email": "email",
    "total": "total_price",
    "currency": "currency",
    "financial_status": "financial_status",
    "customer_id": Output("customer.id", kind="integer"),
    "customer_email": "customer.email",
    "items": Output(
        "line_items", kind="list", of={"title": "title", "quantity": Output("quantity", kind="integer")}
    ),
    "city": "shipping_address.city",
    "tags": "tags",
    "note": "note",
    "cancelled_at": "cancelled_at",
    "cancel_reason": "cancel_reason",
}

CANCELLED = {**ORDER_SAMPLE, "cancelled_at": "2026-11-20T10:00:00+01:00", "cancel_reason": "customer"}

POLL = (
    "query PollOrders($query: String, $after: String, $first: Int!) { orders(first: $first, after: $after, "
    f"query: $query, sortKey: UPDATED_AT) {{ nodes {{ {SUMMARY} }} pageInfo {{ hasNextPage endCursor }} }} }}"
)

TRIGGERS = (
    Trigger(
        key="order_created",
        label="A new order arrives",
        event="orders/create",
        returns=ORDER_RETURNS,
        sample=ORDER_SAMPLE,
    ),
    Trigger(
        key="order_paid",
        label="An order is paid",
        event="orders/paid",
        returns=ORDER_RETURNS,
        sample=ORDER_SAMPLE,
    ),
    Trigger(
        key="order_cancelled",
        label="An order is cancelled",
        event="orders/cancelled",
        returns=ORDER_RETURNS,
        sample=CANCELLED,
    ),
    Trigger(
        key="customer_created",
        label="A new customer is added",
        event="customers/create",
        returns={
            "id": "admin_graphql_api_id",
            "email": "email",
            "first_name": "first_name",
            "last_name": "last_name",
            "phone": "phone",
            "tags": "tags",
        },
        sample={
            "id": 544365967,
            "admin_graphql_api_id": "gid://shopify/Customer/544365967",
            "email": "ada@example.com",
            "first_name": "Ada",
            "last_name": "Lovelace",
            "phone": None,
            "tags": "",
        },
    ),
    Trigger(
        key="inventory_changed",
        label="A stock level changes",
        event="inventory_levels/update",
        returns={
            "inventory_item_id": Output("inventory_item_id", kind="integer"),
            "location_id": Output("location_id", kind="integer"),
            "available": Output("available", kind="integer"),
            "updated_at": "updated_at",
        },
        sample={
            "inventory_item_id": 271878346596884000,
            "location_id": 346779380,
            "available": 4,
            "updated_at": "2026-11-20T10:00:00+01:00",
        },
    ),
    Trigger(
        key="app_uninstalled",
        label="The app is removed from the shop",
        event="app/uninstalled",
        returns={"id": Output("id", kind="integer"), "domain": "myshopify_domain"},
        sample={"id": 690933842, "myshopify_domain": "garden-chairs.myshopify.com"},
    ),
    Trigger(
        key="orders_poll",
        label="An order is new or changes (checked every few minutes)",
        kind="polling",
        poll=Poll(
            request=lambda config, since: query(
                POLL, first=50, query=f"updated_at:>='{since}'" if since else None
            ),
            items="data.orders.nodes",
            id=("id", "updatedAt"),
            stamp="updatedAt",
            order="oldest_first",
            pagination=CursorPages(
                items="data.orders.nodes",
                cursor="data.orders.pageInfo.endCursor",
                more="data.orders.pageInfo.hasNextPage",
                into="variables.after",
                place="json",
            ),
        ),
        returns={
            "id": "id",
            "name": "name",
            "email": "email",
            "financial_status": "displayFinancialStatus",
            "fulfillment_status": "displayFulfillmentStatus",
            "total": "currentTotalPriceSet.shopMoney.amount",
            "updated_at": "updatedAt",
        },
        sample={
            "id": "gid://shopify/Order/450789469",
            "name": "#1001",
            "email": "ada@example.com",
            "createdAt": "2026-11-20T09:00:00Z",
            "updatedAt": "2026-11-20T09:30:00Z",
            "displayFinancialStatus": "PAID",
            "displayFulfillmentStatus": "UNFULFILLED",
            "tags": ["vip"],
            "currentTotalPriceSet": {"shopMoney": {"amount": "49.00", "currencyCode": "EUR"}},
        },
    ),
)


def subscribe(subscription: Subscription) -> Request:
    """Return the call that registers one topic: the API's name of orders/create is ORDERS_CREATE."""
    return query(
        "mutation WebhookCreate($topic: WebhookSubscriptionTopic!, $webhookSubscription: "
        "WebhookSubscriptionInput!) { webhookSubscriptionCreate(topic: $topic, webhookSubscription: "
        "$webhookSubscription) { webhookSubscription { id } userErrors { field message } } }",
        topic=subscription.events[0].replace("/", "_").upper(),
        webhookSubscription={"uri": subscription.address, "format": "JSON"},
    )


def unsubscribe(subscription: Subscription) -> Request:
    return query(
        "mutation WebhookDelete($id: ID!) { webhookSubscriptionDelete(id: $id) { "
        "deletedWebhookSubscriptionId userErrors { field message } } }",
        id=subscription.state["id"],
    )
