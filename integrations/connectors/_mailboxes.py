"""Reads the recipients a person typed, for the services that send mail."""

from email.utils import getaddresses

from integrations.framework import PermanentError


def mailboxes(text: str) -> list[tuple[str, str]]:
    """Return (name, address) of each in "Ada <ada@example.com>, bob@example.com". Raises PermanentError."""
    found = getaddresses([one_line(text)])
    for name, address in found:  # what the parser cannot read comes back as an empty pair
        if address.count("@") != 1 or address.startswith("@") or address.endswith("@") or " " in address:
            raise PermanentError(
                f"“{address or name or text}” is not an e-mail address. Correct it in this step."
            )
    return found


def one_line(text: str) -> str:
    # A line break in a header would begin another header.
    return " ".join(str(text).split())
