"""What Microsoft Graph's services share: the sign-in, what failures mean, and notifications of changes."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.framework import (
    ConnectorError,
    Field,
    Inbound,
    OAuth2,
    PermanentError,
    ReconnectError,
    Reply,
    Request,
    Response,
    SharedToken,
    Subscription,
    Webhooks,
    dig,
    echo_query,
    vendor_message,
)

GRAPH = "https://graph.microsoft.com/v1.0"
TENANT = Field(
    "tenant",
    label="Directory",
    required=True,
    default="common",
    example="common",
    help="Keep “common”, unless your administrator named a directory (tenant) id.",
)
NO_MAILBOX = frozenset({"MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI"})
ASK_AGAIN = frozenset({"InvalidAuthenticationToken", "TokenExpired", "AuthenticationError"})


def sign_in(*scopes: str) -> OAuth2:
    """Return Microsoft's sign-in for these Graph permissions."""
    return OAuth2(
        authorize_url="https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
        token_url="https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        scopes=("openid", "profile", "offline_access", "User.Read", *scopes),
        authorize_params={"prompt": "select_account"},
        rotates_refresh_token=True,
        expires_in=3600,
        label="Sign in with Microsoft",
    )


def refine(service: str) -> Callable[[Response], ConnectorError | None]:
    """Return the on_error of a Graph service."""

    def on_error(response: Response) -> ConnectorError | None:
        code = str(dig(response.json, "error.code") or "")
        detail = f"status={response.status} code={code} {vendor_message(response)}"
        if code in NO_MAILBOX:
            return PermanentError(
                "This Microsoft account has no mailbox in Microsoft 365. Connect an account that has one.",
                detail=detail,
                status=response.status,
                code=code,
            )
        if code in ASK_AGAIN:
            return ReconnectError(
                f"{service} no longer accepts this connection. Reconnect it.",
                detail=detail,
                status=response.status,
                code=code,
            )
        return None

    return on_error


def notifications(resource: Callable[[Mapping[str, Any]], str], change: str, *, minutes: int) -> Webhooks:
    """Return how Graph tells of changes.

    resource: what is watched, made from the trigger's config. change: created or updated. minutes: how long it lasts.
    It is renewed when half of that is left: a renewal also proves again that we may see the data, which Graph's
    lifecycle notices ask for.
    """

    def until(subscription: Subscription) -> str:
        end = datetime.fromtimestamp(subscription.now, UTC) + timedelta(minutes=minutes)
        return end.strftime("%Y-%m-%dT%H:%M:%SZ")

    def subscribe(subscription: Subscription) -> Request:
        return Request(
            "POST",
            "/subscriptions",
            json={
                "changeType": change,
                "notificationUrl": subscription.address,
                "lifecycleNotificationUrl": subscription.address,  # wanted for anything longer than an hour
                "resource": resource(subscription.config),
                "expirationDateTime": until(subscription),
                "clientState": subscription.secret,
            },
        )

    return Webhooks(
        address="trigger",
        signature=SharedToken(client_states),
        secret="subscription",
        handshake=echo_query("validationToken"),
        events="value",
        event="changeType",
        delivery_id=notice_id,
        subscribe=subscribe,
        read=lambda response, subscription: {
            "id": response.json["id"],
            "secret": subscription.secret or subscription.state.get("secret", ""),
            "expires_at": response.json["expirationDateTime"],
        },
        renew=lambda subscription: Request(
            "PATCH",
            "/subscriptions/{id}",
            at={"id": subscription.state["id"]},
            json={"expirationDateTime": until(subscription)},
        ),
        renew_before_seconds=minutes * 30,
        unsubscribe=lambda subscription: Request(
            "DELETE", "/subscriptions/{id}", at={"id": subscription.state["id"]}
        ),
        answer=Reply(202),
    )


def client_states(inbound: Inbound) -> list[str]:
    return [
        str(notice.get("clientState") or "")
        for notice in dig(inbound.json, "value") or ()
        if isinstance(notice, dict)
    ]


def notice_id(inbound: Inbound, event: Any) -> str:
    """Return what a notice sent twice has in common. A second change of one object has another version (etag)."""
    version = dig(event, "resourceData.@odata.etag") or ""
    name = dig(event, "resourceData.id") or ""
    if not name or (event.get("changeType") != "created" and not version):
        return ""
    return f"{event.get('subscriptionId')}:{event.get('changeType')}:{name}:{version}"


def notice(change: str, resource: str, kind: str, name: str, **fetched: Any) -> dict[str, Any]:
    """Return a sample notice in Graph's shape, with what is fetched after it."""
    return {
        "subscriptionId": "76619225-ff6b-4e97-96ee-4f3b7e1f4b2e",
        "clientState": "secret",
        "changeType": change,
        "subscriptionExpirationDateTime": "2026-11-25T09:30:00Z",
        "tenantId": "84bd8158-6d4d-4958-8b9f-9d6445542f95",
        "resource": resource,
        "resourceData": {
            "@odata.type": kind,
            "@odata.id": resource,
            "@odata.etag": 'W/"CQAAABYAAAD"',
            "id": name,
        },
        **fetched,
    }
