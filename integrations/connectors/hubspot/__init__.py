"""HubSpot: contacts, companies, deals, notes and tasks; start on new and changed records."""

from integrations.connectors.hubspot.calls import VERSION, check_batch, pause, refine
from integrations.connectors.hubspot.contacts import (
    CREATE_COMPANY,
    CREATE_CONTACT,
    GET_CONTACT,
    SEARCH_CONTACTS,
    UPDATE_CONTACT,
    UPSERT_CONTACT,
)
from integrations.connectors.hubspot.deals import (
    ASSOCIATE,
    CREATE_DEAL,
    CREATE_NOTE,
    CREATE_TASK,
    UPDATE_DEAL,
)
from integrations.connectors.hubspot.lists import LIST_OWNERS, LIST_PIPELINES, LIST_PROPERTIES, LIST_STAGES
from integrations.connectors.hubspot.triggers import TRIGGERS, delivery_id
from integrations.framework import BearerToken, Connector, Hmac, OAuth2, RateLimit, Request, Test, Webhooks
from integrations.framework.signatures import hubspot_v3

connector = Connector(
    slug="hubspot",
    name="HubSpot",
    category="CRM and sales",
    summary="Keep contacts, companies and deals up to date, and react to what changes in your CRM.",
    docs_url="https://developers.hubspot.com/docs/api-reference/overview",
    base_url="https://api.hubapi.com",
    auth=(
        OAuth2(
            authorize_url="https://app.hubspot.com/oauth/authorize",
            token_url=f"https://api.hubapi.com/oauth/{VERSION}/token",
            revoke_url=f"https://api.hubapi.com/oauth/{VERSION}/token/revoke",
            scopes=(
                "oauth",
                "crm.objects.contacts.read",
                "crm.objects.contacts.write",
                "crm.objects.companies.read",
                "crm.objects.companies.write",
                "crm.objects.deals.read",
                "crm.objects.deals.write",
                "crm.objects.owners.read",
                "crm.schemas.contacts.read",
                "crm.schemas.deals.read",
            ),
            account_from_token={"hub_id": "hub_id"},
        ),
        BearerToken(
            label="Private app token",
            secret_label="Access token",
            example="pat-eu1-",
            help="In HubSpot: Settings, Integrations, Private apps. It begins with pat-. Webhooks need signing in.",
        ),
    ),
    test=Test(
        Request("GET", f"/account-info/{VERSION}/details"),
        label="portalId",
        account={"hub_id": "portalId", "ui_domain": "uiDomain"},
    ),
    check=check_batch,
    on_error=refine,
    rate_limit=RateLimit(calls=100, seconds=10),
    wait=pause,
    webhooks=Webhooks(
        address="app",  # one target URL for all accounts that installed the app
        signature=Hmac(
            header="X-HubSpot-Signature-v3",
            encoding="base64",
            signed=hubspot_v3,
            timestamp_header="X-HubSpot-Request-Timestamp",
            timestamp_unit=1000,
        ),
        secret="app",
        secret_name="client_secret",
        events="",
        event="subscriptionType",
        delivery_id=delivery_id,
        account="portalId",
        account_key="hub_id",
        setup="Events arrive by themselves once the account is connected by signing in. A private app's token gets "
        "none: use the trigger that checks every few minutes.",
    ),
    actions=(
        CREATE_CONTACT,
        UPDATE_CONTACT,
        UPSERT_CONTACT,
        GET_CONTACT,
        SEARCH_CONTACTS,
        CREATE_COMPANY,
        CREATE_DEAL,
        UPDATE_DEAL,
        CREATE_NOTE,
        CREATE_TASK,
        ASSOCIATE,
        LIST_OWNERS,
        LIST_PIPELINES,
        LIST_STAGES,
        LIST_PROPERTIES,
    ),
    triggers=TRIGGERS,
)
