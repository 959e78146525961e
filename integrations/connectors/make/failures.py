"""What goes wrong with calls to Make, and what to do about it."""

from urllib.parse import urlsplit

from integrations.framework import ConnectorError, PermanentError, Response


def failure(response: Response) -> ConnectorError | None:
    """Return the error of webhooks that take nothing, and of keys that lack a right."""
    host = urlsplit(response.url).hostname or ""
    if host.startswith("hook.") and response.status in (404, 410):
        return PermanentError(
            "This webhook is switched off, or no scenario uses it. Switch its scenario on in Make.",
            status=response.status,
        )
    if host.startswith("hook.") and response.status == 400:
        return PermanentError(
            "Make did not take the data: the webhook's queue may be full. Run its scenario in Make.",
            status=400,
        )
    if response.status == 403:
        return PermanentError(
            "The API key may not do that. Make a new one in Make, with all the rights the connection asks for, and "
            "reconnect.",
            status=403,
        )
    return None
