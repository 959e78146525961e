"""The state of one conversion: where each node's data stands now, and values said in Liquid or kept as JavaScript."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from templates_lib.n8n import script
from templates_lib.n8n.javascript import Beyond
from templates_lib.n8n.liquid import to_liquid
from templates_lib.n8n.reading import Document, Node
from templates_lib.n8n.report import NodeReport

MAX_STEPS = 400
MAX_TEXT = 90_000
EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
Step = dict[str, Any]


class Full(Exception):
    """The workflow grew beyond what one definition may hold."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Where the data at one place stands.

    ref: Liquid path, "" for nothing; inner: path from a list's entry to its data; is_list: a list of items rather
    than one; maybe: a way led here on which there is no data.
    """

    ref: str = ""
    is_list: bool = False
    inner: str = ""
    maybe: bool = False

    def whole(self) -> str:
        """Return the Liquid that gives all of it: the list of the items' data, or the data of the one."""
        if not self.ref:
            return ""
        filters = ' | default: ""' if self.maybe else ""
        if self.is_list:
            filters += " | compact" + (f' | map: "{self.inner[1:]}"' if self.inner else "")
        return "{{ " + self.ref + filters + " }}"


@dataclass(slots=True)
class Conversion:
    """One workflow on its way. outputs: the data each node left, by its name."""

    document: Document
    reports: dict[str, NodeReport]
    outputs: dict[str, Flow] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    pending: list[Step] = field(default_factory=list)
    steps_made: int = 0

    def step_id(self, name: str) -> str:
        """Return a free id made of a node's name."""
        base = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:48]
        base = base if base and base[0].isalpha() else f"step_{base}".rstrip("_")
        # Words that mean something else inside templates.
        base = (
            f"{base}_step"
            if base in {"item", "loop", "error", "steps", "trigger", "vars", "now", "inputs"}
            else base
        )
        number, found = 2, base
        while found in self.ids:
            found, number = f"{base}_{number}", number + 1
        self.ids.add(found)
        return found

    def step(self, node: Node | str, kind: str, **keys: Any) -> Step:
        """Return a new step for a node, with its id and name. Raises Full."""
        self.steps_made += 1
        if self.steps_made > MAX_STEPS:
            raise Full
        name = node if isinstance(node, str) else node.name
        made = {"id": self.step_id(name), "type": kind, "name": name[:120], **keys}
        if not isinstance(node, str):
            report = self.reports[node.name]
            report.step = report.step or made["id"]
        return made

    def placeholder(self, node: Node, why: str, **more: Any) -> Step:
        """Return a step that is switched off and says what has to be put in its place."""
        self.reports[node.name].replace(why)
        note = _("This stands for “{name}”, a node of type {kind}. {why}").format(
            name=node.name, kind=node.full_type or node.kind, why=why
        )
        return self.step(
            node, "http", url="https://example.com/replace-me", disabled=True, note=note[:4000], **more
        )

    # Values ---------------------------------------------------------------------------------------------------------

    def value(self, node: Node, raw: Any, flow: Flow) -> Any:
        """Return a parameter's value: expressions in Liquid, or read from a code step put before this one."""
        if isinstance(raw, dict):
            if raw.get("__rl") is True or ("__rl" in raw and "value" in raw):
                return self.value(node, raw.get("value"), flow)
            return {str(key): self.value(node, entry, flow) for key, entry in raw.items()}
        if isinstance(raw, list):
            return [self.value(node, entry, flow) for entry in raw]
        if not isinstance(raw, str):
            return raw
        if not raw.startswith("="):
            return literally(raw[:MAX_TEXT])
        return self._expression(node, raw[1:][:MAX_TEXT], flow)

    def text(self, node: Node, raw: Any, flow: Flow) -> str:
        """Return a parameter as text that may hold Liquid."""
        found = self.value(node, raw, flow)
        if found is None:
            return ""
        if isinstance(found, bool):
            return "true" if found else "false"
        return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)

    def json_value(self, node: Node, raw: Any, flow: Flow) -> Any:
        """Return JSON that was written by hand, with expressions inside, as data."""
        if not isinstance(raw, str):
            return self.value(node, raw, flow)
        text = raw.removeprefix("=").strip()
        whole = EXPRESSION.fullmatch(text)
        if whole and raw.startswith("="):
            inner = re.fullmatch(r"\s*JSON\.stringify\((.*)\)\s*", whole[1], re.DOTALL)
            return self._expression(node, "{{" + inner[1] + "}}" if inner else text, flow)
        if raw.startswith("=") and EXPRESSION.search(text):
            return self._json_with_expressions(node, text, flow)
        try:
            return self.value(node, json.loads(text), flow) if text else None
        except (ValueError, RecursionError):
            self.reports[node.name].adapt(_("Its JSON is not valid; it is kept as text."))
            return literally(text)

    def javascript(self, node: Node, source: str, code: str, flow: Flow) -> str:
        """Put a code step before this one and return the Liquid that reads it. code: what the author wrote."""
        if len(source) > 100_000:
            raise Full
        self.check_reach(node, code)
        keys: dict[str, Any] = {
            "language": "javascript",
            "source": source,
            "inputs": self.inputs(node, code, flow),
        }
        step = self.step(_("{name}: value").format(name=node.name[:100]), "code", **keys)
        self.pending.append(step)
        self.reports[node.name].adapt(_("An expression is kept as a JavaScript step before it."))
        return "{{ steps." + step["id"] + ".output }}"

    def check_reach(self, node: Node, code: str) -> None:
        """Note what a program uses that does not exist here."""
        if found := script.OUT_OF_REACH.search(code):
            self.reports[node.name].replace(
                _("It uses “{what}”, which does not exist here. Rewrite that part.").format(
                    what=found[0].strip()
                )
            )

    def inputs(self, node: Node, code: str, flow: Flow) -> dict[str, Any]:
        """Return the inputs of a code step: the data here, and that of the nodes the program names."""
        named = {}
        for name in script.named_in(code)[:50]:
            found = self.outputs.get(name)
            if found is None or not found.ref:
                self.reports[node.name].adapt(_("“{name}” has no data at this place.").format(name=name[:80]))
            elif re.fullmatch(r"[^{}%]*", name):
                named[name] = found.whole()
        here = self.current(flow)
        return {"given_items": here, **({"given_nodes": named} if named else {})}

    def current(self, flow: Flow) -> Any:
        return flow.whole() or {}

    def take_pending(self) -> list[Step]:
        found, self.pending = self.pending, []
        return found

    def _expression(self, node: Node, text: str, flow: Flow) -> str:
        parts = split(text)
        names = NodeNames(self, node, flow)
        if len(parts) == 1 and parts[0][1]:
            try:
                return "{{ " + to_liquid(parts[0][0], names) + " }}"
            except Beyond:
                return self._kept(node, script.expression(parts[0][0]), parts[0][0], flow)
        found = []
        for part, is_code in parts:
            if not is_code:
                found.append(literally(part))
                continue
            try:
                found.append("{{ " + to_liquid(part, names) + " }}")
            except Beyond:
                found.append(self._kept(node, script.expression(part), part, flow))
        return "".join(found)

    def _kept(self, node: Node, source: str, code: str, flow: Flow) -> str:
        if not code.strip():
            return ""
        return self.javascript(node, source, code, flow)

    def _json_with_expressions(self, node: Node, text: str, flow: Flow) -> Any:
        """Return data for JSON whose expressions stand for values, or for parts of its texts."""
        pieces = [part for part, is_code in split(text) if is_code]
        marks = [f"\x01{index}\x02" for index in range(len(pieces))]
        numbers = iter(range(len(pieces)))
        marked = EXPRESSION.sub(lambda found: f"\x01{next(numbers)}\x02", text)
        # A mark outside of quotes becomes a text that is nothing but the mark.
        quoted = re.sub(
            r'"(?:[^"\\]|\\.)*"|(\x01\d+\x02)',
            lambda found: f'"{found[1]}"' if found[1] else found[0],
            marked,
        )
        try:
            data = json.loads(quoted, strict=False)
        except (ValueError, RecursionError):
            parts = split(text)
            code = " ".join(part for part, is_code in parts if is_code)
            self.reports[node.name].adapt(_("Its JSON is put together as text, as it was."))
            return self.javascript(node, script.text(parts), code, flow)
        return self._unmarked(node, data, dict(zip(marks, pieces, strict=True)), flow)

    def _unmarked(self, node: Node, data: Any, pieces: dict[str, str], flow: Flow) -> Any:
        if isinstance(data, dict):
            return {
                self._plain(key, pieces): self._unmarked(node, entry, pieces, flow)
                for key, entry in data.items()
            }
        if isinstance(data, list):
            return [self._unmarked(node, entry, pieces, flow) for entry in data]
        if not isinstance(data, str):
            return data
        if "\x01" not in data:
            return literally(data)
        restored = re.sub(r"\x01\d+\x02", lambda found: "{{" + pieces.get(found[0], "") + "}}", data)
        inner = re.fullmatch(r"\{\{\s*JSON\.stringify\(([^{}]*)\)\s*\}\}", restored)
        return self._expression(node, "{{" + inner[1] + "}}" if inner else restored, flow)

    @staticmethod
    def _plain(key: str, pieces: dict[str, str]) -> str:
        return re.sub(r"\x01\d+\x02", lambda found: pieces.get(found[0], ""), key)


class NodeNames:
    """What the expressions of one node can refer to."""

    def __init__(self, conversion: Conversion, node: Node, flow: Flow) -> None:
        self.conversion, self.of, self.flow = conversion, node, flow

    def json(self) -> tuple[str, bool]:
        return self._path(self.flow, "first")

    def node(self, name: str, which: str) -> tuple[str, bool]:
        found = self.conversion.outputs.get(name)
        if found is None or not found.ref:
            self.conversion.reports[self.of.name].adapt(
                _("It reads “{name}”, which has no data at this place.").format(name=name[:80])
            )
            if name not in self.conversion.document.nodes:
                raise Beyond
            found = Flow(
                f"vars.{re.sub(r'[^a-z0-9]+', '_', name.lower()).strip('_') or 'missing'}", maybe=True
            )
        return self._path(found, which)

    def _path(self, flow: Flow, which: str) -> tuple[str, bool]:
        if not flow.ref:
            raise Beyond
        if flow.is_list:
            if which == "item":
                self.conversion.reports[self.of.name].adapt(
                    _("It reads one item of a list: the first is taken.")
                )
            return f"{flow.ref}[{-1 if which == 'last' else 0}]{flow.inner}", flow.maybe
        return flow.ref, flow.maybe


def split(text: str) -> list[tuple[str, bool]]:
    """Return a text with expressions in parts: (text, False) and (what stands between the braces, True)."""
    parts, at = [], 0
    for found in EXPRESSION.finditer(text):
        if found.start() > at:
            parts.append((text[at : found.start()], False))
        parts.append((found[1].strip(), True))
        at = found.end()
    if at < len(text):
        parts.append((text[at:], False))
    return parts


def literally(text: str) -> str:
    """Return a text that Liquid leaves as it is."""
    if "{{" not in text and "{%" not in text:
        return text
    return re.sub(r"\{\{|\{%", lambda found: "{{ '" + found[0] + "' }}", text)


def maybe(flow: Flow) -> Flow:
    """Return the flow as seen from where its node may not have run."""
    return replace(flow, maybe=True)
