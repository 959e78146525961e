"""The door through which sentences for people leave this package, so that the web application can translate them.

The package imports no web framework. The application calls `translate_with(django.utils.translation.gettext)` once when
it starts; without that call sentences stay in English. Call sites use the name `_`, which message extraction finds.
"""

from collections.abc import Callable

_translator: Callable[[str], str] | None = None


def translate_with(translator: Callable[[str], str] | None) -> None:
    """Use `translator` for every sentence from now on; None brings English back."""
    global _translator
    _translator = translator


def gettext(message: str) -> str:
    """Return `message` in the reader's language. Placeholders stay in braces, to be filled with `.format()`."""
    return _translator(message) if _translator else message
