"""Create, change and find customers; list a seller's locations."""

from collections.abc import Mapping
from typing import Any

from integrations.connectors.square.shapes import CUSTOMER, CUSTOMER_FIELDS, KEY, below
from integrations.framework import Action, CursorPages, Field, Offers, Output, Request

CREATE_CUSTOMER = Action(
    key="create_customer",
    label="Create a customer",
    description="Give at least a name, a company, an e-mail or a phone number. Square does not look for doubles.",
    fields=(
        *CUSTOMER_FIELDS,
        Field("company_name", label="Company", example="Analytical Engines"),
        Field("reference_id", label="Your own number", example="C-1042"),
        Field(
            "address",
            label="Address",
            kind="object",
            advanced=True,
            example={"address_line_1": "Main Street 1", "locality": "London", "country": "GB"},
            fields=(
                Field("address_line_1", label="Street", example="Main Street 1"),
                Field("address_line_2", label="Second line", example="Floor 2"),
                Field("locality", label="City", example="London"),
                Field("administrative_district_level_1", label="State or region", example="CA"),
                Field("postal_code", label="Postcode", example="N1 7AA"),
                Field("country", label="Country", pattern="^[A-Z]{2}$", help="Such as GB.", example="GB"),
            ),
        ),
    ),
    call="POST /v2/customers",
    returns=below("customer", CUSTOMER),
    effect="key_safe",
    idempotency=KEY,
)

UPDATE_CUSTOMER = Action(
    key="update_customer",
    label="Change a customer",
    description="Only what you fill in changes.",
    fields=(
        Field("customer_id", label="Customer", required=True, example="JDKYHBWT1D4F8MFH63DBMEN8Y4"),
        *CUSTOMER_FIELDS,
        Field(
            "version",
            label="Version",
            kind="integer",
            advanced=True,
            example=2,
            help="Refuses the change when somebody else was quicker.",
        ),
    ),
    call="PUT /v2/customers/{customer_id}",
    returns=below("customer", CUSTOMER),
    effect="key_safe",  # the same values set twice are the same customer
)


def search_customers(inputs: Mapping[str, Any]) -> Request:
    how = "fuzzy" if inputs.get("similar") else "exact"
    conditions = {
        name: {how: inputs[name]}
        for name in ("email_address", "phone_number", "reference_id")
        if name in inputs
    }
    if "created_from" in inputs:
        conditions["created_at"] = {"start_at": inputs["created_from"]}
    return Request(
        "POST",
        "/v2/customers/search",
        json={"limit": 100, "query": {"filter": conditions} if conditions else None},
    )


SEARCH_CUSTOMERS = Action(
    key="search_customers",
    label="Find customers",
    description="What is filled in must all fit. New customers can be found after about a minute.",
    fields=(
        Field("email_address", label="E-mail", example="ada@example.com"),
        Field("phone_number", label="Phone", example="+441632960001"),
        Field("reference_id", label="Your own number", example="C-1042"),
        Field("similar", label="Also similar values", kind="boolean", example=False),
        Field("created_from", label="Created from", kind="datetime", example="2026-11-01T00:00:00+00:00"),
    ),
    request=search_customers,
    pagination=CursorPages(items="customers", into="cursor", cursor="cursor", place="json"),
    returns={"customers": Output("customers", kind="list", of=CUSTOMER)},
    effect="read",
)

LIST_LOCATIONS = Action(
    key="list_locations",
    label="List locations",
    call="GET /v2/locations",
    offers=Offers(items="locations"),
    returns={
        "locations": Output(
            "locations",
            kind="list",
            of={"id": "id", "name": "name", "status": "status", "currency": "currency"},
        )
    },
    effect="read",
)
