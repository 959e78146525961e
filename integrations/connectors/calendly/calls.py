"""How Calendly's resources are addressed and listed, and what goes wrong with calls."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from integrations.framework import (
    Call,
    ConnectorError,
    CursorPages,
    Output,
    Request,
    Response,
    TemporaryError,
    dig,
)

PAGE_SIZE = 100
MOST_PAGES = 50
PAGES = CursorPages(items="collection", into="page_token", cursor="pagination.next_page_token")


def refine(response: Response) -> ConnectorError | None:
    if response.status != 429:
        return None
    wait = response.headers.get("x-ratelimit-reset", "")
    return TemporaryError(
        "Calendly asked us to slow down. We will try again.",
        retry_after=float(wait) if wait.isdigit() else 60,
        status=429,
    )


def pause(response: Response) -> float | None:
    wait = response.headers.get("x-ratelimit-reset", "")
    return float(wait) if response.headers.get("x-ratelimit-remaining") == "0" and wait.isdigit() else None


def utc(moment: str) -> str:
    """Return an ISO time in UTC with Z, the only form Calendly takes; without a zone it is UTC already."""
    parsed = datetime.fromisoformat(moment)
    parsed = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return parsed.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def uuid_of(address: str) -> str:
    """Return the last part of an object's address, which paths want; the part itself stays as it is."""
    return address.rstrip("/").rpartition("/")[2]


def listing(path: str, name: str, query: Callable[[Call], dict[str, Any]], of: Mapping[str, Output | str]):
    """Return a `run` that reads all pages of a list which needs to know whose it is: that is kept with the account."""

    def run(call: Call):
        most = int(call.inputs.get("limit") or 1000)
        items: list[Any] = []
        request: Request | None = Request("GET", path, query={**query(call), "count": PAGE_SIZE})
        for _page in range(MOST_PAGES):
            response = yield request
            items.extend(dig(response.json, "collection", []))
            request = PAGES.next(request, response)
            if request is None or len(items) >= most:
                break
        declared = {key: value if isinstance(value, Output) else Output(value) for key, value in of.items()}
        return {
            name: [{key: dig(item, output.path) for key, output in declared.items()} for item in items[:most]]
        }

    return run


def whose(call: Call) -> dict[str, Any]:
    """Return the owner of a list: the chosen person, else the whole organization."""
    if call.inputs.get("user"):
        return {"user": call.inputs["user"]}
    return {"organization": call.account.get("organization_uri")}
