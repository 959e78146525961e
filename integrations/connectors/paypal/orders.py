"""Checkout orders, the payments taken for them, and their refunds."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrations.connectors.paypal.shapes import (
    AMOUNT,
    CAPTURE_ID,
    CURRENCY,
    KEY,
    ORDER,
    ORDER_ID,
    PAYMENT,
    WHOLE,
    link,
    money,
)
from integrations.framework import Action, Field, Output, Request, Response, extract, given


def create_order(inputs: Mapping[str, Any]) -> Request:
    pages = given(return_url=inputs.get("return_url"), cancel_url=inputs.get("cancel_url"))
    return Request(
        "POST",
        "/v2/checkout/orders",
        headers=WHOLE,
        json={
            "intent": inputs["intent"],
            "purchase_units": [
                given(
                    amount=money(inputs),
                    description=inputs.get("description"),
                    invoice_id=inputs.get("invoice_id"),
                    custom_id=inputs.get("custom_id"),
                )
            ],
            "payment_source": {"paypal": {"experience_context": pages}} if pages else None,
        },
    )


APPROVAL = {"approval_url": Output("links", label="Where the buyer approves")}


def with_approval(response: Response) -> dict[str, Any]:
    return {**extract(response.json, ORDER), "approval_url": link(response, "payer-action", "approve")}


CREATE_ORDER = Action(
    key="create_order",
    label="Create an order",
    description="Send the buyer to the approval address; take the money once the buyer has approved.",
    fields=(
        replace(AMOUNT, required=True),
        replace(CURRENCY, required=True),
        Field(
            "intent",
            label="When the money is taken",
            kind="select",
            choices=(("CAPTURE", "At once"), ("AUTHORIZE", "Reserve now, take later")),
            default="CAPTURE",
            example="CAPTURE",
        ),
        Field("description", label="What it is for", example="Garden chair", max_length=127),
        Field("invoice_id", label="Invoice number", example="R-1042", help="PayPal takes each number once."),
        Field("custom_id", label="Your own reference", example="1042", help="The buyer does not see it."),
        Field("return_url", label="Page after approving", kind="url", example="https://example.com/thanks"),
        Field("cancel_url", label="Page after giving up", kind="url", example="https://example.com/cart"),
    ),
    request=create_order,
    output=with_approval,
    returns={**ORDER, **APPROVAL},
    effect="key_safe",
    idempotency=KEY,
)

GET_ORDER = Action(
    key="get_order",
    label="Get an order",
    fields=(ORDER_ID,),
    call="GET /v2/checkout/orders/{id}",
    returns=ORDER,
    effect="read",
)

CAPTURE_ORDER = Action(
    key="capture_order",
    label="Take the money of an order",
    description="The buyer must have approved the order.",
    fields=(ORDER_ID,),
    request=lambda inputs: Request(
        "POST", "/v2/checkout/orders/{id}/capture", at={"id": inputs["id"]}, headers=WHOLE, json={}
    ),
    returns={
        **ORDER,
        "capture_id": "purchase_units.0.payments.captures.0.id",
        "capture_status": "purchase_units.0.payments.captures.0.status",
    },
    effect="key_safe",
    idempotency=KEY,
)

GET_CAPTURE = Action(
    key="get_capture",
    label="Get a captured payment",
    fields=(CAPTURE_ID,),
    call="GET /v2/payments/captures/{capture_id}",
    returns=PAYMENT,
    effect="read",
)

REFUND_CAPTURE = Action(
    key="refund_capture",
    label="Refund a captured payment",
    description="Without an amount everything goes back.",
    fields=(
        CAPTURE_ID,
        AMOUNT,
        CURRENCY,
        Field("note_to_payer", label="Note to the buyer", example="Returned chair", max_length=255),
        Field("invoice_id", label="Your own number", example="G-1042", max_length=127),
    ),
    request=lambda inputs: Request(
        "POST",
        "/v2/payments/captures/{capture_id}/refund",
        at={"capture_id": inputs["capture_id"]},
        headers=WHOLE,
        json={
            "amount": money(inputs),
            "note_to_payer": inputs.get("note_to_payer"),
            "invoice_id": inputs.get("invoice_id"),
        },
    ),
    returns=PAYMENT,
    effect="key_safe",
    idempotency=KEY,
)
