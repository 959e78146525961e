"""Deals and leads."""

from collections.abc import Mapping
from typing import Any

from integrations.connectors.pipedrive.shapes import (
    CLOSE_DATE,
    CUSTOM,
    DEAL,
    LABELS,
    ORG_ID,
    OWNER,
    PERSON_ID,
    PIPELINE,
    STAGE,
    STATUS,
)
from integrations.framework import Action, Field, PermanentError, Request

CREATE_DEAL = Action(
    key="create_deal",
    label="Create a deal",
    fields=(
        Field("title", label="Title", required=True, example="200 garden chairs"),
        Field("value", label="Amount", kind="number", example=4900),
        Field(
            "currency",
            label="Currency",
            example="EUR",
            pattern="^[A-Z]{3}$",
            help="Three letters, such as EUR.",
        ),
        PERSON_ID,
        ORG_ID,
        PIPELINE,
        STAGE,
        STATUS,
        OWNER,
        CLOSE_DATE,
        LABELS,
        CUSTOM,
    ),
    call="POST /api/v2/deals",
    returns=DEAL,
    effect="unsafe",
)

DEAL_ID = Field("id", label="Deal", kind="integer", required=True, example=101, help="The deal's number.")

UPDATE_DEAL = Action(
    key="update_deal",
    label="Change or move a deal",
    fields=(
        DEAL_ID,
        Field("title", label="Title", example="220 garden chairs"),
        Field("value", label="Amount", kind="number", example=5390),
        PIPELINE,
        STAGE,
        STATUS,
        Field("lost_reason", label="Why it was lost", example="Price", help="Only with the status lost."),
        OWNER,
        CLOSE_DATE,
        CUSTOM,
    ),
    call="PATCH /api/v2/deals/{id}",
    returns=DEAL,
    effect="key_safe",
)  # the same values set twice are the same deal

GET_DEAL = Action(
    key="get_deal",
    label="Get a deal",
    fields=(
        DEAL_ID,
        Field(
            "custom_fields",
            label="Own fields to read",
            kind="multi_select",
            options="list_deal_fields",
            example=["d4de1c1518b4531717c676029a45911c340390a6"],
            advanced=True,
            help="Empty reads all.",
        ),
    ),
    request=lambda inputs: Request(
        "GET",
        "/api/v2/deals/{id}",
        at={"id": inputs["id"]},
        query={"custom_fields": ",".join(inputs["custom_fields"]) if "custom_fields" in inputs else None},
    ),
    returns=DEAL,
    effect="read",
)


def build_lead(inputs: Mapping[str, Any]) -> Request:
    amount, currency = inputs.get("amount"), inputs.get("currency")
    if (amount is None) != (currency is None):
        raise PermanentError("Give the amount together with its currency.")
    return Request(
        "POST",
        "/api/v1/leads",
        json={
            **{name: value for name, value in inputs.items() if name not in ("amount", "currency")},
            "value": {"amount": amount, "currency": currency} if currency else None,
        },
    )


CREATE_LEAD = Action(
    key="create_lead",
    label="Create a lead",
    description="Give the person, the organization, or both.",
    fields=(
        Field("title", label="Title", required=True, example="Asked for an offer"),
        PERSON_ID,
        Field("organization_id", label="Organization", kind="integer", example=7),
        OWNER,
        Field(
            "label_ids",
            label="Labels",
            kind="multi_select",
            advanced=True,
            example=["f08b42a0-4e75-11ea-9643-03698ef1cfd6"],
            help="Ids of lead labels.",
        ),
        Field("amount", label="Amount", kind="number", example=4900),
        Field(
            "currency",
            label="Currency",
            example="EUR",
            pattern="^[A-Z]{3}$",
            help="Three letters, such as EUR.",
        ),
        CLOSE_DATE,
    ),
    request=build_lead,
    returns={"id": "data.id", "title": "data.title", "add_time": "data.add_time"},
    effect="unsafe",
)
