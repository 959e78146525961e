"""Changes of a draft's triggers. A trigger is known by its key: its id, else its type, numbered from the second on.

Addresses, secrets and cursors belong to keys (workflows.triggers.rows.keyed), so a change never moves one to another.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from workflows.definition import limits
from workflows.definition.wording import gettext as _
from workflows.drafting.operations import free_name
from workflows.drafting.places import Document, NotThere, Refused


def keys(document: Document) -> list[str]:
    """Return the key of each trigger, in order; "" for what is no trigger."""
    found: list[str] = []
    for data in document.get("triggers") or []:
        if not isinstance(data, dict) or not isinstance(data.get("type"), str):
            found.append("")
            continue
        base = str(data.get("id") or data["type"])
        key, number = base, 1
        while key in found:
            number += 1
            key = f"{base}_{number}"
        found.append(key)
    return found


def find(document: Document, key: str) -> dict[str, Any]:
    """Return the trigger of a key. Raises NotThere."""
    for index, each in enumerate(keys(document)):
        if key and each == key:
            return document["triggers"][index]
    raise NotThere(_("This trigger is no longer there. Somebody may have removed it."))


def add(document: Document, trigger: dict[str, Any]) -> tuple[Document, str]:
    """Return (document with one more trigger, its key)."""
    document = _pinned(document)
    taken = set(keys(document))
    if len(taken) >= limits.MAX_TRIGGERS:
        raise Refused(_("A workflow may have {count} triggers at most.").format(count=limits.MAX_TRIGGERS))
    made = deepcopy(trigger)
    key = str(made.get("id") or made["type"])
    if key in taken:
        key = made["id"] = free_name(key, taken)
    document.setdefault("triggers", []).append(made)
    return document, key


def replace(document: Document, key: str, trigger: dict[str, Any]) -> Document:
    """Return the document with another trigger under the same key."""
    find(document, key)
    document = _pinned(document)
    index = keys(document).index(key)
    document["triggers"][index] = deepcopy(trigger)
    return document


def remove(document: Document, key: str) -> Document:
    """Return the document without a trigger; the others keep their keys."""
    find(document, key)
    document = _pinned(document)
    del document["triggers"][keys(document).index(key)]
    return document


def switch(document: Document, key: str, *, disabled: bool) -> Document:
    """Return the document with a trigger switched off, or on again."""
    document = deepcopy(document)
    trigger = find(document, key)
    trigger.pop("disabled", None)
    if disabled:
        trigger["disabled"] = True
    return document


def _pinned(document: Document) -> Document:
    """Return a copy in which triggers whose key depends on their place carry it as their id."""
    document = deepcopy(document)
    for key, trigger in zip(keys(document), document.get("triggers") or [], strict=True):
        if key and key != str(trigger.get("id") or trigger["type"]):
            trigger["id"] = key
    return document
