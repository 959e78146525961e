"""E-mail on a developer's machine: the text of each message on the terminal, where its links can be clicked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.mail.backends.console import EmailBackend


class TerminalEmailBackend(EmailBackend):
    """Prints whom a message is for, its subject and its plain text; the HTML and the headers only hide them."""

    def write_message(self, message: Any) -> None:
        recipients: Sequence[str] = message.recipients()
        self.stream.write(f"\nE-mail to {', '.join(recipients)}: {message.subject}\n\n")
        self.stream.write(
            "".join(f"    {line}".rstrip() + "\n" for line in str(message.body).strip().splitlines())
        )
        self.stream.write("\n")
