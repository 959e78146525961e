"""What Google's services share: the sign-in, and what their failures mean."""

from collections.abc import Iterable

from integrations.framework import (
    ConnectorError,
    OAuth2,
    PermanentError,
    ReconnectError,
    Response,
    TemporaryError,
    dig,
    vendor_message,
)

TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "concurrentLimitExceeded"})
SPENT = frozenset({"dailyLimitExceeded", "quotaExceeded", "sharingRateLimitExceeded", "calendarUsageLimitsExceeded"})
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
                detail=detail, status=response.status)
        if reasons & SWITCHED_OFF:
            return PermanentError(
                f"{service} is switched off in our Google Cloud project. Ask the administrator to switch on its API.",
                detail=detail, status=response.status)
        if reasons & SPENT:
            return TemporaryError(
                f"The allowance at {service} is used up for now. We will try again later.",
                retry_after=SPENT_WAIT_SECONDS, detail=detail, status=response.status)
        if reasons & TOO_FAST and response.status == 403:
            return TemporaryError(
                f"{service} asked us to slow down. We will try again.", detail=detail, status=response.status)
        return None

    return on_error


def _reasons(response: Response) -> Iterable[str]:
    """Both of Google's error forms: errors[].reason of old, details[].reason of new services."""
    for path in ("error.errors[].reason", "error.details[].reason"):
        yield from (reason for reason in dig(response.json, path) or () if isinstance(reason, str))
