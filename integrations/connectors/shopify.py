"""Shopify: orders, customers, products, stock and draft orders through the Admin GraphQL API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.framework import (
    Action,
    ApiKey,
    Connector,
    ConnectorError,
    CursorPages,
    Field,
    Hmac,
    Idempotency,
    Offers,
    Output,
    PermanentError,
    Poll,
    ReconnectError,
    Request,
    Response,
    Subscription,
    TemporaryError,
    Test,
    Trigger,
    Webhooks,
    dig,
    given,
)
from integrations.framework.auth import OAuth2
from integrations.framework.oauth import signed_callback

PATH = "/admin/api/2026-10/graphql.json"
MONEY = "shopMoney { amount currencyCode }"
SUMMARY = (
    "id name email createdAt updatedAt displayFinancialStatus displayFulfillmentStatus tags "
    f"currentTotalPriceSet {{ {MONEY} }}"
)


def query(document: str, **variables: Any) -> Request:
    """Return one GraphQL call; variables that were not given are left out."""
    return Request("POST", PATH, json={"query": document, "variables": given(variables)})


def check(response: Response) -> None:
    """Raise what Shopify hides in a 200: errors of the query, and userErrors of a change."""
    failures = dig(response.json, "errors")
    if failures:
        first = failures[0] if isinstance(failures, list) else {"message": str(failures)}
        code = dig(first, "extensions.code") or ""
        if code in ("THROTTLED", "INTERNAL_SERVER_ERROR", "TIMEOUT"):
            raise TemporaryError(
                "Shopify is busy just now. We will try again.", code=code, retry_after=wait(response)
            )
        if code == "ACCESS_DENIED":
            raise PermanentError(
                "Shopify does not let us do this. Allow it in the app's permissions, then reconnect.",
                code=code,
            )
        raise PermanentError(
            f'Shopify did not accept the request: "{first.get("message") or "no reason given"}"', code=code
        )
    for part in (dig(response.json, "data") or {}).values():
        if isinstance(part, dict) and part.get("userErrors"):
            error = part["userErrors"][0]
            place = ".".join(str(name) for name in error.get("field") or [])
            words = f"{place}: {error.get('message')}" if place else str(error.get("message"))
            raise PermanentError(f'Shopify did not accept this: "{words}"', code=error.get("code") or "")


def wait(response: Response) -> float | None:
    """Return the seconds until the cost bucket holds what this call asked for, or None."""
    cost = dig(response.json, "extensions.cost") or {}
    status = cost.get("throttleStatus") or {}
    missing = (cost.get("requestedQueryCost") or 0) - (status.get("currentlyAvailable") or 0)
    rate = status.get("restoreRate") or 0
    return missing / rate if rate and missing > 0 else None


def refine(response: Response) -> ConnectorError | None:
    if response.status in (402, 423):
        return PermanentError(
            "This shop is paused or locked at Shopify. Open it there again first.", status=response.status
        )
    if response.status == 404:
        return ReconnectError("Shopify knows no shop of this name. Check the address and reconnect.")
    return None


ORDER = Field(
    "id",
    label="Order",
    required=True,
    example="gid://shopify/Order/450789469",
    help="The long id that begins with gid://shopify/Order/.",
)
TAGS = Field(
    "tags",
    label="Tags",
    kind="list",
    fields=(Field("value", label="Tag", required=True, example="vip"),),
    example=[{"value": "vip"}],
)
NOTE = Field("note", label="Note", kind="long_text", example="Call before delivery")


def tags_of(inputs: Mapping[str, Any]) -> list[str] | None:
    return [tag["value"] for tag in inputs["tags"]] if "tags" in inputs else None


def tagged(key: str, label: str, mutation: str) -> Action:
    """Return the action that adds or removes tags: both leave the same state however often they run."""
    document = (
        f"mutation {mutation}($id: ID!, $tags: [String!]!) {{ {mutation}(id: $id, tags: $tags) "
        "{ node { id } userErrors { field message } } }"
    )
    return Action(
        key=key,
        label=label,
        fields=(
            Field(
                "id",
                label="Order, customer, product or draft order",
                required=True,
                example="gid://shopify/Order/450789469",
                help="The long id that begins with gid://shopify/.",
            ),
            Field(
                "tags",
                label="Tags",
                kind="list",
                required=True,
                fields=(Field("value", label="Tag", required=True, example="vip"),),
                example=[{"value": "vip"}],
            ),
        ),
        request=lambda inputs: query(document, id=inputs["id"], tags=tags_of(inputs)),
        returns={"id": f"data.{mutation}.node.id"},
        effect="key_safe",
    )


GET_ORDER = Action(
    key="get_order",
    label="Get an order",
    fields=(ORDER,),
    request=lambda inputs: query(
        f"query GetOrder($id: ID!) {{ order(id: $id) {{ {SUMMARY} legacyResourceId phone note cancelledAt "
        "customer { id firstName lastName defaultEmailAddress { emailAddress } } "
        "shippingAddress { name address1 address2 city zip countryCodeV2 phone } "
        "lineItems(first: 50) { nodes { id title sku quantity variant { id } } } } }",
        id=inputs["id"],
    ),
    returns={
        "id": "data.order.id",
        "number": "data.order.legacyResourceId",
        "name": "data.order.name",
        "created_at": "data.order.createdAt",
        "email": "data.order.email",
        "phone": "data.order.phone",
        "financial_status": "data.order.displayFinancialStatus",
        "fulfillment_status": "data.order.displayFulfillmentStatus",
        "total": "data.order.currentTotalPriceSet.shopMoney.amount",
        "currency": "data.order.currentTotalPriceSet.shopMoney.currencyCode",
        "customer_id": "data.order.customer.id",
        "first_name": "data.order.customer.firstName",
        "customer_email": "data.order.customer.defaultEmailAddress.emailAddress",
        "shipping_address": Output("data.order.shippingAddress", kind="object"),
        "tags": Output("data.order.tags", kind="json"),
        "note": "data.order.note",
        "items": Output(
            "data.order.lineItems.nodes",
            kind="list",
            of={"title": "title", "sku": "sku", "quantity": Output("quantity", kind="integer")},
        ),
    },
    effect="read",
)

FIND_ORDER = Action(
    key="find_order",
    label="Find orders",
    fields=(
        Field(
            "query",
            label="Search for",
            required=True,
            example="name:#1001",
            help="Shopify's search words, such as name:#1001 or email:ada@example.com.",
        ),
    ),
    request=lambda inputs: query(
        "query FindOrders($query: String!, $first: Int!, $after: String) { orders(first: $first, "
        "after: $after, query: $query, sortKey: CREATED_AT, reverse: true) { nodes { "
        f"{SUMMARY} }} pageInfo {{ hasNextPage endCursor }} }} }}",
        query=inputs["query"],
        first=50,
    ),
    pagination=CursorPages(
        items="data.orders.nodes",
        cursor="data.orders.pageInfo.endCursor",
        more="data.orders.pageInfo.hasNextPage",
        into="variables.after",
        place="json",
    ),
    returns={
        "orders": Output(
            "data.orders.nodes",
            kind="list",
            of={
                "id": "id",
                "name": "name",
                "email": "email",
                "financial_status": "displayFinancialStatus",
                "fulfillment_status": "displayFulfillmentStatus",
                "total": "currentTotalPriceSet.shopMoney.amount",
                "created_at": "createdAt",
            },
        )
    },
    effect="read",
)

UPDATE_ORDER = Action(
    key="update_order",
    label="Change an order's note, e-mail or tags",
    fields=(
        ORDER,
        NOTE,
        Field("email", label="E-mail", kind="email", example="ada@example.com"),
        TAGS,
        Field(
            "custom_attributes",
            label="Extra details",
            kind="key_value",
            example={"gift": "yes"},
            advanced=True,
            help="Replaces the ones the order has.",
        ),
    ),
    request=lambda inputs: query(
        "mutation UpdateOrder($input: OrderInput!) { orderUpdate(input: $input) { order { id name note tags "
        "email updatedAt } userErrors { field message } } }",
        input=given(
            id=inputs["id"],
            note=inputs.get("note"),
            email=inputs.get("email"),
            tags=tags_of(inputs),
            customAttributes=[
                {"key": key, "value": str(value)} for key, value in inputs["custom_attributes"].items()
            ]
            if "custom_attributes" in inputs
            else None,
        ),
    ),
    returns={
        "id": "data.orderUpdate.order.id",
        "note": "data.orderUpdate.order.note",
        "email": "data.orderUpdate.order.email",
        "tags": Output("data.orderUpdate.order.tags", kind="json"),
    },
    effect="key_safe",  # writes whole values, so a repeat leaves the same order
)

FIND_CUSTOMER = Action(
    key="find_customer",
    label="Find a customer",
    fields=(
        Field(
            "by",
            label="Find by",
            kind="select",
            required=True,
            default="emailAddress",
            choices=(("emailAddress", "E-mail"), ("phoneNumber", "Phone"), ("id", "Customer id")),
            example="emailAddress",
        ),
        Field(
            "value",
            label="E-mail, phone or id",
            required=True,
            example="ada@example.com",
            help="A phone number needs its country code; an id begins with gid://shopify/Customer/.",
        ),
    ),
    request=lambda inputs: query(
        "query FindCustomer($identifier: CustomerIdentifierInput!) { customerByIdentifier(identifier: "
        "$identifier) { id firstName lastName tags note numberOfOrders amountSpent { amount currencyCode } "
        "defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber } } }",
        identifier={inputs["by"]: inputs["value"]},
    ),
    returns={
        "id": "data.customerByIdentifier.id",
        "first_name": "data.customerByIdentifier.firstName",
        "last_name": "data.customerByIdentifier.lastName",
        "email": "data.customerByIdentifier.defaultEmailAddress.emailAddress",
        "phone": "data.customerByIdentifier.defaultPhoneNumber.phoneNumber",
        "tags": Output("data.customerByIdentifier.tags", kind="json"),
        "note": "data.customerByIdentifier.note",
        "orders": "data.customerByIdentifier.numberOfOrders",
        "amount_spent": "data.customerByIdentifier.amountSpent.amount",
    },
    effect="read",
)

PERSON = (
    Field("email", label="E-mail", kind="email", required=True, example="ada@example.com"),
    Field("first_name", label="First name", example="Ada"),
    Field("last_name", label="Last name", example="Lovelace"),
    Field("phone", label="Phone", example="+441632960001", help="With country code."),
    NOTE,
    TAGS,
)


def person(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return given(
        email=inputs["email"],
        firstName=inputs.get("first_name"),
        lastName=inputs.get("last_name"),
        phone=inputs.get("phone"),
        note=inputs.get("note"),
        tags=tags_of(inputs),
    )


CREATE_CUSTOMER = Action(
    key="create_customer",
    label="Create a customer",
    fields=PERSON,
    request=lambda inputs: query(
        "mutation CreateCustomer($input: CustomerInput!) { customerCreate(input: $input) { customer { id "
        "createdAt defaultEmailAddress { emailAddress } } userErrors { field message } } }",
        input=person(inputs),
    ),
    returns={
        "id": "data.customerCreate.customer.id",
        "email": "data.customerCreate.customer.defaultEmailAddress.emailAddress",
        "created_at": "data.customerCreate.customer.createdAt",
    },
    effect="unsafe",
)

UPSERT_CUSTOMER = Action(
    key="upsert_customer",
    label="Create or change a customer",
    description="Finds the customer by e-mail. Tags replace the ones the customer has.",
    fields=PERSON,
    request=lambda inputs: query(
        "mutation UpsertCustomer($identifier: CustomerSetIdentifiers, $input: CustomerSetInput!) { "
        "customerSet(identifier: $identifier, input: $input) { customer { id updatedAt defaultEmailAddress { "
        "emailAddress } } userErrors { field message code } } }",
        identifier={"email": inputs["email"]},
        input=person(inputs),
    ),
    returns={
        "id": "data.customerSet.customer.id",
        "email": "data.customerSet.customer.defaultEmailAddress.emailAddress",
        "updated_at": "data.customerSet.customer.updatedAt",
    },
    effect="key_safe",  # the e-mail tells which customer, so a repeat changes the same one
)

FIND_PRODUCT = Action(
    key="find_product",
    label="Find products",
    fields=(
        Field(
            "query",
            label="Search for",
            example="sku:CHAIR-1",
            help="Such as sku:CHAIR-1 or title:chair*. Empty lists all.",
        ),
    ),
    request=lambda inputs: query(
        "query FindProduct($query: String, $first: Int!, $after: String) { products(first: $first, after: "
        "$after, query: $query) { nodes { id title handle status totalInventory tags vendor onlineStoreUrl "
        "variants(first: 20) { nodes { id title sku price inventoryQuantity inventoryItem { id } } } } "
        "pageInfo { hasNextPage endCursor } } }",
        query=inputs.get("query"),
        first=20,
    ),
    pagination=CursorPages(
        items="data.products.nodes",
        cursor="data.products.pageInfo.endCursor",
        more="data.products.pageInfo.hasNextPage",
        into="variables.after",
        place="json",
    ),
    returns={
        "products": Output(
            "data.products.nodes",
            kind="list",
            of={
                "id": "id",
                "title": "title",
                "status": "status",
                "total_inventory": Output("totalInventory", kind="integer"),
                "url": "onlineStoreUrl",
                "variants": Output(
                    "variants.nodes",
                    kind="list",
                    of={
                        "id": "id",
                        "title": "title",
                        "sku": "sku",
                        "price": "price",
                        "inventory_item": "inventoryItem.id",
                    },
                ),
            },
        )
    },
    effect="read",
)

ADJUST_INVENTORY = Action(
    key="adjust_inventory",
    label="Change the stock",
    fields=(
        Field(
            "inventory_item",
            label="Stock item",
            required=True,
            example="gid://shopify/InventoryItem/30322695",
            help="The variant's stock item, from Find products.",
        ),
        Field(
            "location",
            label="Location",
            required=True,
            options="list_locations",
            example="gid://shopify/Location/346779380",
        ),
        Field(
            "delta",
            label="Change by",
            kind="integer",
            required=True,
            example=-1,
            help="Minus takes away.",
        ),
        Field(
            "name",
            label="Which stock",
            kind="select",
            required=True,
            default="available",
            choices=("available", "on_hand"),
            example="available",
        ),
        Field(
            "reason",
            label="Reason",
            kind="select",
            required=True,
            default="correction",
            choices=("correction", "received", "damaged", "shrinkage", "cycle_count_available", "other"),
            example="correction",
        ),
        Field(
            "expected",
            label="Only if there are now",
            kind="integer",
            advanced=True,
            example=12,
            help="Empty changes the stock whatever it is now.",
        ),
    ),
    request=lambda inputs: query(
        "mutation AdjustInventory($input: InventoryAdjustQuantitiesInput!, $idempotencyKey: String!) { "
        "inventoryAdjustQuantities(input: $input) @idempotent(key: $idempotencyKey) { "
        "inventoryAdjustmentGroup { id changes { name delta quantityAfterChange } } "
        "userErrors { field message code } } }",
        input={
            "name": inputs["name"],
            "reason": inputs["reason"],
            "changes": [
                {
                    "delta": inputs["delta"],
                    "inventoryItemId": inputs["inventory_item"],
                    "locationId": inputs["location"],
                    # The member must be there: null says that the present number does not matter.
                    "changeFromQuantity": inputs.get("expected"),
                }
            ],
        },
    ),
    returns={
        "id": "data.inventoryAdjustQuantities.inventoryAdjustmentGroup.id",
        "quantity": Output(
            "data.inventoryAdjustQuantities.inventoryAdjustmentGroup.changes.0.quantityAfterChange",
            kind="integer",
        ),
    },
    effect="key_safe",
    idempotency=Idempotency("variables.idempotencyKey", place="json", format="uuid"),
)

CREATE_DRAFT = Action(
    key="create_draft_order",
    label="Create a draft order",
    fields=(
        Field(
            "items",
            label="Items",
            kind="list",
            required=True,
            fields=(
                Field(
                    "variant", label="Variant", required=True, example="gid://shopify/ProductVariant/43729076"
                ),
                Field("quantity", label="Quantity", kind="integer", required=True, minimum=1, example=1),
            ),
            example=[{"variant": "gid://shopify/ProductVariant/43729076", "quantity": 1}],
        ),
        Field("email", label="Customer's e-mail", kind="email", example="ada@example.com"),
        Field("customer", label="Customer", example="gid://shopify/Customer/544365967", advanced=True),
        NOTE,
        TAGS,
    ),
    request=lambda inputs: query(
        "mutation CreateDraftOrder($input: DraftOrderInput!) { draftOrderCreate(input: $input) { draftOrder "
        f"{{ id name status invoiceUrl email totalPriceSet {{ {MONEY} }} }} userErrors {{ field message }} "
        "} }",
        input=given(
            lineItems=[
                {"variantId": item["variant"], "quantity": item["quantity"]} for item in inputs["items"]
            ],
            email=inputs.get("email"),
            purchasingEntity={"customerId": inputs["customer"]} if "customer" in inputs else None,
            note=inputs.get("note"),
            tags=tags_of(inputs),
        ),
    ),
    returns={
        "id": "data.draftOrderCreate.draftOrder.id",
        "name": "data.draftOrderCreate.draftOrder.name",
        "status": "data.draftOrderCreate.draftOrder.status",
        "invoice_url": "data.draftOrderCreate.draftOrder.invoiceUrl",
        "total": "data.draftOrderCreate.draftOrder.totalPriceSet.shopMoney.amount",
    },
    effect="unsafe",
)

SEND_DRAFT = Action(
    key="send_draft_invoice",
    label="E-mail the invoice of a draft order",
    fields=(
        Field("id", label="Draft order", required=True, example="gid://shopify/DraftOrder/994118539"),
        Field("to", label="To", kind="email", example="ada@example.com", help="Empty: the customer."),
        Field("subject", label="Subject", example="Your invoice"),
        Field("message", label="Text", kind="long_text", example="Thank you for your order."),
    ),
    request=lambda inputs: query(
        "mutation SendDraftInvoice($id: ID!, $email: EmailInput) { draftOrderInvoiceSend(id: $id, email: "
        "$email) { draftOrder { id name invoiceUrl invoiceSentAt status } userErrors { field message } } }",
        id=inputs["id"],
        email=given(to=inputs.get("to"), subject=inputs.get("subject"), customMessage=inputs.get("message"))
        or None,
    ),
    returns={
        "id": "data.draftOrderInvoiceSend.draftOrder.id",
        "sent_at": "data.draftOrderInvoiceSend.draftOrder.invoiceSentAt",
        "invoice_url": "data.draftOrderInvoiceSend.draftOrder.invoiceUrl",
    },
    effect="unsafe",
)

LIST_LOCATIONS = Action(
    key="list_locations",
    label="List locations",
    request=lambda inputs: query(
        "query ListLocations($first: Int!, $after: String) { locations(first: $first, after: $after) { nodes "
        "{ id name isActive } pageInfo { hasNextPage endCursor } } }",
        first=50,
    ),
    pagination=CursorPages(
        items="data.locations.nodes",
        cursor="data.locations.pageInfo.endCursor",
        more="data.locations.pageInfo.hasNextPage",
        into="variables.after",
        place="json",
    ),
    offers=Offers(items="locations"),
    returns={
        "locations": Output(
            "data.locations.nodes",
            kind="list",
            of={"id": "id", "name": "name", "is_active": Output("isActive", kind="boolean")},
        )
    },
    effect="read",
)

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


connector = Connector(
    slug="shopify",
    name="Shopify",
    category="Commerce",
    summary="Work with orders, customers, products, stock and draft orders of a shop.",
    docs_url="https://shopify.dev/docs/api/admin-graphql",
    base_url="https://{shop}",
    auth=(
        OAuth2(
            authorize_url="https://{shop}/admin/oauth/authorize",
            token_url="https://{shop}/admin/oauth/access_token",
            scopes=(
                "read_orders",
                "write_orders",
                "read_customers",
                "write_customers",
                "read_products",
                "write_products",
                "read_inventory",
                "write_inventory",
                "read_locations",
                "read_draft_orders",
                "write_draft_orders",
            ),
            scope_separator=",",
            token_body="json",
            token_params={"expiring": "1"},
            pkce=False,
            rotates_refresh_token=True,
            check_callback=signed_callback(account={"shop": "shop"}),
            header="X-Shopify-Access-Token",
            header_prefix="",
        ),
        ApiKey(
            header="X-Shopify-Access-Token",
            secret_label="Admin API token",
            help="Of a custom app made in the shop's admin; it begins with shpat_.",
            label="Token of a custom app",
        ),
    ),
    account=(
        Field(
            "shop",
            label="Shop address",
            required=True,
            pattern=r"^[a-zA-Z0-9][a-zA-Z0-9-]*\.myshopify\.com$",
            example="garden-chairs.myshopify.com",
            help="The address that ends in .myshopify.com.",
        ),
    ),
    test=Test(
        query("query TestConnection { shop { id name myshopifyDomain } }"),
        account={"shop_id": "data.shop.id"},
        label="data.shop.name",
    ),
    check=check,
    on_error=refine,
    webhooks=Webhooks(
        address="trigger",
        signature=Hmac(header="X-Shopify-Hmac-SHA256", encoding="base64"),
        secret="app",
        secret_name="client_secret",
        event="header:x-shopify-topic",
        delivery_id="header:x-shopify-webhook-id",
        subscribe=subscribe,
        read=lambda response, subscription: {
            "id": dig(response.json, "data.webhookSubscriptionCreate.webhookSubscription.id")
        },
        unsubscribe=unsubscribe,
    ),
    actions=(
        GET_ORDER,
        FIND_ORDER,
        UPDATE_ORDER,
        tagged("add_tags", "Add tags", "tagsAdd"),
        tagged("remove_tags", "Remove tags", "tagsRemove"),
        FIND_CUSTOMER,
        CREATE_CUSTOMER,
        UPSERT_CUSTOMER,
        FIND_PRODUCT,
        ADJUST_INVENTORY,
        CREATE_DRAFT,
        SEND_DRAFT,
        LIST_LOCATIONS,
    ),
    triggers=TRIGGERS,
)
