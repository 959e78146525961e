"""Read, find and change orders; tags; draft orders."""

from integrations.connectors.shopify.calls import query
from integrations.connectors.shopify.shapes import MONEY, NOTE, ORDER, SUMMARY, TAGS, tags_of
from integrations.framework import Action, CursorPages, Field, Output, given


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
