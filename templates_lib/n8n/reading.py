"""Reading an export of n8n: every malformed or hostile file is refused in words, and nothing of it is trusted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

MAX_BYTES = 2 * 1024 * 1024
MAX_NODES = 400
MAX_DEPTH = 60
MAX_EDGES = 4_000
NOTES = frozenset({"stickyNote"})


class NotReadable(Exception):
    """The file is no n8n workflow. The message says what to do."""


@dataclass(slots=True)
class Node:
    """One node. kind: type without its package, like httpRequest; full_type: as written; version: major and minor."""

    name: str
    kind: str
    full_type: str
    parameters: dict[str, Any]
    version: float = 1.0
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def is_disabled(self) -> bool:
        return self.settings.get("disabled") is True


@dataclass(slots=True)
class Document:
    """A workflow: its nodes by name, its edges (output -> input), and what hangs off AI nodes."""

    name: str
    nodes: dict[str, Node]
    # source -> [(output, target, input)], in the order drawn
    edges: dict[str, list[tuple[int, str, int]]]
    # AI node -> [(connection type, name of the model, tool, memory or parser)]
    parts: dict[str, list[tuple[str, str]]]
    notes: list[str]
    timezone: str = ""


def read(text: str | bytes) -> Document:
    """Return the workflow in an exported file. Raises NotReadable."""
    if len(text) > MAX_BYTES:
        raise NotReadable(_("This file is larger than 2 MB. Export a single workflow."))
    try:
        data = json.loads(text)
    except RecursionError:
        raise NotReadable(_("This file is nested too deeply to be a workflow.")) from None
    except UnicodeDecodeError:
        raise NotReadable(_("This file is not text. Choose the .json file that n8n exported.")) from None
    except json.JSONDecodeError as error:
        raise NotReadable(
            _("This is not valid JSON: line {line}, column {column}. Copy the whole file again.").format(
                line=error.lineno, column=error.colno
            )
        ) from None
    except ValueError:
        raise NotReadable(_("This file holds a number that is too long.")) from None
    return document_of(data)


def document_of(data: Any) -> Document:
    """Return the workflow that parsed JSON describes. Raises NotReadable."""
    _refuse_depth(data)
    if isinstance(data, list) and len(data) == 1:
        data = data[0]
    if isinstance(data, dict) and not isinstance(data.get("nodes"), list):
        # The template gallery and the API wrap the workflow.
        inner = data.get("workflow") or data.get("data")
        if isinstance(inner, dict) and isinstance(inner.get("workflow"), dict):
            inner = inner["workflow"]
        data = inner if isinstance(inner, dict) else data
    if not isinstance(data, dict) or not isinstance(data.get("nodes"), list):
        raise NotReadable(_("This is no n8n workflow: it has no list of nodes."))
    if len(data["nodes"]) > MAX_NODES * 3:
        raise NotReadable(_("This workflow has too many nodes. Split it before you bring it over."))
    nodes, notes, renamed = _nodes(data["nodes"])
    if not nodes:
        raise NotReadable(_("This workflow has no nodes to bring over."))
    if len(nodes) > MAX_NODES:
        raise NotReadable(
            _("This workflow has {count} nodes; {limit} is the most.").format(
                count=len(nodes), limit=MAX_NODES
            )
        )
    edges, parts = _connections(data.get("connections"), nodes, renamed)
    settings = data.get("settings") if isinstance(data.get("settings"), dict) else {}
    timezone = settings.get("timezone") if isinstance(settings, dict) else ""
    return Document(
        _text(data.get("name"))[:120],
        nodes,
        edges,
        parts,
        notes,
        timezone if isinstance(timezone, str) else "",
    )


def _nodes(rows: list[Any]) -> tuple[dict[str, Node], list[str], dict[str, str]]:
    nodes: dict[str, Node] = {}
    notes: list[str] = []
    by_id: dict[str, str] = {}
    for row in rows:
        if not isinstance(row, dict):
            continue
        full_type = _text(row.get("type"))[:200]
        kind = full_type.rpartition(".")[2] or "unknown"
        parameters = row["parameters"] if isinstance(row.get("parameters"), dict) else {}
        if kind in NOTES:
            if content := _text(parameters.get("content")).strip():
                notes.append(content)
            continue
        name = _text(row.get("name"))[:200].strip() or kind
        if name in nodes:
            # n8n forbids it, files by hand have it: connections mean the first, the others stand alone.
            name = next(f"{name} ({n})" for n in range(2, len(rows) + 3) if f"{name} ({n})" not in nodes)
        if isinstance(row.get("id"), str):
            by_id.setdefault(row["id"], name)
        nodes[name] = Node(name, kind, full_type, parameters, _version(row.get("typeVersion")), row)
    return nodes, notes, by_id


def _connections(
    written: Any, nodes: dict[str, Node], by_id: dict[str, str]
) -> tuple[dict[str, list[tuple[int, str, int]]], dict[str, list[tuple[str, str]]]]:
    edges: dict[str, list[tuple[int, str, int]]] = {}
    parts: dict[str, list[tuple[str, str]]] = {}
    count = 0
    for source, kinds in (written if isinstance(written, dict) else {}).items():
        source = source if source in nodes else by_id.get(source, "")
        if not source or not isinstance(kinds, dict):
            continue
        for connection, outputs in kinds.items():
            for index, targets in enumerate(outputs if isinstance(outputs, list) else []):
                for target in targets if isinstance(targets, list) else []:
                    if not isinstance(target, dict) or not isinstance(target.get("node"), str):
                        continue
                    name = target["node"] if target["node"] in nodes else by_id.get(target["node"], "")
                    if not name:
                        continue
                    count += 1
                    if count > MAX_EDGES or index > 100:
                        raise NotReadable(_("This workflow has too many connections."))
                    if connection != "main":
                        parts.setdefault(name, []).append((connection, source))
                        continue
                    place = target.get("index")
                    edge = (index, name, place if isinstance(place, int) and 0 <= place < 100 else 0)
                    if edge not in edges.setdefault(source, []):
                        edges[source].append(edge)
    return edges, parts


def _refuse_depth(data: Any) -> None:
    level, depth = [data], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise NotReadable(_("This file is nested too deeply to be a workflow."))
        below: list[Any] = []
        for value in level:
            children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
            below.extend(child for child in children if isinstance(child, dict | list))
        level = below


def dict_of(value: Any) -> dict[str, Any]:
    """Return an object of the file, or an empty one where something else stands."""
    return value if isinstance(value, dict) else {}


def _version(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 100:
        return 1.0
    return float(value)


def _text(value: Any) -> str:
    # Lone surrogates are valid JSON and cannot be stored; NUL neither.
    if not isinstance(value, str):
        return ""
    return value.encode("utf-8", "replace").decode().replace("\0", "")
