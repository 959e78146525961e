"""Which answers of a template's form are something a connected service can list: its channels, boards, sheets.

Nobody writes this into a template: an answer that is put as a whole into a field whose choices the connector
knows (`{"channel": {"$config": "channel"}}`) can be chosen from those choices.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as with_default
from typing import Any

from django import forms
from django.urls import reverse
from django.utils.translation import gettext as _

from integrations.choices import field_of
from integrations.framework import Connector, registry
from templates_lib.models import Template
from templates_lib.placeholders import WHOLE

SAME_FOR_ALL = "00000000-0000-0000-0000-000000000000"
TEXTUAL = (forms.CharField, forms.IntegerField)


@dataclass(frozen=True, slots=True)
class Source:
    """Where choices come from. answers: field it depends on -> name of the answer; fixed: the same -> its value."""

    provider: str
    connector: Connector
    operation: str
    key: str
    answers: Mapping[str, str] = with_default(default_factory=dict)
    fixed: Mapping[str, str] = with_default(default_factory=dict)


def sources_of(template: Template) -> dict[str, Source]:
    """Return answer -> where its choices come from; the first field that takes the answer decides."""
    found: dict[str, Source] = {}
    for part in _calls([template.triggers, template.definition]):
        for name, source in _of_call(part):
            found.setdefault(name, source)
    return found


def offer(
    form: forms.Form, template: Template, accounts: Mapping[str, str], several: Mapping[str, str]
) -> None:
    """Tell the form's fields where the page asks for their choices.

    accounts: provider -> id of the only account. several: provider -> HTML id of the field that chooses one.
    """
    for name, source in sources_of(template).items():
        asked = form.fields.get(name)
        if not isinstance(asked, TEXTUAL) or not (source.provider in accounts or source.provider in several):
            continue
        needs = {key: form[answer].auto_id for key, answer in source.answers.items() if answer in form.fields}
        if len(needs) < len(source.answers):
            continue
        account = accounts.get(source.provider, SAME_FOR_ALL)
        parts = [source.connector.slug, account, source.operation, source.key]
        asked.widget.attrs.update({
            "data-choices-url": reverse("integrations:options", args=parts),
            "data-choices-account": several.get(source.provider, ""),
            "data-choices-needs": json.dumps(needs),
            "data-choices-fixed": json.dumps(dict(source.fixed)),
            "data-choices-prompt": _("Choose …"),
            "data-choices-label": _("%(label)s: choose") % {"label": asked.label},
        })  # fmt: skip


def _of_call(part: Mapping[str, Any]) -> Iterator[tuple[str, Source]]:
    given = part.get("with")
    if not isinstance(given, Mapping):
        return
    try:
        connector = registry.get(str(part.get("provider", "")))
    except KeyError:
        return
    operation = str(part.get("operation") or part.get("event") or "")
    for key, value in given.items():
        name = _answer_in(value)
        try:
            declared = field_of(connector, operation, key)
        except KeyError:
            continue
        if name is None or not declared.options:
            continue
        needed = {each: (given or {})[each] for each in declared.depends_on if each in (given or {})}
        answers = {each: _answer_in(value) for each, value in needed.items()}
        fixed = {
            each: str(value)
            for each, value in needed.items()
            if answers[each] is None and isinstance(value, str | int)
        }
        taken = {each: answer for each, answer in answers.items() if answer is not None}
        if len(taken) + len(fixed) < len(declared.depends_on):
            continue  # something it depends on is known only when the workflow runs
        yield name, Source(connector.provider, connector, operation, key, taken, fixed)


def _answer_in(value: Any) -> str | None:
    """Return the answer that a value is as a whole, or as the only entry of a list."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, Mapping) and set(value) == {WHOLE} and "." not in str(value[WHOLE]):
        return str(value[WHOLE])
    return None


def _calls(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if "provider" in value and ("operation" in value or "event" in value):
            yield value
        for entry in value.values():
            yield from _calls(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _calls(entry)
