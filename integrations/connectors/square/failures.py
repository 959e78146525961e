"""What goes wrong with calls to Square, and what to do about it."""

from integrations.framework import ConnectorError, PermanentError, Response, TemporaryError, dig


def check_partial(response: Response) -> None:
    """Raise when a successful status brings errors and nothing else."""
    body = response.json
    if isinstance(body, dict) and body.get("errors") and not set(body) - {"errors"}:
        raise failure(response) or PermanentError(f"Square did not do it: {words(response)}")


def words(response: Response) -> str:
    return str(dig(response.json, "errors.0.detail") or "no reason given")


def failure(response: Response) -> ConnectorError | None:
    code = str(dig(response.json, "errors.0.code") or "")
    category = dig(response.json, "errors.0.category")
    said = words(response)
    if code == "RATE_LIMITED" or category == "RATE_LIMIT_ERROR":
        return TemporaryError("Square asked us to slow down. We will try again.", status=429, code=code)
    if code in ("INSUFFICIENT_SCOPES", "FORBIDDEN"):
        return PermanentError(
            "Square does not let this connection do that. Reconnect it and allow everything it asks for.",
            status=response.status,
            code=code,
        )
    if code == "VERSION_MISMATCH":
        return PermanentError(
            "Somebody changed this in Square in the meantime. Read it again and use its new version.",
            status=response.status,
            code=code,
        )
    if category in ("PAYMENT_METHOD_ERROR", "REFUND_ERROR"):
        return PermanentError(f'Square declined it: "{said}"', status=response.status, code=code)
    return None
