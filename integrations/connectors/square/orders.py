"""Read, find and create orders."""

from collections.abc import Mapping
from typing import Any

from integrations.connectors.square.shapes import KEY, LINE_ITEMS, LOCATION, ORDER, below, line_items
from integrations.framework import Action, CursorPages, Field, Output, Request, given

GET_ORDER = Action(
    key="get_order",
    label="Get an order",
    fields=(Field("order_id", label="Order", required=True, example="CAISENgvlJ6jLWAzERDzjyHVybY"),),
    call="GET /v2/orders/{order_id}",
    returns=below("order", ORDER),
    effect="read",
)


def search_orders(inputs: Mapping[str, Any]) -> Request:
    span = given(start_at=inputs.get("changed_from"), end_at=inputs.get("changed_to"))
    conditions: dict[str, Any] = {}
    if span:
        conditions["date_time_filter"] = {"updated_at": span}
    if "states" in inputs:
        conditions["state_filter"] = {"states": inputs["states"]}
    if "customer_ids" in inputs:
        conditions["customer_filter"] = {"customer_ids": inputs["customer_ids"]}
    return Request(
        "POST",
        "/v2/orders/search",
        json={
            "location_ids": inputs["location_ids"],
            "limit": 500,
            "query": {
                **({"filter": conditions} if conditions else {}),
                # Square refuses a date filter that is not sorted by the same date.
                "sort": {"sort_field": "UPDATED_AT" if span else "CREATED_AT", "sort_order": "DESC"},
            },
        },
    )


SEARCH_ORDERS = Action(
    key="search_orders",
    label="Find orders",
    description="Newest first.",
    fields=(
        Field(
            "location_ids",
            label="Locations",
            kind="multi_select",
            required=True,
            options="list_locations",
            example=["L88917AVBK2S5"],
            help="At most ten.",
        ),
        Field(
            "states",
            label="Only in these states",
            kind="multi_select",
            choices=("OPEN", "COMPLETED", "CANCELED", "DRAFT"),
            example=["OPEN"],
        ),
        Field("changed_from", label="Changed from", kind="datetime", example="2026-11-01T00:00:00+00:00"),
        Field("changed_to", label="Changed until", kind="datetime", example="2026-11-22T00:00:00+00:00"),
        Field(
            "customer_ids",
            label="Only of these customers",
            kind="multi_select",
            example=["JDKYHBWT1D4F8MFH63DBMEN8Y4"],
        ),
    ),
    request=search_orders,
    pagination=CursorPages(items="orders", into="cursor", cursor="cursor", place="json"),
    returns={"orders": Output("orders", kind="list", of=ORDER)},
    effect="read",
)

CREATE_ORDER = Action(
    key="create_order",
    label="Create an order",
    fields=(
        LOCATION,
        LINE_ITEMS,
        Field("customer_id", label="Customer", example="JDKYHBWT1D4F8MFH63DBMEN8Y4"),
        Field("reference_id", label="Your own number", example="1042", max_length=40),
    ),
    request=lambda inputs: Request(
        "POST",
        "/v2/orders",
        json={
            "order": given(
                location_id=inputs["location_id"],
                line_items=line_items(inputs) or None,
                customer_id=inputs.get("customer_id"),
                reference_id=inputs.get("reference_id"),
            )
        },
    ),
    returns=below("order", ORDER),
    effect="key_safe",
    idempotency=KEY,
)
