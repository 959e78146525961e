"""Create, change, find and read contacts; create companies."""

from typing import Any

from integrations.connectors.hubspot.calls import (
    LINKS,
    MORE,
    OBJECTS,
    OWNER,
    PAGE_SIZE,
    RECORD,
    RETURNED,
    creation,
    properties,
)
from integrations.framework import Action, CursorPages, Field, Output, Request

CONTACT_ID = Field(
    "contact_id",
    label="Contact",
    required=True,
    send="contactId",
    example="512",
    help="The contact's number, or a value of the property chosen under “Find by”.",
)

ID_PROPERTY = Field(
    "id_property",
    label="Find by",
    send="idProperty",
    place="query",
    example="email",
    advanced=True,
    help="A unique property such as email, when the contact is not given by its number.",
)

PERSON = (
    Field("email", label="E-mail", kind="email", example="ada@example.com"),
    Field("first_name", label="First name", example="Ada"),
    Field("last_name", label="Last name", example="Lovelace"),
    Field("phone", label="Phone", example="+441632960001"),
    Field("company_name", label="Company name", example="Analytical Engines"),
    Field("website", label="Website", kind="url", example="https://example.com"),
    Field(
        "lifecycle_stage",
        label="Lifecycle stage",
        example="lead",
        help="HubSpot's internal name, such as lead or customer.",
    ),
    OWNER,
    MORE,
)

PERSON_NAMES = {
    "email": "email",
    "first_name": "firstname",
    "last_name": "lastname",
    "phone": "phone",
    "company_name": "company",
    "website": "website",
    "lifecycle_stage": "lifecyclestage",
    "owner": "hubspot_owner_id",
}

CONTACT = {
    **RECORD,
    "email": "properties.email",
    "first_name": "properties.firstname",
    "last_name": "properties.lastname",
}

CREATE_CONTACT = Action(
    key="create_contact",
    label="Create a contact",
    description="Fails when the e-mail address is there already: “Create or update” does not.",
    fields=(*PERSON, LINKS[1]),
    request=creation(f"{OBJECTS}/contacts", "contact", **PERSON_NAMES),
    returns=CONTACT,
    effect="unsafe",
)

UPDATE_CONTACT = Action(
    key="update_contact",
    label="Change a contact",
    fields=(CONTACT_ID, ID_PROPERTY, *PERSON),
    request=lambda inputs: Request(
        "PATCH",
        f"{OBJECTS}/contacts/{{contactId}}",
        at={"contactId": inputs["contact_id"]},
        query={"idProperty": inputs.get("id_property")},
        json={"properties": properties(inputs, **PERSON_NAMES)},
    ),
    returns=CONTACT,
    effect="key_safe",  # the same values set twice are the same contact
)

UPSERT_CONTACT = Action(
    key="upsert_contact",
    label="Create or update a contact by e-mail",
    fields=(
        Field("email", label="E-mail", kind="email", required=True, example="ada@example.com"),
        *PERSON[1:],
    ),
    request=lambda inputs: Request(
        "POST",
        f"{OBJECTS}/contacts/batch/upsert",
        json={
            "inputs": [
                {
                    "id": inputs["email"],
                    "idProperty": "email",
                    "properties": properties(inputs, **PERSON_NAMES),
                }
            ]
        },
    ),
    returns={
        "id": "results.0.id",
        "is_new": Output("results.0.new", kind="boolean"),
        "properties": Output("results.0.properties", kind="object"),
        "status": "status",
    },
    effect="key_safe",  # found by e-mail, then set: a repeat finds the first one's contact
)

GET_CONTACT = Action(
    key="get_contact",
    label="Get a contact",
    fields=(
        CONTACT_ID,
        ID_PROPERTY,
        RETURNED,
        Field(
            "associations",
            label="Linked records to name",
            kind="multi_select",
            advanced=True,
            choices=("companies", "deals", "tickets"),
            example=["companies"],
        ),
        Field("archived", label="Look among deleted contacts", kind="boolean", example=False, advanced=True),
    ),
    request=lambda inputs: Request(
        "GET",
        f"{OBJECTS}/contacts/{{contactId}}",
        at={"contactId": inputs["contact_id"]},
        query={
            "idProperty": inputs.get("id_property"),
            "archived": inputs.get("archived"),
            "properties": ",".join(inputs["properties"]) if "properties" in inputs else None,
            "associations": ",".join(inputs["associations"]) if "associations" in inputs else None,
        },
    ),
    returns={**CONTACT, "associations": Output("associations", kind="object")},
    effect="read",
)

OPERATORS = (
    ("EQ", "is"),
    ("NEQ", "is not"),
    ("CONTAINS_TOKEN", "contains the word"),
    ("GT", "is greater than"),
    ("GTE", "is at least"),
    ("LT", "is less than"),
    ("LTE", "is at most"),
    ("HAS_PROPERTY", "is known"),
    ("NOT_HAS_PROPERTY", "is unknown"),
)

SEARCH_CONTACTS = Action(
    key="search_contacts",
    label="Search contacts",
    description="A contact that was just changed may be missing for some seconds. At most 10,000 are found.",
    fields=(
        Field(
            "query",
            label="Words",
            example="ada",
            max_length=3000,
            help="Looked for in names, e-mail addresses and phone numbers.",
        ),
        Field(
            "filters",
            label="Conditions",
            kind="list",
            fields=(
                Field(
                    "property",
                    label="Property",
                    required=True,
                    options="list_contact_properties",
                    example="email",
                ),
                Field("operator", label="Condition", kind="select", choices=OPERATORS, default="EQ"),
                Field("value", label="Value", example="ada@example.com"),
            ),
            example=[{"property": "email", "operator": "EQ", "value": "ada@example.com"}],
            help="All of them must hold; six at most.",
        ),
        Field("sort_by", label="Sort by", options="list_contact_properties", example="lastmodifieddate"),
        Field("newest_first", label="Largest or newest first", kind="boolean", example=True),
        RETURNED,
    ),
    request=lambda inputs: search(
        filters=[
            {
                "propertyName": entry["property"],
                "operator": entry["operator"],
                **({"value": entry["value"]} if "value" in entry else {}),
            }
            for entry in inputs.get("filters", ())
        ],
        sort_by=inputs.get("sort_by"),
        descending=inputs.get("newest_first", False),
        names=inputs.get("properties", []),
        query=inputs.get("query"),
    ),
    pagination=CursorPages(items="results", into="after", cursor="paging.next.after", place="json"),
    returns={
        "total": Output("total", kind="integer"),
        "contacts": Output("results", kind="list", of=CONTACT),
    },
    effect="read",
)


def search(
    *,
    filters: list[dict[str, Any]],
    sort_by: str | None,
    descending: bool,
    names: list[str],
    query: str | None = None,
) -> Request:
    return Request(
        "POST",
        f"{OBJECTS}/contacts/search",
        json={
            "filterGroups": [{"filters": filters}] if filters else [],
            "sorts": [{"propertyName": sort_by, "direction": "DESCENDING" if descending else "ASCENDING"}]
            if sort_by
            else [],
            "properties": names,
            "limit": PAGE_SIZE,
            "after": "0",
            "query": query,
        },
    )


CREATE_COMPANY = Action(
    key="create_company",
    label="Create a company",
    fields=(
        Field("name", label="Name", required=True, example="Analytical Engines"),
        Field(
            "domain",
            label="Web domain",
            example="example.com",
            help="HubSpot tells companies apart by it, and fills in more.",
        ),
        Field("phone", label="Phone", example="+441632960001"),
        Field("city", label="City", example="London"),
        Field("industry", label="Industry", example="COMPUTER_SOFTWARE", help="HubSpot's internal name."),
        OWNER,
        Field(
            "properties",
            label="More properties",
            kind="key_value",
            example={"country": "GB"},
            advanced=True,
            help="HubSpot's internal names and their values.",
        ),
    ),
    request=creation(
        f"{OBJECTS}/companies",
        "company",
        name="name",
        domain="domain",
        phone="phone",
        city="city",
        industry="industry",
        owner="hubspot_owner_id",
    ),
    returns={**RECORD, "name": "properties.name", "domain": "properties.domain"},
    effect="unsafe",
)
