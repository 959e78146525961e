"""E-mail on a developer's machine reads like a message, not like a transcript."""

from __future__ import annotations

import io

from django.core.mail import EmailMultiAlternatives

from config.mail import TerminalEmailBackend


def test_the_terminal_shows_the_text_and_nothing_else() -> None:
    message = EmailMultiAlternatives("Your code", "Hello Ada,\n\nyour code is 4711.", to=["ada@x.example"])
    message.attach_alternative("<p>Your code is <b>4711</b>.</p>", "text/html")
    stream = io.StringIO()
    assert TerminalEmailBackend(stream=stream).send_messages([message]) == 1
    said = stream.getvalue()
    assert said.startswith(
        "\nE-mail to ada@x.example: Your code\n\n    Hello Ada,\n\n    your code is 4711.\n"
    )
    assert "<b>" not in said
    assert "Content-Type" not in said
