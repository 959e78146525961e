"""The text operations of transform: split, join, changes of text, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from workflows.definition import patterns
from workflows.definition.filters import FILTERS
from workflows.definition.filters.bounds import MAX_ITEMS, MAX_TEXT, at_path, bounded_text, count_of, text_of
from workflows.definition.wording import gettext as _
from workflows.engine.here import Here
from workflows.engine.interface import Json
from workflows.engine.signals import failure
from workflows.steps.lists import each

if TYPE_CHECKING:
    from workflows.steps.transform import Transform

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
TRUNCATE_AT = 100  # characters, where the author names no count


def split(step: Transform, here: Here) -> Json:
    text = text_of(step.subject(here))
    if not text:
        return []
    separator = step.step.separator
    parts = text.split(separator, MAX_ITEMS) if separator else list(text[: MAX_ITEMS + 1])
    if len(parts) > MAX_ITEMS:
        raise failure(_("This text has more than {limit} parts.").format(limit=MAX_ITEMS))
    return [part.strip() for part in parts] if separator.strip() else parts


def joined(step: Transform, here: Here) -> Json:
    values = (value for _item, value in each(here, step.list(here), step.value))
    return bounded_text(step.step.separator.join(text_of(value) for value in values))


def changed(step: Transform, here: Here) -> Json:
    """Do what `function` says to one text, or to each text of a list."""
    value = step.subject(here)
    if isinstance(value, list):
        return [_changed(step, here, text_of(item)) for item in value]
    return _changed(step, here, text_of(value))


def _changed(step: Transform, here: Here, text: str) -> Json:
    function, pattern = step.step.function, step.step.pattern
    match function:
        case "upper":
            return text.upper()
        case "lower":
            return text.lower()
        case "title":
            return FILTERS["titlecase"](text)
        case "slug":
            return FILTERS["slugify"](text)
        case "lines":
            return FILTERS["lines"](text)
        case "truncate":
            length = count_of(here.render(step.count)) if step.count is not None else TRUNCATE_AT
            return FILTERS["truncate"](text, length, "…")
        case "replace" | "extract" if not pattern:
            raise failure(_("This step does not say what to find. Fill in “pattern”."))
        case "replace":
            return patterns.substitute(pattern, text_of(here.render(step.replacement)), text, MAX_TEXT)
        case "extract":
            limit = count_of(here.render(step.count)) if step.count is not None else None
            found = patterns.find_all(pattern, text, 1 if limit is None else max(limit, 1))
            return found if limit is not None else (found[0] if found else None)
        case _:
            return text.strip()


def parsed_csv(step: Transform, here: Here) -> Json:
    """Return a list of objects by column name, or of lists when the text has no header."""
    text = text_of(step.subject(here)).removeprefix("\ufeff")
    try:
        rows = [
            row for row in csv.reader(io.StringIO(text), delimiter=step.step.delimiter, strict=True) if row
        ]
    except csv.Error as problem:
        raise failure(
            _("This text is no CSV: a quote is not closed, or a row is broken."), detail=str(problem)
        ) from None
    if len(rows) > MAX_ITEMS:
        raise failure(
            _("This table has {count} rows; {limit} is the most.").format(count=len(rows), limit=MAX_ITEMS)
        )
    if not step.step.header:
        return rows
    if not rows:
        return []
    names = _column_names(rows[0])
    width = len(names)
    return [
        {name: (row[index] if index < len(row) else "") for index, name in enumerate(names)}
        | ({"_more": row[width:]} if len(row) > width else {})
        for row in rows[1:]
    ]


def _column_names(header: list[str]) -> list[str]:
    """Return a name for every column: an empty one is called column_3, a second "name" becomes "name_2"."""
    names: list[str] = []
    for index, title in enumerate(header):
        name = title.strip() or f"column_{index + 1}"
        number = 2
        unique = name
        while unique in names:
            unique, number = f"{name}_{number}", number + 1
        names.append(unique)
    return names


def written_csv(step: Transform, here: Here) -> Json:
    """Return CSV text (RFC 4180), columns as named or in order of first appearance."""
    items = step.list(here)
    columns = list(step.step.columns)
    if not columns:
        columns = list(dict.fromkeys(key for item in items if isinstance(item, dict) for key in item))
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=step.step.delimiter)
    if step.step.header and columns:
        writer.writerow([_cell(column) for column in columns])
    for item in items:
        row = item if isinstance(item, list) else [at_path(item, column) for column in columns] or [item]
        writer.writerow([_cell(value) for value in row])
        if buffer.tell() > MAX_TEXT:
            raise failure(_("This table is longer than {limit} characters.").format(limit=MAX_TEXT))
    return buffer.getvalue()


def _cell(value: Json) -> str:
    text = text_of(value)
    # A spreadsheet would run text that begins like a formula (CWE-1236); numbers stay numbers.
    if isinstance(value, str) and text.startswith(FORMULA_STARTS) and not _is_number(text):
        return "'" + text
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def parsed_json(step: Transform, here: Here) -> Json:
    value = step.subject(here)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:
        raise failure(
            _("This text is no JSON. Check what the step before it gives."), detail=str(problem)
        ) from None


def written_json(step: Transform, here: Here) -> Json:
    return bounded_text(json.dumps(step.subject(here), ensure_ascii=False))


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is no JSON")
