"""Shopify: orders, customers, products, stock and draft orders through the Admin GraphQL API."""

from integrations.connectors.shopify.calls import check, query, refine
from integrations.connectors.shopify.customers import CREATE_CUSTOMER, FIND_CUSTOMER, UPSERT_CUSTOMER
from integrations.connectors.shopify.orders import (
    CREATE_DRAFT,
    FIND_ORDER,
    GET_ORDER,
    SEND_DRAFT,
    UPDATE_ORDER,
    tagged,
)
from integrations.connectors.shopify.products import ADJUST_INVENTORY, FIND_PRODUCT, LIST_LOCATIONS
from integrations.connectors.shopify.triggers import TRIGGERS, subscribe, unsubscribe
from integrations.framework import ApiKey, Connector, Field, Hmac, Test, Webhooks, dig
from integrations.framework.auth import OAuth2
from integrations.framework.oauth import signed_callback

connector = Connector(
    slug="shopify",
    name="Shopify",
    category="Commerce",
    summary="Work with orders, customers, products, stock and draft orders of a shop.",
    docs_url="https://shopify.dev/docs/api/admin-graphql",
    base_url="https://{shop}",
    auth=(
        OAuth2(
            authorize_url="https://{shop}/admin/oauth/authorize",
            token_url="https://{shop}/admin/oauth/access_token",
            scopes=(
                "read_orders",
                "write_orders",
                "read_customers",
                "write_customers",
                "read_products",
                "write_products",
                "read_inventory",
                "write_inventory",
                "read_locations",
                "read_draft_orders",
                "write_draft_orders",
            ),
            scope_separator=",",
            token_body="json",
            token_params={"expiring": "1"},
            pkce=False,
            rotates_refresh_token=True,
            check_callback=signed_callback(account={"shop": "shop"}),
            header="X-Shopify-Access-Token",
            header_prefix="",
        ),
        ApiKey(
            header="X-Shopify-Access-Token",
            secret_label="Admin API token",
            help="Of a custom app made in the shop's admin; it begins with shpat_.",
            label="Token of a custom app",
        ),
    ),
    account=(
        Field(
            "shop",
            label="Shop address",
            required=True,
            pattern=r"^[a-zA-Z0-9][a-zA-Z0-9-]*\.myshopify\.com$",
            example="garden-chairs.myshopify.com",
            help="The address that ends in .myshopify.com.",
        ),
    ),
    test=Test(
        query("query TestConnection { shop { id name myshopifyDomain } }"),
        account={"shop_id": "data.shop.id"},
        label="data.shop.name",
    ),
    check=check,
    on_error=refine,
    webhooks=Webhooks(
        address="trigger",
        signature=Hmac(header="X-Shopify-Hmac-SHA256", encoding="base64"),
        secret="app",
        secret_name="client_secret",
        event="header:x-shopify-topic",
        delivery_id="header:x-shopify-webhook-id",
        subscribe=subscribe,
        read=lambda response, subscription: {
            "id": dig(response.json, "data.webhookSubscriptionCreate.webhookSubscription.id")
        },
        unsubscribe=unsubscribe,
    ),
    actions=(
        GET_ORDER,
        FIND_ORDER,
        UPDATE_ORDER,
        tagged("add_tags", "Add tags", "tagsAdd"),
        tagged("remove_tags", "Remove tags", "tagsRemove"),
        FIND_CUSTOMER,
        CREATE_CUSTOMER,
        UPSERT_CUSTOMER,
        FIND_PRODUCT,
        ADJUST_INVENTORY,
        CREATE_DRAFT,
        SEND_DRAFT,
        LIST_LOCATIONS,
    ),
    triggers=TRIGGERS,
)
