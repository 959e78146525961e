"""Pipedrive: people, organizations, deals, leads, activities and notes; start when they appear or change."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from integrations.framework import (
    Action,
    ApiKey,
    Connector,
    ConnectorError,
    CursorPages,
    Field,
    Inbound,
    OAuth2,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    Request,
    Response,
    SharedToken,
    Subscription,
    TemporaryError,
    Test,
    Trigger,
    Webhooks,
    dig,
)
from integrations.framework.fields import as_output

PAGE_SIZE = 100
MOST_PER_PAGE = 500
WEBHOOK_USER = "steward"


def check_success(response: Response) -> None:
    if isinstance(response.json, dict) and response.json.get("success") is False:
        message = dig(response.json, "error") or "no reason given"
        raise PermanentError(f'Pipedrive did not accept the request: "{message}"', status=response.status)


def refine(response: Response) -> ConnectorError | None:
    if response.status == 403 and response.json is None:
        # The edge answers a page of HTML to those who kept calling in spite of 429.
        return TemporaryError(
            "Pipedrive has blocked calls for a while. We will try again.", retry_after=600, status=403
        )
    if response.status != 429:
        return None
    if response.headers.get("x-daily-ratelimit-token-remaining") == "0":
        return PermanentError(
            "This Pipedrive company has used up its calls of today. They start again at midnight.", status=429
        )
    wait = response.headers.get("retry-after") or response.headers.get("x-ratelimit-reset") or ""
    return TemporaryError(
        "Pipedrive asked us to slow down. We will try again.",
        retry_after=float(wait) if wait.isdigit() else 2,
        status=429,
    )


def pause(response: Response) -> float | None:
    wait = response.headers.get("x-ratelimit-reset", "")
    return float(wait) if response.headers.get("x-ratelimit-remaining") == "0" and wait.isdigit() else None


def contact_points(values: list[str] | None) -> list[dict[str, Any]] | None:
    return [{"value": value, "primary": index == 0} for index, value in enumerate(values)] if values else None


def build(method: str, path: str, **shaped: Any):
    """Return a request builder: inputs as they are, those in `shaped` as the function makes them."""

    def request(inputs: Mapping[str, Any]) -> Request:
        body = {name: value for name, value in inputs.items() if name != "id"}
        for name, shape in shaped.items():
            body[name] = shape(inputs)
        return Request(method, path, at={"id": inputs["id"]} if "id" in inputs else {}, json=body)

    return request


EMAILS = Field(
    "emails",
    label="E-mails",
    kind="multi_select",
    example=["ada@example.com"],
    help="The first is the main one.",
)
PHONES = Field(
    "phones",
    label="Phones",
    kind="multi_select",
    example=["+441632960001"],
    help="The first is the main one.",
)
PERSON_ID = Field("person_id", label="Person", kind="integer", example=42, help="The person's number.")
ORG_ID = Field("org_id", label="Organization", kind="integer", example=7, help="The organization's number.")
OWNER = Field("owner_id", label="Owner", kind="integer", options="list_users", example=12)
LABELS = Field(
    "label_ids", label="Labels", kind="list", example=[3], advanced=True, help="Numbers of labels."
)
CUSTOM = Field(
    "custom_fields",
    label="Own fields",
    kind="object",
    advanced=True,
    example={"d4de1c1518b4531717c676029a45911c340390a6": "blue"},
    help="The fields' codes and values. “List deal fields” and “List person fields” give the codes.",
)
CLOSE_DATE = Field("expected_close_date", label="Expected close", kind="date", example="2026-12-24")
STATUS = Field("status", label="Status", kind="select", choices=("open", "won", "lost"), example="open")
PIPELINE = Field("pipeline_id", label="Pipeline", kind="integer", options="list_pipelines", example=1)
STAGE = Field(
    "stage_id", label="Stage", kind="integer", options="list_stages", example=2, depends_on=("pipeline_id",)
)

PERSON = {
    "id": Output("data.id", kind="integer"),
    "name": "data.name",
    "emails": Output("data.emails", kind="list"),
    "phones": Output("data.phones", kind="list"),
    "org_id": Output("data.org_id", kind="integer"),
    "owner_id": Output("data.owner_id", kind="integer"),
    "add_time": "data.add_time",
    "update_time": "data.update_time",
}
DEAL: dict[str, Output | str] = {
    "id": Output("data.id", kind="integer"),
    "title": "data.title",
    "value": Output("data.value", kind="number"),
    "currency": "data.currency",
    "stage_id": Output("data.stage_id", kind="integer"),
    "status": "data.status",
    "pipeline_id": Output("data.pipeline_id", kind="integer"),
    "person_id": Output("data.person_id", kind="integer"),
    "org_id": Output("data.org_id", kind="integer"),
    "add_time": "data.add_time",
    "update_time": "data.update_time",
    "custom_fields": Output("data.custom_fields", kind="object"),
}
# The same in a list, where no "data" stands around each.
LISTED_DEAL = {
    name: Output(as_output(value).path.removeprefix("data."), kind=as_output(value).kind)
    for name, value in DEAL.items()
}
POINTS = {
    "emails": lambda inputs: contact_points(inputs.get("emails")),
    "phones": lambda inputs: contact_points(inputs.get("phones")),
}

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

CREATE_ACTIVITY = Action(
    key="create_activity",
    label="Create an activity",
    fields=(
        Field("subject", label="Subject", required=True, example="Call about the offer"),
        Field("type", label="Kind", options="list_activity_types", example="call"),
        Field("due_date", label="Day", kind="date", example="2026-11-24"),
        Field(
            "due_time",
            label="Time",
            example="09:30",
            pattern="^[0-2][0-9]:[0-5][0-9]$",
            help="In UTC, such as 09:30.",
        ),
        Field(
            "duration",
            label="Lasts",
            example="00:30",
            pattern="^[0-9]{2}:[0-5][0-9]$",
            help="Hours and minutes, such as 00:30.",
        ),
        Field("deal_id", label="Deal", kind="integer", example=101),
        Field("lead_id", label="Lead", example="adf21080-0e10-11eb-879b-05d71fb426ec"),
        PERSON_ID,
        ORG_ID,
        OWNER,
        Field("note", label="Note", kind="long_text", example="Has a question about delivery."),
        Field("done", label="Done already", kind="boolean", example=False),
    ),
    request=lambda inputs: Request(
        "POST",
        "/api/v2/activities",
        json={
            **{name: value for name, value in inputs.items() if name != "person_id"},
            # person_id itself can only be read here; people come as participants.
            "participants": [{"person_id": inputs["person_id"], "primary": True}]
            if "person_id" in inputs
            else None,
        },
    ),
    returns={
        "id": Output("data.id", kind="integer"),
        "subject": "data.subject",
        "due_date": "data.due_date",
        "done": Output("data.done", kind="boolean"),
    },
    effect="unsafe",
)

ADD_NOTE = Action(
    key="add_note",
    label="Add a note",
    description="Give at least one record it belongs to.",
    fields=(
        Field(
            "content",
            label="Note",
            kind="long_text",
            required=True,
            example="Wants an offer.",
            help="Simple HTML is shown as such.",
        ),
        Field("deal_id", label="Deal", kind="integer", example=101),
        PERSON_ID,
        ORG_ID,
        Field("lead_id", label="Lead", example="adf21080-0e10-11eb-879b-05d71fb426ec"),
        Field("pinned_to_deal_flag", label="Pin to the deal", kind="boolean", example=True, advanced=True),
    ),
    request=build(
        "POST",
        "/api/v1/notes",
        pinned_to_deal_flag=lambda inputs: (
            int(inputs["pinned_to_deal_flag"]) if "pinned_to_deal_flag" in inputs else None
        ),
    ),
    returns={"id": Output("data.id", kind="integer"), "content": "data.content", "add_time": "data.add_time"},
    effect="unsafe",
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


def listing(
    key: str, label: str, path: str, name: str, of: Mapping[str, Any], *, value: str, shown: str
) -> Action:
    return Action(
        key=key,
        label=label,
        request=lambda inputs: Request("GET", path, query={"limit": MOST_PER_PAGE}),
        pagination=CursorPages(items="data", into="cursor", cursor="additional_data.next_cursor"),
        offers=Offers(items=name, value=value, label=shown),
        returns={name: Output("data", kind="list", of=of)},
        effect="read",
    )


NUMBERED = {"id": Output("id", kind="integer"), "name": "name"}
FIELD = {
    "code": "field_code",
    "name": "field_name",
    "type": "field_type",
    "options": Output("options", kind="list"),
}

LIST_PIPELINES = listing(
    "list_pipelines", "List pipelines", "/api/v2/pipelines", "pipelines", NUMBERED, value="id", shown="name"
)
LIST_DEAL_FIELDS = listing(
    "list_deal_fields", "List deal fields", "/api/v2/dealFields", "fields", FIELD, value="code", shown="name"
)
LIST_PERSON_FIELDS = listing(
    "list_person_fields",
    "List person fields",
    "/api/v2/personFields",
    "fields",
    FIELD,
    value="code",
    shown="name",
)

LIST_STAGES = Action(
    key="list_stages",
    label="List stages",
    fields=(
        Field(
            "pipeline_id", label="Only of this pipeline", kind="integer", options="list_pipelines", example=1
        ),
    ),
    request=lambda inputs: Request(
        "GET", "/api/v2/stages", query={"pipeline_id": inputs.get("pipeline_id"), "limit": MOST_PER_PAGE}
    ),
    pagination=CursorPages(items="data", into="cursor", cursor="additional_data.next_cursor"),
    offers=Offers(items="stages"),
    returns={
        "stages": Output(
            "data", kind="list", of={**NUMBERED, "pipeline_id": Output("pipeline_id", kind="integer")}
        )
    },
    effect="read",
)

LIST_USERS = Action(
    key="list_users",
    label="List users",
    call="GET /api/v1/users",
    offers=Offers(items="users"),
    returns={"users": Output("data", kind="list", of={**NUMBERED, "email": "email"})},
    effect="read",
)

LIST_ACTIVITY_TYPES = Action(
    key="list_activity_types",
    label="List kinds of activities",
    call="GET /api/v1/activityTypes",
    offers=Offers(items="types", value="key"),
    returns={"types": Output("data", kind="list", of={"key": "key_string", "name": "name"})},
    effect="read",
)


def event(action: str, entity: str, *, previous: dict | None = None, **data: Any) -> dict[str, Any]:
    """Return a sample delivery in the shape of webhooks version 2.0."""
    return {
        "meta": {
            "action": action,
            "entity": entity,
            "entity_id": str(data["id"]),
            "company_id": "13313052",
            "user_id": "12",
            "webhook_id": "380943",
            "correlation_id": "59547684-dd46-4e6f-8a7b-2fdc23a5cd9e",
            "id": "f3c1b6c2-4f0a-4b53-9e0c-5f8f6c7f0c11",
            "timestamp": "2026-11-22T09:30:00.000Z",
            "version": "2.0",
            "attempt": 1,
            "is_bulk_edit": False,
            "change_source": "app",
        },
        "data": data,
        "previous": previous,
    }


def made_by_a_person(event: dict, config: dict, account: dict) -> bool:
    """Skip what software changed, unless wanted: our own changes would start us again and again."""
    return bool(config.get("also_software")) or dig(event, "meta.change_source") != "api"


def wanted_change(event: dict, config: dict, account: dict) -> bool:
    if not made_by_a_person(event, config, account):
        return False
    for name, value in (("stage_id", config.get("stage_id")), ("status", config.get("status"))):
        if value and (dig(event, f"data.{name}") != value or name not in (event.get("previous") or {})):
            return False
    return True


ALSO_SOFTWARE = Field(
    "also_software",
    label="Also what software changes",
    kind="boolean",
    example=False,
    advanced=True,
    help="Careful: this workflow's own changes would start it again.",
)
HAPPENED = {"timestamp": "meta.timestamp", "user_id": "meta.user_id"}
CURRENT_DEAL = {
    "id": 101,
    "title": "200 garden chairs",
    "value": 4900,
    "currency": "EUR",
    "stage_id": 2,
    "pipeline_id": 1,
    "status": "open",
    "person_id": 42,
    "org_id": 7,
    "add_time": "2026-11-20T08:00:00Z",
    "update_time": "2026-11-22T09:30:00Z",
    "custom_fields": {},
}

TRIGGERS = (
    Trigger(
        key="person_created",
        label="New person",
        event="create.person",
        accepts=made_by_a_person,
        fields=(ALSO_SOFTWARE,),
        returns={**PERSON, **HAPPENED},
        sample=event(
            "create",
            "person",
            id=42,
            name="Ada Lovelace",
            emails=[{"value": "ada@example.com", "primary": True, "label": "work"}],
        ),
    ),
    Trigger(
        key="deal_created",
        label="New deal",
        event="create.deal",
        accepts=made_by_a_person,
        fields=(ALSO_SOFTWARE,),
        returns={**DEAL, **HAPPENED},
        sample=event("create", "deal", **CURRENT_DEAL),
    ),
    Trigger(
        key="deal_updated",
        label="A deal changes or moves",
        event="change.deal",
        accepts=wanted_change,
        fields=(
            Field("stage_id", label="Only into this stage", kind="integer", options="list_stages", example=2),
            Field("status", label="Only when it becomes", kind="select", choices=("open", "won", "lost")),
            ALSO_SOFTWARE,
        ),
        returns={**DEAL, **HAPPENED, "previous": Output("previous", kind="object")},
        sample=event("change", "deal", previous={"stage_id": 1}, **CURRENT_DEAL),
    ),
    Trigger(
        key="activity_created",
        label="New activity",
        event="create.activity",
        accepts=made_by_a_person,
        fields=(ALSO_SOFTWARE,),
        returns={
            "id": Output("data.id", kind="integer"),
            "subject": "data.subject",
            "type": "data.type",
            "deal_id": Output("data.deal_id", kind="integer"),
            "due_date": "data.due_date",
            **HAPPENED,
        },
        sample=event(
            "create", "activity", id=8, subject="Call", type="call", deal_id=101, due_date="2026-11-24"
        ),
    ),
    Trigger(
        key="deal_updated_poll",
        label="New or changed deal (checked every few minutes)",
        kind="polling",
        poll=Poll(
            request=lambda config, since: Request(
                "GET",
                "/api/v2/deals",
                query={
                    "updated_since": since,
                    "sort_by": "update_time",
                    "sort_direction": "desc",
                    "limit": MOST_PER_PAGE,
                },
            ),
            items="data",
            id=("id", "update_time"),
            stamp="update_time",
            pagination=CursorPages(items="data", into="cursor", cursor="additional_data.next_cursor"),
        ),
        returns=LISTED_DEAL,
        sample=CURRENT_DEAL,
    ),
)


def basic_password(inbound: Inbound) -> list[str]:
    """Return the password of the HTTP Basic header: Pipedrive's only proof of who sends."""
    scheme, _, encoded = inbound.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return []
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return []
    return [password] if user == WEBHOOK_USER else []


def subscribe(subscription: Subscription) -> Request:
    action, _, entity = subscription.events[0].partition(".")
    return Request(
        "POST",
        "/api/v1/webhooks",
        json={
            "subscription_url": subscription.address,
            "event_action": action,
            "event_object": entity,
            "name": f"Steward: {action} {entity}",
            "version": "2.0",
            "http_auth_user": WEBHOOK_USER,
            "http_auth_password": subscription.secret,
        },
    )


connector = Connector(
    slug="pipedrive",
    name="Pipedrive",
    category="CRM and sales",
    summary="Create people, deals and activities, and react when deals appear, move or are won.",
    docs_url="https://developers.pipedrive.com/docs/api/v1",
    base_url="{api_domain}",
    auth=(
        OAuth2(
            authorize_url="https://oauth.pipedrive.com/oauth/authorize",
            token_url="https://oauth.pipedrive.com/oauth/token",
            revoke_url="https://oauth.pipedrive.com/oauth/revoke",
            token_auth="basic",
            pkce=False,
            rotates_refresh_token=True,  # scopes are ticked on the app itself
            account_from_token={"api_domain": "api_domain"},
        ),
        ApiKey(
            header="x-api-token",
            secret_label="API token",
            label="API token",
            help="In Pipedrive: your picture, Personal preferences, API.",
        ),
    ),
    account=(
        Field(
            "api_domain",
            label="Pipedrive address",
            kind="url",
            example="https://acme.pipedrive.com",
            help="Only needed with an API token: what stands in the browser's address line.",
        ),
    ),
    test=Test(
        Request("GET", "/api/v1/users/me"),
        account={"company_id": "data.company_id", "user_id": "data.id"},
        label="data.company_name",
    ),
    check=check_success,
    on_error=refine,
    rate_limit=RateLimit(calls=20, seconds=2),  # the smallest plan's pace with an API token
    wait=pause,
    webhooks=Webhooks(
        address="trigger",
        signature=SharedToken(basic_password),
        event=lambda inbound, event: f"{dig(event, 'meta.action')}.{dig(event, 'meta.entity')}",
        delivery_id="meta.id",
        subscribe=subscribe,
        read=lambda response, subscription: {
            "id": dig(response.json, "data.id"),
            "secret": subscription.secret,
        },
        unsubscribe=lambda subscription: Request(
            "DELETE", "/api/v1/webhooks/{id}", at={"id": subscription.state["id"]}
        ),
    ),
    actions=(
        CREATE_PERSON,
        UPDATE_PERSON,
        SEARCH_PERSONS,
        CREATE_ORGANIZATION,
        CREATE_DEAL,
        UPDATE_DEAL,
        GET_DEAL,
        CREATE_ACTIVITY,
        ADD_NOTE,
        CREATE_LEAD,
        LIST_PIPELINES,
        LIST_STAGES,
        LIST_USERS,
        LIST_DEAL_FIELDS,
        LIST_PERSON_FIELDS,
        LIST_ACTIVITY_TYPES,
    ),
    triggers=TRIGGERS,
)
