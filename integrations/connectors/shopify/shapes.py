"""Fields and selections that several operations share."""

from collections.abc import Mapping
from typing import Any

from integrations.framework import Field

MONEY = "shopMoney { amount currencyCode }"

SUMMARY = (
    "id name email createdAt updatedAt displayFinancialStatus displayFulfillmentStatus tags "
    f"currentTotalPriceSet {{ {MONEY} }}"
)

ORDER = Field(
    "id",
    label="Order",
    required=True,
    example="gid://shopify/Order/450789469",
    help="The long id that begins with gid://shopify/Order/.",
)

TAGS = Field(
    "tags",
    label="Tags",
    kind="list",
    fields=(Field("value", label="Tag", required=True, example="vip"),),
    example=[{"value": "vip"}],
)

NOTE = Field("note", label="Note", kind="long_text", example="Call before delivery")


def tags_of(inputs: Mapping[str, Any]) -> list[str] | None:
    return [tag["value"] for tag in inputs["tags"]] if "tags" in inputs else None
