"""Find, create and upsert customers."""

from collections.abc import Mapping
from typing import Any

from integrations.connectors.shopify.calls import query
from integrations.connectors.shopify.shapes import NOTE, TAGS, tags_of
from integrations.framework import Action, Field, Output, given

FIND_CUSTOMER = Action(
    key="find_customer",
    label="Find a customer",
    fields=(
        Field(
            "by",
            label="Find by",
            kind="select",
            required=True,
            default="emailAddress",
            choices=(("emailAddress", "E-mail"), ("phoneNumber", "Phone"), ("id", "Customer id")),
            example="emailAddress",
        ),
        Field(
            "value",
            label="E-mail, phone or id",
            required=True,
            example="ada@example.com",
            help="A phone number needs its country code; an id begins with gid://shopify/Customer/.",
        ),
    ),
    request=lambda inputs: query(
        "query FindCustomer($identifier: CustomerIdentifierInput!) { customerByIdentifier(identifier: "
        "$identifier) { id firstName lastName tags note numberOfOrders amountSpent { amount currencyCode } "
        "defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber } } }",
        identifier={inputs["by"]: inputs["value"]},
    ),
    returns={
        "id": "data.customerByIdentifier.id",
        "first_name": "data.customerByIdentifier.firstName",
        "last_name": "data.customerByIdentifier.lastName",
        "email": "data.customerByIdentifier.defaultEmailAddress.emailAddress",
        "phone": "data.customerByIdentifier.defaultPhoneNumber.phoneNumber",
        "tags": Output("data.customerByIdentifier.tags", kind="json"),
        "note": "data.customerByIdentifier.note",
        "orders": "data.customerByIdentifier.numberOfOrders",
        "amount_spent": "data.customerByIdentifier.amountSpent.amount",
    },
    effect="read",
)

PERSON = (
    Field("email", label="E-mail", kind="email", required=True, example="ada@example.com"),
    Field("first_name", label="First name", example="Ada"),
    Field("last_name", label="Last name", example="Lovelace"),
    Field("phone", label="Phone", example="+441632960001", help="With country code."),
    NOTE,
    TAGS,
)


def person(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return given(
        email=inputs["email"],
        firstName=inputs.get("first_name"),
        lastName=inputs.get("last_name"),
        phone=inputs.get("phone"),
        note=inputs.get("note"),
        tags=tags_of(inputs),
    )


CREATE_CUSTOMER = Action(
    key="create_customer",
    label="Create a customer",
    fields=PERSON,
    request=lambda inputs: query(
        "mutation CreateCustomer($input: CustomerInput!) { customerCreate(input: $input) { customer { id "
        "createdAt defaultEmailAddress { emailAddress } } userErrors { field message } } }",
        input=person(inputs),
    ),
    returns={
        "id": "data.customerCreate.customer.id",
        "email": "data.customerCreate.customer.defaultEmailAddress.emailAddress",
        "created_at": "data.customerCreate.customer.createdAt",
    },
    effect="unsafe",
)

UPSERT_CUSTOMER = Action(
    key="upsert_customer",
    label="Create or change a customer",
    description="Finds the customer by e-mail. Tags replace the ones the customer has.",
    fields=PERSON,
    request=lambda inputs: query(
        "mutation UpsertCustomer($identifier: CustomerSetIdentifiers, $input: CustomerSetInput!) { "
        "customerSet(identifier: $identifier, input: $input) { customer { id updatedAt defaultEmailAddress { "
        "emailAddress } } userErrors { field message code } } }",
        identifier={"email": inputs["email"]},
        input=person(inputs),
    ),
    returns={
        "id": "data.customerSet.customer.id",
        "email": "data.customerSet.customer.defaultEmailAddress.emailAddress",
        "updated_at": "data.customerSet.customer.updatedAt",
    },
    effect="key_safe",  # the e-mail tells which customer, so a repeat changes the same one
)
