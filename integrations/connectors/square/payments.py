"""List and refund payments, and make links to pay by."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrations.connectors.square.shapes import (
    AMOUNT,
    ANY_LOCATION,
    CURRENCY,
    KEY,
    LINE_ITEMS,
    LOCATION,
    PAYMENT,
    amounts,
    line_items,
    money,
)
from integrations.framework import Action, CursorPages, Field, Output, Request

LIST_PAYMENTS = Action(
    key="list_payments",
    label="List payments",
    fields=(
        Field("begin_time", label="Made from", kind="datetime", example="2026-11-01T00:00:00+00:00"),
        Field("end_time", label="Made until", kind="datetime", example="2026-11-22T00:00:00+00:00"),
        ANY_LOCATION,
        Field(
            "updated_at_begin_time",
            label="Changed from",
            kind="datetime",
            advanced=True,
            example="2026-11-20T00:00:00+00:00",
        ),
        Field(
            "sort_field",
            label="Sort by",
            kind="select",
            advanced=True,
            choices=(("CREATED_AT", "When made"), ("UPDATED_AT", "When changed")),
            example="CREATED_AT",
        ),
        Field(
            "sort_order",
            label="Order",
            kind="select",
            advanced=True,
            choices=(("DESC", "Newest first"), ("ASC", "Oldest first")),
            example="DESC",
        ),
    ),
    request=lambda inputs: Request(
        "GET",
        "/v2/payments",
        query={**{name: value for name, value in inputs.items() if name != "max_results"}, "limit": 100},
    ),
    pagination=CursorPages(items="payments", into="cursor", cursor="cursor"),
    returns={"payments": Output("payments", kind="list", of=PAYMENT)},
    effect="read",
)

REFUND_PAYMENT = Action(
    key="refund_payment",
    label="Refund a payment",
    description="The whole amount or a part of it. The money moves later: the refund is pending at first.",
    fields=(
        Field("payment_id", label="Payment", required=True, example="R2B3Z8WMVt3EAmzYWLZvz7Y69EbZY"),
        replace(AMOUNT, required=True, minimum=1),
        replace(CURRENCY, required=True, help="Three letters; that of the payment."),
        Field(
            "reason", label="Reason", example="Returned chair", max_length=192, help="The buyer may see it."
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        "/v2/refunds",
        json={
            "payment_id": inputs["payment_id"],
            "amount_money": money(inputs),
            "reason": inputs.get("reason"),
        },
    ),
    returns={"id": "refund.id", "status": "refund.status", **amounts("refund.amount_money")},
    effect="key_safe",
    idempotency=KEY,
)


def create_payment_link(inputs: Mapping[str, Any]) -> Request:
    place, more = inputs["location_id"], line_items(inputs)
    first = {"name": inputs["name"], "quantity": "1", "base_price_money": money(inputs)}
    return Request(
        "POST",
        "/v2/online-checkout/payment-links",
        json={
            "quick_pay": None
            if more
            else {"name": inputs["name"], "price_money": money(inputs), "location_id": place},
            "order": {"location_id": place, "line_items": [first, *more]} if more else None,
            "checkout_options": {"redirect_url": inputs["redirect_url"]}
            if "redirect_url" in inputs
            else None,
            "pre_populated_data": {"buyer_email": inputs["buyer_email"]} if "buyer_email" in inputs else None,
        },
    )


CREATE_PAYMENT_LINK = Action(
    key="create_payment_link",
    label="Create a payment link",
    fields=(
        LOCATION,
        Field("name", label="What is paid for", required=True, example="Garden chair"),
        replace(AMOUNT, required=True),
        replace(CURRENCY, required=True),
        replace(LINE_ITEMS, label="Further lines", advanced=True),
        Field("redirect_url", label="Page after paying", kind="url", example="https://example.com/thanks"),
        Field("buyer_email", label="Buyer's e-mail", kind="email", example="ada@example.com"),
    ),
    request=create_payment_link,
    returns={"id": "payment_link.id", "url": "payment_link.url", "order_id": "payment_link.order_id"},
    effect="key_safe",
    idempotency=KEY,
)
