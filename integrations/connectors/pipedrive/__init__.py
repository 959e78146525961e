"""Pipedrive: people, organizations, deals, leads, activities and notes; start when they appear or change."""

from integrations.connectors.pipedrive.activities import ADD_NOTE, CREATE_ACTIVITY
from integrations.connectors.pipedrive.calls import check_success, pause, refine
from integrations.connectors.pipedrive.deals import CREATE_DEAL, CREATE_LEAD, GET_DEAL, UPDATE_DEAL
from integrations.connectors.pipedrive.lists import (
    LIST_ACTIVITY_TYPES,
    LIST_DEAL_FIELDS,
    LIST_PERSON_FIELDS,
    LIST_PIPELINES,
    LIST_STAGES,
    LIST_USERS,
)
from integrations.connectors.pipedrive.people import (
    CREATE_ORGANIZATION,
    CREATE_PERSON,
    SEARCH_PERSONS,
    UPDATE_PERSON,
)
from integrations.connectors.pipedrive.triggers import TRIGGERS, basic_password, subscribe
from integrations.framework import (
    ApiKey,
    Connector,
    Field,
    OAuth2,
    RateLimit,
    Request,
    SharedToken,
    Test,
    Webhooks,
    dig,
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
