"""Queries to a shop, and what goes wrong with them."""

from typing import Any

from integrations.framework import (
    ConnectorError,
    PermanentError,
    ReconnectError,
    Request,
    Response,
    TemporaryError,
    dig,
    given,
)

PATH = "/admin/api/2026-10/graphql.json"


def query(document: str, **variables: Any) -> Request:
    """Return one GraphQL call; variables that were not given are left out."""
    return Request("POST", PATH, json={"query": document, "variables": given(variables)})


def check(response: Response) -> None:
    """Raise what Shopify hides in a 200: errors of the query, and userErrors of a change."""
    failures = dig(response.json, "errors")
    if failures:
        first = failures[0] if isinstance(failures, list) else {"message": str(failures)}
        code = dig(first, "extensions.code") or ""
        if code in ("THROTTLED", "INTERNAL_SERVER_ERROR", "TIMEOUT"):
            raise TemporaryError(
                "Shopify is busy just now. We will try again.", code=code, retry_after=wait(response)
            )
        if code == "ACCESS_DENIED":
            raise PermanentError(
                "Shopify does not let us do this. Allow it in the app's permissions, then reconnect.",
                code=code,
            )
        raise PermanentError(
            f'Shopify did not accept the request: "{first.get("message") or "no reason given"}"', code=code
        )
    for part in (dig(response.json, "data") or {}).values():
        if isinstance(part, dict) and part.get("userErrors"):
            error = part["userErrors"][0]
            place = ".".join(str(name) for name in error.get("field") or [])
            words = f"{place}: {error.get('message')}" if place else str(error.get("message"))
            raise PermanentError(f'Shopify did not accept this: "{words}"', code=error.get("code") or "")


def wait(response: Response) -> float | None:
    """Return the seconds until the cost bucket holds what this call asked for, or None."""
    cost = dig(response.json, "extensions.cost") or {}
    status = cost.get("throttleStatus") or {}
    missing = (cost.get("requestedQueryCost") or 0) - (status.get("currentlyAvailable") or 0)
    rate = status.get("restoreRate") or 0
    return missing / rate if rate and missing > 0 else None


def refine(response: Response) -> ConnectorError | None:
    if response.status in (402, 423):
        return PermanentError(
            "This shop is paused or locked at Shopify. Open it there again first.", status=response.status
        )
    if response.status == 404:
        return ReconnectError("Shopify knows no shop of this name. Check the address and reconnect.")
    return None
