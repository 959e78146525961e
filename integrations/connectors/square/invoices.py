"""Draft invoices and publish them."""

from integrations.connectors.square.shapes import INVOICE, KEY, LOCATION, below
from integrations.framework import Action, Field, Request, given

METHODS = (
    ("card", "Card"),
    ("bank_account", "Bank transfer"),
    ("square_gift_card", "Square gift card"),
    ("cash_app_pay", "Cash App Pay"),
    ("buy_now_pay_later", "Pay later"),
)

CREATE_INVOICE = Action(
    key="create_invoice",
    label="Create a draft invoice",
    description="For an open order. Publish it afterwards: only then the customer gets it.",
    fields=(
        LOCATION,
        Field("order_id", label="Order", required=True, example="CAISENgvlJ6jLWAzERDzjyHVybY"),
        Field("customer_id", label="Customer", required=True, example="JDKYHBWT1D4F8MFH63DBMEN8Y4"),
        Field("due_date", label="Due on", kind="date", required=True, example="2026-12-06"),
        Field(
            "accepted_payment_methods",
            label="Ways to pay",
            kind="multi_select",
            choices=METHODS,
            default=["card"],
            example=["card", "bank_account"],
        ),
        Field(
            "delivery_method",
            label="How the customer gets it",
            kind="select",
            choices=(("EMAIL", "By e-mail"), ("SHARE_MANUALLY", "I pass the link on"), ("SMS", "By SMS")),
            default="EMAIL",
            example="EMAIL",
        ),
        Field("title", label="Title", example="Garden chairs", max_length=255),
    ),
    request=lambda inputs: Request(
        "POST",
        "/v2/invoices",
        json={
            "invoice": given(
                location_id=inputs["location_id"],
                order_id=inputs["order_id"],
                primary_recipient={"customer_id": inputs["customer_id"]},
                payment_requests=[{"request_type": "BALANCE", "due_date": inputs["due_date"]}],
                accepted_payment_methods=dict.fromkeys(inputs["accepted_payment_methods"], True),
                delivery_method=inputs["delivery_method"],
                title=inputs.get("title"),
            )
        },
    ),
    returns=below("invoice", INVOICE),
    effect="key_safe",
    idempotency=KEY,
)

PUBLISH_INVOICE = Action(
    key="publish_invoice",
    label="Publish an invoice",
    description="Square then sends it, or gives the link to pass on.",
    fields=(
        Field("invoice_id", label="Invoice", required=True, example="inv:0-ChCHu2mZEabLeeHahQnXDjZQECY"),
        Field(
            "version",
            label="Version",
            kind="integer",
            required=True,
            example=0,
            help="As “Create a draft invoice” gave it.",
        ),
    ),
    call="POST /v2/invoices/{invoice_id}/publish",
    returns=below("invoice", INVOICE),
    effect="key_safe",
    idempotency=KEY,
)
