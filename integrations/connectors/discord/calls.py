"""How to wait for Discord, what goes wrong with calls to it, and the messages of a channel."""

from integrations.framework import ConnectorError, PermanentError, Request, Response, dig

# Discord's numbers for what a person can put right, and how.
MEANINGS = {
    50001: "The bot cannot see that channel. Give it access in the channel's settings.",
    50007: "That person takes no direct messages from the bot.",
    50013: "The bot lacks a permission for that. Give its role the permission in the server's settings.",
    10003: "The channel is gone. Choose another one.",
    10004: "The server is gone, or the bot was removed from it.",
    10015: "The channel webhook is gone. Make a new one in the channel's settings.",
    30003: "The channel holds as many pins as it can.",
    30013: "The server holds as many channels as it can.",
}

PAGE_SIZE = 100


def refine(response: Response) -> ConnectorError | None:
    code = dig(response.json, "code")
    if response.status in (400, 403, 404) and code in MEANINGS:
        return PermanentError(MEANINGS[code], status=response.status, code=str(code), detail=f"code={code}")
    return None


def wait(response: Response) -> float | None:
    """Return the pause Discord asks for when a route's allowance is spent, in seconds."""
    if response.headers.get("x-ratelimit-remaining") != "0":
        return None
    try:
        return float(response.headers.get("x-ratelimit-reset-after", ""))
    except ValueError:
        return None


def channel_messages(channel: str, before: str | None = None) -> Request:
    return Request(
        "GET",
        "/channels/{channel}/messages",
        at={"channel": channel},
        query={"limit": PAGE_SIZE, "before": before},
    )
