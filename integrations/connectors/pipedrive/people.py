"""People and organizations."""

from integrations.connectors.pipedrive.calls import PAGE_SIZE, build
from integrations.connectors.pipedrive.shapes import (
    CUSTOM,
    EMAILS,
    LABELS,
    ORG_ID,
    OWNER,
    PERSON,
    PHONES,
    POINTS,
)
from integrations.framework import Action, CursorPages, Field, Output, Request

CREATE_PERSON = Action(
    key="create_person",
    label="Create a person",
    fields=(
        Field("name", label="Name", required=True, example="Ada Lovelace"),
        EMAILS,
        PHONES,
        ORG_ID,
        OWNER,
        LABELS,
        Field(
            "marketing_status",
            label="Marketing e-mail",
            kind="select",
            example="no_consent",
            advanced=True,
            choices=(("no_consent", "Not asked"), "subscribed", "unsubscribed", "archived"),
        ),
        CUSTOM,
    ),
    request=build("POST", "/api/v2/persons", **POINTS),
    returns=PERSON,
    effect="unsafe",
)

UPDATE_PERSON = Action(
    key="update_person",
    label="Change a person",
    description="E-mails and phones given here take the place of all earlier ones.",
    fields=(
        Field("id", label="Person", kind="integer", required=True, example=42, help="The person's number."),
        Field("name", label="Name", example="Ada King"),
        EMAILS,
        PHONES,
        ORG_ID,
        OWNER,
        LABELS,
        CUSTOM,
    ),
    request=build("PATCH", "/api/v2/persons/{id}", **POINTS),
    returns=PERSON,
    effect="key_safe",
)  # the same values set twice are the same person

SEARCH_PERSONS = Action(
    key="search_persons",
    label="Find people",
    fields=(
        Field(
            "term",
            label="Search for",
            required=True,
            example="ada@example.com",
            help="At least two characters.",
        ),
        Field(
            "fields",
            label="Look in",
            kind="select",
            example="email",
            choices=("email", "phone", "name", "notes", "custom_fields"),
            help="Empty looks everywhere.",
        ),
        Field("exact_match", label="Whole value only", kind="boolean", example=True),
        Field("organization_id", label="Only of this organization", kind="integer", example=7),
    ),
    request=lambda inputs: Request(
        "GET",
        "/api/v2/persons/search",
        query={
            "limit": PAGE_SIZE,
            **{name: inputs.get(name) for name in ("term", "fields", "exact_match", "organization_id")},
        },
    ),
    pagination=CursorPages(items="data.items", into="cursor", cursor="additional_data.next_cursor"),
    returns={
        "people": Output(
            "data.items",
            kind="list",
            of={
                "id": Output("item.id", kind="integer"),
                "name": "item.name",
                "emails": Output("item.emails", kind="list"),
                "phones": Output("item.phones", kind="list"),
                "organization": "item.organization.name",
            },
        )
    },
    effect="read",
)

CREATE_ORGANIZATION = Action(
    key="create_organization",
    label="Create an organization",
    fields=(
        Field("name", label="Name", required=True, example="Analytical Engines"),
        OWNER,
        Field("address", label="Address", example="Main Street 1, London"),
        Field("website", label="Website", kind="url", example="https://example.com"),
        LABELS,
        CUSTOM,
    ),
    request=build(
        "POST",
        "/api/v2/organizations",
        address=lambda inputs: {"value": inputs["address"]} if "address" in inputs else None,
    ),
    returns={"id": Output("data.id", kind="integer"), "name": "data.name", "add_time": "data.add_time"},
    effect="unsafe",
)
