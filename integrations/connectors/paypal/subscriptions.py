"""Subscriptions of buyers to plans, and payouts to many people at once."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrations.connectors.paypal.shapes import AMOUNT, CURRENCY, amounts
from integrations.framework import (
    Action,
    Field,
    Idempotency,
    LookUp,
    NumberedPages,
    Offers,
    Output,
    Request,
    Response,
    dig,
    given,
)

PLANS_PER_PAGE = 20  # PayPal's most
SUBSCRIPTION_ID = Field(
    "id", label="Subscription", required=True, example="I-BW452GLLEP1G", help="Begins with I-."
)

CREATE_PAYOUT = Action(
    key="create_payout",
    label="Send a payout",
    description="PayPal must have allowed payouts for your account. The money moves within minutes.",
    fields=(
        Field(
            "email_subject", label="Subject of PayPal's mail", example="You have a payment", max_length=255
        ),
        Field(
            "items",
            label="Payments",
            kind="list",
            required=True,
            example=[{"receiver": "ada@example.com", "amount": "49.00", "currency": "EUR"}],
            fields=(
                Field("receiver", label="Recipient's e-mail", required=True, example="ada@example.com"),
                replace(AMOUNT, required=True),
                replace(CURRENCY, required=True),
                Field("note", label="Note", example="Commission of November"),
                Field("sender_item_id", label="Your own number", example="1042", max_length=63),
            ),
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        "/v1/payments/payouts",
        json={
            "sender_batch_header": given(email_subject=inputs.get("email_subject")),
            "items": [payout_item(item) for item in inputs["items"]],
        },
    ),
    returns={"id": "batch_header.payout_batch_id", "status": "batch_header.batch_status"},
    effect="key_safe",
    # PayPal refuses a batch number it has seen within 30 days: nobody is paid twice.
    idempotency=Idempotency("sender_batch_header.sender_batch_id", place="json", max_length=63),
)


def payout_item(item: Mapping[str, Any]) -> dict[str, Any]:
    return given(
        recipient_type="EMAIL",
        receiver=item["receiver"],
        amount={"value": item["amount"], "currency": item["currency"]},
        note=item.get("note"),
        sender_item_id=item.get("sender_item_id"),
    )


GET_SUBSCRIPTION = Action(
    key="get_subscription",
    label="Get a subscription",
    fields=(SUBSCRIPTION_ID,),
    call="GET /v1/billing/subscriptions/{id}",
    returns={
        "id": "id",
        "status": "status",
        "plan_id": "plan_id",
        "email": "subscriber.email_address",
        "start_time": "start_time",
        "next_billing_time": "billing_info.next_billing_time",
        **{
            f"last_payment_{name}": value
            for name, value in amounts("billing_info.last_payment.amount").items()
        },
    },
    effect="read",
)


def found_cancelled(response: Response, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    return {"cancelled": True} if dig(response.json, "status") == "CANCELLED" else None


CANCEL_SUBSCRIPTION = Action(
    key="cancel_subscription",
    label="Cancel a subscription",
    description="For good: a cancelled subscription cannot start again.",
    fields=(
        SUBSCRIPTION_ID,
        Field("reason", label="Reason", required=True, example="Moved away", max_length=128),
    ),
    call="POST /v1/billing/subscriptions/{id}/cancel",
    output=lambda response: {"cancelled": True},
    returns={"cancelled": Output("cancelled", kind="boolean")},
    effect="checkable",
    look_up=LookUp(
        lambda inputs: Request("GET", "/v1/billing/subscriptions/{id}", at={"id": inputs["id"]}),
        found_cancelled,
    ),
)

LIST_PLANS = Action(
    key="list_plans",
    label="List plans",
    request=lambda inputs: Request(
        "GET", "/v1/billing/plans", query={"page_size": PLANS_PER_PAGE, "page": 1, "total_required": True}
    ),
    pagination=NumberedPages(
        items="plans", size=PLANS_PER_PAGE, size_into="page_size", total_pages="total_pages"
    ),
    offers=Offers(items="plans"),
    returns={"plans": Output("plans", kind="list", of={"id": "id", "name": "name", "status": "status"})},
    effect="read",
)
