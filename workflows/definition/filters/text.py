"""Filters on text: case, parts, replacing, encoding, hashing, patterns and JSON."""

import base64
import binascii
import hashlib
import html
import json
import re
import unicodedata
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from workflows.definition import patterns
from workflows.definition.filters.bounds import (
    MAX_ITEMS,
    MAX_TEXT,
    FilterRefused,
    FilterTable,
    TooMuch,
    bounded_text,
    count_of,
    json_of,
    list_of,
    text_of,
)
from workflows.definition.wording import gettext as _

_TAGS = re.compile(
    r"<script[^>]*>.*?</script>|<style[^>]*>.*?</style>|<!--.*?-->|<[^<>]*>", re.DOTALL | re.IGNORECASE
)
_ENTITY = re.compile(r"&amp;((?:[a-zA-Z]{1,31}|#\d{1,7}|#x[0-9a-fA-F]{1,6});)")
HASHES = {"md5", "sha1", "sha256", "sha384", "sha512"}


def _replace(value: Any, old: Any, new: Any = "", count: int = -1) -> str:
    text, old, new = text_of(value), text_of(old), text_of(new)
    hits = text.count(old) if count < 0 else count
    if len(text) + hits * len(new) > MAX_TEXT:
        raise TooMuch(_("the text would become too long"))
    return text.replace(old, new, count)


def _replace_last(value: Any, old: Any, new: Any = "") -> str:
    head, found, tail = text_of(value).rpartition(text_of(old)) if text_of(old) else (text_of(value), "", "")
    return bounded_text(head + text_of(new) + tail) if found else text_of(value)


def _slice(value: Any, start: Any, length: Any = 1) -> Any:
    whole = value if isinstance(value, list) else text_of(value)
    first, count = count_of(start), max(count_of(length), 0)
    if first < 0:
        first += len(whole)
        if first < 0:
            return whole[:0]
    return whole[first : first + count]


def _split(value: Any, separator: Any = " ") -> list[str]:
    text, mark = text_of(value), text_of(separator)
    if not text:
        return []
    if not mark:
        return list_of(list(text))
    if text.count(mark) >= MAX_ITEMS:
        raise TooMuch(_("the list would have too many items"))
    return text.split() if mark == " " else text.split(mark)


def _truncate(value: Any, length: Any = 50, ending: Any = "...") -> str:
    text, limit, end = text_of(value), max(count_of(length), 0), text_of(ending)
    return text if len(text) <= limit else bounded_text(text[: max(limit - len(end), 0)] + end)


def _truncate_words(value: Any, count: Any = 15, ending: Any = "...") -> str:
    text = text_of(value)
    words = text.split(None, max(count_of(count), 1))
    return text if len(words) <= max(count_of(count), 1) else " ".join(words[:-1]) + text_of(ending)


def _slugify(value: Any, separator: Any = "-") -> str:
    plain = unicodedata.normalize("NFKD", text_of(value)).encode("ascii", "ignore").decode().lower()
    return text_of(separator)[:5].join(re.findall(r"[a-z0-9]+", plain))


def _strip_html(value: Any) -> str:
    text = text_of(value)
    # Unclosed comments and scripts would make the lazy patterns scan to the end again and again.
    if min(text.count("<!--"), 10_000) > text.count("-->") + 100 or text.lower().count("<script") > 1_000:
        return html.unescape(re.sub(r"<[^<>]*>", "", text))
    return html.unescape(_TAGS.sub("", text))


def _base64_decode(value: Any) -> str:
    text = "".join(text_of(value).split())
    try:
        raw = base64.b64decode(
            text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True
        )
        return raw.decode("utf-8")
    except (binascii.Error, ValueError) as error:
        raise FilterRefused(_("this is not base64 text")) from error


def _bytes(value: Any) -> bytes:
    return text_of(value).encode("utf-8", "surrogatepass")


def _hash(value: Any, algorithm: Any = "sha256") -> str:
    name = text_of(algorithm).lower()
    if name not in HASHES:
        raise FilterRefused(_("hash knows {names}").format(names=", ".join(sorted(HASHES))))
    return hashlib.new(name, _bytes(value), usedforsecurity=False).hexdigest()


def _regex_extract(value: Any, pattern: Any, group: Any = None) -> str:
    match = patterns.search(text_of(pattern), text_of(value))
    if match is None:
        return ""
    number = count_of(group) if group is not None else min(match.re.groups, 1)
    if not 0 <= number <= match.re.groups:
        raise FilterRefused(_("the pattern has no group {number}").format(number=number))
    return match.group(number) or ""


def _parse_json(value: Any) -> Any:
    text = text_of(value)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(bounded_text(text), parse_constant=_refuse_constant, parse_int=_short_int)
    except RecursionError as error:
        raise FilterRefused(_("this JSON is nested too deeply")) from error
    except ValueError as error:
        raise FilterRefused(_("this is not valid JSON")) from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def _short_int(digits: str) -> int | float:
    return int(digits) if len(digits) <= 60 else float(digits)


FILTERS: FilterTable = {
    "append": lambda value, more: bounded_text(text_of(value) + text_of(more)),
    "prepend": lambda value, more: bounded_text(text_of(more) + text_of(value)),
    "capitalize": lambda value: text_of(value)[:1].upper() + text_of(value)[1:].lower(),
    "titlecase": lambda value: re.sub(
        r"[^\W\d_]+('[^\W\d_]+)?", lambda m: m[0][0].upper() + m[0][1:], text_of(value)
    ),
    "downcase": lambda value: text_of(value).lower(),
    "upcase": lambda value: text_of(value).upper(),
    "strip": lambda value: text_of(value).strip(),
    "lstrip": lambda value: text_of(value).lstrip(),
    "rstrip": lambda value: text_of(value).rstrip(),
    "squish": lambda value: " ".join(text_of(value).split()),
    "strip_html": _strip_html,
    "strip_newlines": lambda value: text_of(value).replace("\r", "").replace("\n", ""),
    "newline_to_br": lambda value: _replace(text_of(value).replace("\r\n", "\n"), "\n", "<br />\n"),
    "escape": lambda value: bounded_text(html.escape(text_of(value))),
    "escape_once": lambda value: bounded_text(_ENTITY.sub(r"&\1", html.escape(text_of(value)))),
    "remove": lambda value, old: _replace(value, old) if text_of(old) else text_of(value),
    "remove_first": lambda value, old: _replace(value, old, "", 1) if text_of(old) else text_of(value),
    "remove_last": _replace_last,
    "replace": lambda value, old, new="": _replace(value, old, new),
    "replace_first": lambda value, old, new="": _replace(value, old, new, 1),
    "replace_last": _replace_last,
    "slice": _slice,
    "split": _split,
    "lines": lambda value: list_of([line for line in text_of(value).splitlines() if line.strip()]),
    "truncate": _truncate,
    "truncatewords": _truncate_words,
    "slugify": _slugify,
    "url_encode": lambda value: bounded_text(quote_plus(_bytes(value))),
    "url_decode": lambda value: unquote_plus(text_of(value)),
    "base64_encode": lambda value: bounded_text(base64.b64encode(_bytes(value)).decode()),
    "base64_decode": _base64_decode,
    "hash": _hash,
    "regex_replace": lambda value, pattern, new="": patterns.substitute(
        text_of(pattern), text_of(new), text_of(value), MAX_TEXT
    ),
    "regex_match": lambda value, pattern: patterns.search(text_of(pattern), text_of(value)) is not None,
    "regex_extract": _regex_extract,
    "regex_find_all": lambda value, pattern: patterns.find_all(text_of(pattern), text_of(value), MAX_ITEMS),
    "json": lambda value, indent=None: json_of(
        value, None if indent is None else min(max(count_of(indent), 0), 8)
    ),
    "parse_json": _parse_json,
    "to_text": text_of,
}
