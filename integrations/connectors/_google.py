"""What Google's services share: the sign-in, what their failures mean, changes of Drive, notification channels."""

import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from integrations.framework import (
    ConnectorError,
    CursorPages,
    Inbound,
    OAuth2,
    PermanentError,
    ReconnectError,
    Reply,
    Request,
    Response,
    Subscription,
    TemporaryError,
    Webhooks,
    dig,
    token_in_header,
    vendor_message,
)

TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "concurrentLimitExceeded"})
SPENT = frozenset(
    {"dailyLimitExceeded", "quotaExceeded", "sharingRateLimitExceeded", "calendarUsageLimitsExceeded"}
)
SPENT_WAIT_SECONDS = 3600  # daily allowances come back by and by; asking every minute would only use them up
NOT_ALLOWED = frozenset({"ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions"})
SWITCHED_OFF = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})


def sign_in(*scopes: str) -> OAuth2:
    """Return Google's sign-in for these scopes, given without their common beginning."""
    return OAuth2(
        authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
        token_url="https://oauth2.googleapis.com/token",
        revoke_url="https://oauth2.googleapis.com/revoke",
        scopes=tuple(f"https://www.googleapis.com/auth/{scope}" for scope in scopes),
        # Google gives a refresh token only with offline access, and again only after asking for consent again.
        authorize_params={"access_type": "offline", "prompt": "consent"},
        expires_in=3600,
        label="Sign in with Google",
    )


def refine(service: str):
    """Return the on_error of a Google service: 403 may mean "slower", "tomorrow", "not allowed" or "switched off"."""

    def on_error(response: Response) -> ConnectorError | None:
        if response.status not in (400, 403, 429):
            return None
        reasons = set(_reasons(response))
        words = vendor_message(response)
        detail = f"status={response.status} reasons={','.join(sorted(reasons))} {words}"
        if reasons & NOT_ALLOWED:
            return ReconnectError(
                f"{service} needs one more permission. Reconnect it and tick every box Google shows.",
                detail=detail,
                status=response.status,
            )
        if reasons & SWITCHED_OFF:
            return PermanentError(
                f"{service} is switched off in our Google Cloud project. Ask the administrator to switch on its API.",
                detail=detail,
                status=response.status,
            )
        if reasons & SPENT:
            return TemporaryError(
                f"The allowance at {service} is used up for now. We will try again later.",
                retry_after=SPENT_WAIT_SECONDS,
                detail=detail,
                status=response.status,
            )
        if reasons & TOO_FAST and response.status == 403:
            return TemporaryError(
                f"{service} asked us to slow down. We will try again.", detail=detail, status=response.status
            )
        return None

    return on_error


def _reasons(response: Response) -> Iterable[str]:
    """Both of Google's error forms: errors[].reason of old, details[].reason of new services."""
    for path in ("error.errors[].reason", "error.details[].reason"):
        yield from (reason for reason in dig(response.json, path) or () if isinstance(reason, str))


DRIVE = "https://www.googleapis.com/drive/v3"
CHANNEL_SECONDS = 24 * 3600  # the longest Drive keeps a channel on one file


def ask_changes(since: Any, **query: Any) -> Request:
    """Ask Drive where its list of changes stands, then what came after that place."""
    if since is None:
        return Request("GET", f"{DRIVE}/changes/startPageToken", query={"supportsAllDrives": True})
    return Request(
        "GET",
        f"{DRIVE}/changes",
        query={
            "pageToken": since,
            "pageSize": 1000,
            "supportsAllDrives": True,
            "includeItemsFromAllDrives": True,
            "fields": f"nextPageToken,newStartPageToken,changes(changeType,time,removed,fileId,file({FILE_FIELDS}))",
            **query,
        },
    )


def changes_position(response: Response) -> str | None:
    """Where the next look goes on: told at the start, and on the last page."""
    return dig(response.json, "newStartPageToken") or dig(response.json, "startPageToken")


CHANGES_PAGES = CursorPages(items="changes", into="pageToken", cursor="nextPageToken")
FILE_FIELDS = (
    "id,name,mimeType,size,createdTime,modifiedTime,webViewLink,parents,trashed,owners(emailAddress)"
)


def open_channel(subscription: Subscription, path: str, seconds: int, **at: str) -> Request:
    """Ask Google to tell our address of changes. A channel cannot be prolonged: a later one takes its place."""
    return Request(
        "POST",
        path,
        at=at,
        json={
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{subscription.address} {subscription.now}")),
            "type": "web_hook",
            "address": subscription.address,
            "token": subscription.secret,
            "expiration": str(int((subscription.now + seconds) * 1000)),
        },
    )


def read_channel(response: Response, subscription: Subscription) -> dict[str, Any]:
    expires = datetime.fromtimestamp(int(response.json["expiration"]) / 1000, UTC)
    return {
        "id": response.json["id"],
        "resource_id": response.json["resourceId"],
        "secret": subscription.secret,
        "expires_at": expires.isoformat(),
    }


def channel_notice(inbound: Inbound) -> list[Any]:
    """Return the one notice a channel's delivery is: everything stands in its headers."""
    uri = inbound.headers.get("x-goog-resource-uri", "")
    return [
        {
            "state": inbound.headers.get("x-goog-resource-state", ""),
            "changed": [
                part.strip() for part in inbound.headers.get("x-goog-changed", "").split(",") if part.strip()
            ],
            "resource_uri": uri,
            "resource": uri.partition("?")[0].rpartition("/")[2],
            "notice": ":".join(
                inbound.headers.get(f"x-goog-{part}", "") for part in ("channel-id", "message-number")
            ),
        }
    ]


def greet_channel(inbound: Inbound) -> Reply | None:
    # The first call of a channel only says that it is open.
    return Reply(200) if inbound.headers.get("x-goog-resource-state") == "sync" else None


def channels(
    watch: Callable[[Subscription], Request],
    *,
    stop: str,
    setup: str = "",
    renew_before_seconds: int = 3600,
) -> Webhooks:
    """Return how Drive and Calendar tell of changes. stop: the address that closes a channel."""
    return Webhooks(
        address="trigger",
        signature=token_in_header("X-Goog-Channel-Token"),
        secret="subscription",
        event="state",
        events=channel_notice,
        delivery_id="notice",
        handshake=greet_channel,
        subscribe=watch,
        read=read_channel,
        renew=watch,
        renew_before_seconds=renew_before_seconds,
        unsubscribe=lambda subscription: Request(
            "POST",
            stop,
            json={"id": subscription.state["id"], "resourceId": subscription.state.get("resource_id")},
        ),
        setup=setup,
    )
