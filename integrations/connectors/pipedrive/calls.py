"""Calls to Pipedrive: their bodies, and what goes wrong with them."""

from collections.abc import Mapping
from typing import Any

from integrations.framework import ConnectorError, PermanentError, Request, Response, TemporaryError, dig

PAGE_SIZE = 100
MOST_PER_PAGE = 500


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
