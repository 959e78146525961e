"""Find products, adjust their stock, list locations."""

from integrations.connectors.shopify.calls import query
from integrations.framework import Action, CursorPages, Field, Idempotency, Offers, Output

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
