"""How HubSpot's objects are addressed, built and read, and what goes wrong with calls."""

from collections.abc import Mapping
from typing import Any

from integrations.framework import (
    ConnectorError,
    Field,
    Output,
    PermanentError,
    Request,
    Response,
    TemporaryError,
    dig,
)

VERSION = "2026-03"  # HubSpot names its versions by date and supports each for 18 months
OBJECTS = f"/crm/objects/{VERSION}"
DEALS = f"{OBJECTS}/0-3"  # the id of the object type "deal"
PAGE_SIZE = 100

# HubSpot's own ids of "belongs to", by (from, to).
ASSOCIATIONS = {
    ("note", "contact"): 202,
    ("note", "company"): 190,
    ("note", "deal"): 214,
    ("task", "contact"): 204,
    ("task", "company"): 192,
    ("task", "deal"): 216,
    ("deal", "contact"): 3,
    ("deal", "company"): 341,
    ("contact", "company"): 279,
}


def refine(response: Response) -> ConnectorError | None:
    if response.status == 429:
        policy = str(dig(response.json, "policyName") or "")
        if policy == "DAILY":
            return PermanentError(
                "HubSpot's daily number of calls is used up. It starts again at midnight.",
                status=429,
                code=policy,
            )
        # No Retry-After here; the short window is ten seconds.
        return TemporaryError(
            "HubSpot asked us to slow down. We will try again.", retry_after=10, status=429, code=policy
        )
    if response.status == 423:
        return TemporaryError(
            "The HubSpot record is being changed by something else. We will try again.",
            retry_after=2,
            status=423,
        )
    if response.status == 477:
        wait = response.headers.get("retry-after", "")
        return TemporaryError(
            "HubSpot is moving this account to another place. We will try again.",
            retry_after=float(wait) if wait.isdigit() else 3600,
            status=477,
        )
    return None


def check_batch(response: Response) -> None:
    # A batch call answers 207 and success for the rest when single records were refused.
    message = dig(response.json, "errors.0.message") if response.status == 207 else None
    if message:
        raise PermanentError(f'HubSpot did not accept the record: "{message}"', status=207)


def pause(response: Response) -> float | None:
    if response.headers.get("x-hubspot-ratelimit-remaining") != "0":
        return None
    interval = response.headers.get("x-hubspot-ratelimit-interval-milliseconds", "")
    return int(interval) / 1000 if interval.isdigit() else None


def as_text(value: Any) -> str:
    """Return a property value as HubSpot takes it: always text, null as the empty text that clears."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def properties(inputs: Mapping[str, Any], **named: str) -> dict[str, str]:
    """Return the properties of a record. named: input -> HubSpot's name; further ones come from `properties`."""
    given = {wire: as_text(inputs[key]) for key, wire in named.items() if key in inputs}
    return {**given, **{name: as_text(value) for name, value in inputs.get("properties", {}).items()}}


def associations(kind: str, inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the links of a new record to the contact, company and deal given."""
    return [
        {
            "to": {"id": inputs[other]},
            "types": [
                {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": ASSOCIATIONS[kind, other]}
            ],
        }
        for other in ("contact", "company", "deal")
        if (kind, other) in ASSOCIATIONS and other in inputs
    ]


def creation(path: str, kind: str, **named: str):
    return lambda inputs: Request(
        "POST",
        path,
        json={"properties": properties(inputs, **named), "associations": associations(kind, inputs)},
    )


OWNER = Field("owner", label="Owner", options="list_owners", example="41629779")

MORE = Field(
    "properties",
    label="More properties",
    kind="key_value",
    example={"jobtitle": "Engineer"},
    advanced=True,
    help="HubSpot's internal names and their values.",
)

RETURNED = Field(
    "properties",
    label="Properties to read",
    kind="multi_select",
    options="list_contact_properties",
    example=["email", "firstname", "lastname"],
    help="Empty gives HubSpot's usual few.",
)

LINKS = (
    Field("contact", label="Contact", example="512", help="The contact's number."),
    Field("company", label="Company", example="2044", help="The company's number."),
    Field("deal", label="Deal", example="9001", help="The deal's number."),
)

RECORD = {
    "id": "id",
    "properties": Output("properties", kind="object"),
    "created_at": "createdAt",
    "updated_at": "updatedAt",
    "archived": Output("archived", kind="boolean"),
    "url": "url",
}
