"""What a step asked models and what they answered, in words for the run page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from workflows.models import AiExchange, ExecutionStep

MOST = 100
MOST_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class Said:
    """One part of a conversation. who: in words."""

    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Talk:
    """One exchange. asked, answered: empty when the organization does not keep content."""

    exchange: AiExchange
    asked: list[Said]
    answered: list[Said]


def exchanges_of(step: ExecutionStep) -> list[Talk]:
    """Return what one try of a step asked, oldest first: one query."""
    if step.step_type != "ai":
        return []
    rows = AiExchange.objects.filter(
        execution_id=step.execution_id, path=step.path, attempt=step.attempt
    ).order_by("id")[:MOST]
    talks, known = [], 0
    for row in rows:
        messages = (row.request or {}).get("messages") or []
        # Later turns repeat what was said before; only what is new is shown.
        fresh = messages[known:] if 0 < known < len(messages) else messages
        known = len(messages) + 1
        talks.append(
            Talk(
                row,
                [said for message in fresh for said in _said(message)],
                list(_said(row.answer or {})),
            )
        )
    return talks


def _said(message: Any) -> Iterator[Said]:
    who = {
        "system-prompt": _("Instructions"),
        "user-prompt": _("Question"),
        "text": _("Answer"),
        "thinking": _("Thoughts"),
        "tool-call": _("Wants to use"),
        "tool-return": _("Result"),
        "retry-prompt": _("Asked again"),
    }
    for part in message.get("parts", ()) if isinstance(message, dict) else ():
        content = part.get("content")
        if part.get("part_kind") == "tool-call":
            arguments = part.get("args")
            shown = (
                arguments
                if isinstance(arguments, str)
                else json.dumps(arguments, ensure_ascii=False, indent=2)
            )
            content = f"{part.get('tool_name')} {shown}"
        elif isinstance(content, list):
            content = "\n".join(entry if isinstance(entry, str) else _("(a file)") for entry in content)
        elif not isinstance(content, str):
            content = json.dumps(content, ensure_ascii=False, indent=2)
        if content:
            yield Said(who.get(str(part.get("part_kind")), _("Message")), content[:MOST_CHARACTERS])
