"""Draft, send and read invoices."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrations.connectors.paypal.shapes import AMOUNT, CURRENCY, WHOLE, amounts
from integrations.framework import Action, Field, Output, PermanentError, Request, given

INVOICE_ID = Field("invoice_id", label="Invoice", required=True, example="INV2-Z56S-5LLA-Q52L-CPZ5")
INVOICE: dict[str, Output | str] = {
    "id": "id",
    "status": "status",
    "invoice_number": "detail.invoice_number",
    "recipient_email": "primary_recipients.0.billing_info.email_address",
    **amounts("amount"),
    "due_amount": "due_amount.value",
    "view_url": "detail.metadata.recipient_view_url",
}


def create_invoice(inputs: Mapping[str, Any]) -> Request:
    name = given(given_name=inputs.get("first_name"), surname=inputs.get("last_name"))
    if name and "email" not in inputs:
        raise PermanentError("Give the recipient's e-mail together with the name.")
    recipient = given(email_address=inputs.get("email"), name=name or None)
    currency = inputs["currency"]
    return Request(
        "POST",
        "/v2/invoicing/invoices",
        headers=WHOLE,
        json={
            "detail": given(
                currency_code=currency,
                invoice_number=inputs.get("invoice_number"),
                note=inputs.get("note"),
            ),
            "primary_recipients": [{"billing_info": recipient}] if recipient else None,
            "items": [
                {
                    **given(
                        name=item["name"], description=item.get("description"), quantity=item["quantity"]
                    ),
                    "unit_amount": {"currency_code": currency, "value": item["amount"]},
                }
                for item in inputs.get("items") or []
            ]
            or None,
        },
    )


CREATE_INVOICE = Action(
    key="create_invoice",
    label="Create a draft invoice",
    description="Send it afterwards: only then the recipient gets it.",
    fields=(
        replace(CURRENCY, required=True),
        Field("email", label="Recipient's e-mail", kind="email", example="ada@example.com"),
        Field("first_name", label="Recipient's first name", example="Ada"),
        Field("last_name", label="Recipient's last name", example="Lovelace"),
        Field(
            "items",
            label="Lines",
            kind="list",
            example=[{"name": "Garden chair", "quantity": "2", "amount": "49.00"}],
            fields=(
                Field("name", label="Name", required=True, example="Garden chair"),
                Field("quantity", label="How many", required=True, example="2"),
                replace(AMOUNT, label="Price of one", required=True),
                Field("description", label="Description", example="Blue"),
            ),
        ),
        Field(
            "invoice_number",
            label="Invoice number",
            example="R-1042",
            max_length=25,
            help="Empty takes PayPal's next one. A number that exists is refused.",
        ),
        Field("note", label="Note", kind="long_text", example="Thank you."),
    ),
    request=create_invoice,
    returns=INVOICE,
    effect="unsafe",  # PayPal names no key for invoices; only an invoice number of one's own stops a second one
)

SEND_INVOICE = Action(
    key="send_invoice",
    label="Send an invoice",
    fields=(
        INVOICE_ID,
        Field("subject", label="Subject", example="Your invoice", max_length=4000),
        Field("note", label="Message", kind="long_text", example="Thank you.", max_length=4000),
        Field("send_to_recipient", label="Mail it to the recipient", kind="boolean", example=True),
        Field("send_to_invoicer", label="Send me a copy", kind="boolean", example=False),
    ),
    call="POST /v2/invoicing/invoices/{invoice_id}/send",
    returns={"view_url": Output("href", label="Where the recipient pays")},
    effect="unsafe",  # each call sends another mail
)

GET_INVOICE = Action(
    key="get_invoice",
    label="Get an invoice",
    fields=(INVOICE_ID,),
    call="GET /v2/invoicing/invoices/{invoice_id}",
    returns=INVOICE,
    effect="read",
)
