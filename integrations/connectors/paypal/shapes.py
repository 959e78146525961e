"""PayPal's values as fields and outputs: money, orders, captured payments, invoices."""

from collections.abc import Mapping
from typing import Any

from integrations.framework import Field, Idempotency, Output, PermanentError, Response, dig

KEY = Idempotency("PayPal-Request-Id", max_length=108)  # the shortest of PayPal's own limits
WHOLE = {"Prefer": "return=representation"}  # without it PayPal answers little more than an id


def money(inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return PayPal's form of an amount, None when none is given."""
    amount, currency = inputs.get("amount"), inputs.get("currency")
    if (amount is None) != (currency is None):
        raise PermanentError("Give the amount together with its currency.")
    return None if amount is None else {"currency_code": currency, "value": amount}


def amounts(path: str) -> dict[str, Output | str]:
    return {"amount": f"{path}.value", "currency": f"{path}.currency_code"}


def link(response: Response, *relations: str) -> str | None:
    """Return the address that PayPal gives for one of these purposes."""
    for entry in dig(response.json, "links") or []:
        if entry.get("rel") in relations:
            return str(entry.get("href"))
    return None


AMOUNT = Field(
    "amount",
    label="Amount",
    example="49.00",
    pattern=r"^\d+(\.\d{1,3})?$",
    help="With a point, such as 49.00.",
)
CURRENCY = Field(
    "currency", label="Currency", example="EUR", pattern="^[A-Z]{3}$", help="Three letters, such as EUR."
)
ORDER_ID = Field("id", label="Order", required=True, example="5O190127TN364715T")
CAPTURE_ID = Field(
    "capture_id",
    label="Payment",
    required=True,
    example="2GG279541U471931P",
    help="The id of the captured payment, as “Take the money of an order” gives it.",
)
ORDER: dict[str, Output | str] = {
    "id": "id",
    "status": "status",
    "intent": "intent",
    "payer_email": "payer.email_address",
    "payer_id": "payer.payer_id",
    "payer_first_name": "payer.name.given_name",
    "payer_last_name": "payer.name.surname",
    **amounts("purchase_units.0.amount"),
    "invoice_id": "purchase_units.0.invoice_id",
    "custom_id": "purchase_units.0.custom_id",
    "create_time": "create_time",
}
PAYMENT: dict[str, Output | str] = {
    "id": "id",
    "status": "status",
    **amounts("amount"),
    "invoice_id": "invoice_id",
    "custom_id": "custom_id",
    "create_time": "create_time",
}
