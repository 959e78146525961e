"""Square's values as fields and outputs: amounts, lines, locations, customers, orders, payments, invoices."""

from collections.abc import Mapping
from typing import Any

from integrations.framework import Field, Idempotency, Output, PermanentError

# One key for every operation: 45 characters is what refunds allow, the others allow more.
KEY = Idempotency("idempotency_key", place="json", max_length=45)


def money(inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return Square's form of an amount, None when none is given."""
    amount, currency = inputs.get("amount"), inputs.get("currency")
    if (amount is None) != (currency is None):
        raise PermanentError("Give the amount together with its currency.")
    return None if amount is None else {"amount": amount, "currency": currency}


def line_items(inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    items = []
    for item in inputs.get("line_items") or []:
        if not item.get("catalog_object_id") and "name" not in item:
            raise PermanentError("Give each line a name, or the id of an item in the catalog.")
        plain = {name: item[name] for name in ("name", "catalog_object_id", "note") if name in item}
        price = {"base_price_money": amount} if (amount := money(item)) else {}
        items.append({**plain, "quantity": item["quantity"], **price})
    return items


def amounts(path: str) -> dict[str, Output | str]:
    return {
        "amount": Output(f"{path}.amount", kind="integer", label="Amount in cents"),
        "currency": f"{path}.currency",
    }


AMOUNT = Field(
    "amount",
    label="Amount in cents",
    kind="integer",
    minimum=0,
    example=4900,
    help="In the smallest unit of the currency: 4900 is 49.00.",
)

CURRENCY = Field(
    "currency", label="Currency", example="EUR", pattern="^[A-Z]{3}$", help="Three letters, such as EUR."
)

LOCATION = Field(
    "location_id", label="Location", required=True, options="list_locations", example="L88917AVBK2S5"
)

ANY_LOCATION = Field(
    "location_id", label="Only at this location", options="list_locations", example="L88917AVBK2S5"
)

CUSTOMER_FIELDS = (
    Field("email_address", label="E-mail", kind="email", example="ada@example.com"),
    Field("given_name", label="First name", example="Ada"),
    Field("family_name", label="Last name", example="Lovelace"),
    Field("phone_number", label="Phone", example="+441632960001", help="With the country's code."),
    Field("note", label="Note", kind="long_text", example="Prefers e-mail."),
)

LINE_ITEMS = Field(
    "line_items",
    label="Lines",
    kind="list",
    example=[{"name": "Garden chair", "quantity": "2", "amount": 4900, "currency": "EUR"}],
    fields=(
        Field("name", label="Name", example="Garden chair"),
        Field("quantity", label="How many", required=True, example="2"),
        AMOUNT,
        CURRENCY,
        Field(
            "catalog_object_id",
            label="Item in the catalog",
            example="W62UWFY35CWMYGVWK6TWJDNI",
            help="The id of an item variation; then the price comes from the catalog.",
        ),
        Field("note", label="Note", example="Blue"),
    ),
)

CUSTOMER: dict[str, Output | str] = {
    "id": "id",
    "email": "email_address",
    "first_name": "given_name",
    "last_name": "family_name",
    "company": "company_name",
    "phone": "phone_number",
    "reference_id": "reference_id",
    "note": "note",
    "created_at": "created_at",
    "updated_at": "updated_at",
    "version": Output("version", kind="integer"),
}

ORDER: dict[str, Output | str] = {
    "id": "id",
    "location_id": "location_id",
    "state": "state",
    "customer_id": "customer_id",
    "reference_id": "reference_id",
    **amounts("total_money"),
    "line_items": Output(
        "line_items",
        kind="list",
        of={"name": "name", "quantity": "quantity", **amounts("total_money")},
    ),
    "version": Output("version", kind="integer"),
    "created_at": "created_at",
    "updated_at": "updated_at",
}

PAYMENT: dict[str, Output | str] = {
    "id": "id",
    "status": "status",
    **amounts("amount_money"),
    "order_id": "order_id",
    "customer_id": "customer_id",
    "buyer_email": "buyer_email_address",
    "location_id": "location_id",
    "note": "note",
    "receipt_url": "receipt_url",
    "created_at": "created_at",
    "updated_at": "updated_at",
}

INVOICE: dict[str, Output | str] = {
    "id": "id",
    "version": Output("version", kind="integer"),
    "status": "status",
    "invoice_number": "invoice_number",
    "order_id": "order_id",
    "title": "title",
    "public_url": "public_url",
}


def below(name: str, returns: Mapping[str, Output | str]) -> dict[str, Output | str]:
    """Return the same outputs, read below a member of the answer."""
    return {
        key: Output(f"{name}.{value}")
        if isinstance(value, str)
        else Output(f"{name}.{value.path}", kind=value.kind, label=value.label, of=value.of)
        for key, value in returns.items()
    }
