"""The whole way from an n8n workflow to a draft: triggers, steps, and a line for every node."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from templates_lib.n8n import nodes, triggers
from templates_lib.n8n.context import Conversion, Flow, Full
from templates_lib.n8n.graph import Graph
from templates_lib.n8n.reading import Document
from templates_lib.n8n.report import Fidelity, NodeReport
from templates_lib.n8n.structure import Structure, Way
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import parse_definition, parse_triggers


@dataclass(frozen=True, slots=True)
class Imported:
    """A draft made of an n8n workflow. reports: one per node, in the order of the file."""

    name: str
    description: str
    definition: dict[str, Any]
    triggers: list[dict[str, Any]]
    schedule: dict[str, Any] | None
    reports: list[NodeReport]

    @property
    def counts(self) -> dict[str, int]:
        """How many nodes came over exactly, adapted, or as placeholders."""
        counted = Counter(report.fidelity for report in self.reports)
        return {fidelity.value: counted[fidelity] for fidelity in Fidelity}


def convert(document: Document) -> Imported:
    """Return the draft and the report for a workflow that was read. Never fails: what has no counterpart is named."""
    reports = {node.name: NodeReport(node.name, node.full_type) for node in document.nodes.values()}
    conversion = Conversion(document, reports)
    sub_nodes = {source for parts in document.parts.values() for _kind, source in parts}
    entries = [node.name for node in document.nodes.values() if triggers.is_trigger(node)]
    targets = {target for edges in document.edges.values() for _output, target, _input in edges}
    loose = [
        node.name
        for node in document.nodes.values()
        if node.name not in targets and node.name not in entries and node.name not in sub_nodes
    ]
    roots = [*entries, *loose]
    graph = Graph(document, roots or list(document.nodes))
    for name in sub_nodes:
        nodes.report_part(conversion, document.nodes[name])
    made, flows = _triggers(conversion, entries)
    structure = Structure(conversion, graph)
    steps = _steps(conversion, structure, graph, entries, flows, loose)
    _account_for_the_rest(conversion, structure, entries, sub_nodes, loose)
    definition = _valid(conversion, {"version": 1, "steps": steps})
    plain, schedule = _kept(conversion, made)
    return Imported(
        document.name or _("Imported workflow"),
        "\n\n".join(document.notes)[:2_000],
        definition,
        plain,
        schedule,
        list(reports.values()),
    )


def _triggers(conversion: Conversion, entries: list[str]) -> tuple[list[dict[str, Any]], dict[str, Flow]]:
    made: list[dict[str, Any]] = []
    flows = {}
    for name in entries:
        found, _schedule, flow = triggers.convert(conversion, conversion.document.nodes[name])
        made += found
        flows[name] = conversion.outputs[name] = flow
        conversion.reports[name].step = found[0]["id"]
    return made, flows


def _steps(
    conversion: Conversion,
    structure: Structure,
    graph: Graph,
    entries: list[str],
    flows: dict[str, Flow],
    loose: list[str],
) -> list[dict[str, Any]]:
    """Return the steps after all triggers: one way for those that lead to the same node, else a way for each."""
    ways: dict[tuple[tuple[str, int], ...], list[str]] = {}
    for name in entries:
        targets = [edge for edges in graph.outputs(name).values() for edge in edges]
        if targets:
            ways.setdefault(tuple(targets), []).append(name)
    steps: list[dict[str, Any]] = []
    if not ways:
        connected = [name for name in loose if graph.forward[name]] or ([] if entries else loose[:1])
        for name in connected[:20]:
            found, _flow = structure.sequence(name, Flow("trigger.body"), Way())
            steps += found
        return steps
    built = []
    for ends, names in ways.items():
        flow = flows[names[0]]
        if len({flows[name].ref for name in names}) > 1:
            # What starts it hands its data over in different places, so it is put in one.
            flow = Flow("trigger.body")
            for name in names:
                conversion.reports[name].adapt(
                    _("Several triggers lead to the same step, which reads their body.")
                )
        found = []
        try:
            inner = Way() if len(ways) == 1 else Way(depth=2)
            if len(ends) == 1:
                found, _flow = structure.sequence(ends[0][0], flow, inner, ends[0][1])
            else:
                start, place, left = structure.side_by_side(names[0], list(ends), flow, inner, found)
                more, _flow = structure.sequence(start, left, inner, place)
                found += more
        except Full:
            conversion.reports[names[0]].adapt(_("The workflow grew too large; the rest is left out."))
        built.append((names, found))
    if len(built) == 1:
        return built[0][1]
    branches = []
    for index, (names, found) in enumerate(built[:50]):
        keys = [conversion.reports[name].step for name in names]
        when = {"value": '{{ trigger.key | default: "" }}', "is": "in", "to": keys}
        branches.append({"name": f"start_{index + 1}", "title": names[0][:120], "when": when, "steps": found})
    return [
        {
            "id": conversion.step_id("started_by"),
            "type": "branch",
            "name": _("What started it"),
            "branches": branches,
        }
    ]


def _account_for_the_rest(
    conversion: Conversion, structure: Structure, entries: list[str], sub_nodes: set[str], loose: list[str]
) -> None:
    for name, report in conversion.reports.items():
        if name not in structure.done and name not in entries and name not in sub_nodes:
            report.replace(_("Nothing leads to it, so it is left out."))


def _valid(conversion: Conversion, definition: dict[str, Any]) -> dict[str, Any]:
    """Return the definition with every step that our language refuses made a placeholder."""
    for _round in range(60):
        try:
            parse_definition(definition)
        except DefinitionInvalid as invalid:
            problem = invalid.problems[0]
            step = _step_at(definition, problem.location)
            if step is None or step.get("disabled"):
                break
            for report in conversion.reports.values():
                if report.step == step["id"]:
                    report.replace(problem.message)
            kept = {
                "id": step["id"],
                "name": step.get("name", ""),
                "type": "http",
                "url": "https://example.com/replace-me",
            }
            step.clear()
            step.update({**kept, "disabled": True, "note": problem.message[:4000]})
        else:
            return definition
    for report in conversion.reports.values():
        report.replace(_("The workflow as a whole is too large or too deep to be brought over."))
    return {"version": 1, "steps": []}


def _step_at(definition: dict[str, Any], location: tuple[str | int, ...]) -> dict[str, Any] | None:
    found, here = None, definition
    for key in location:
        try:
            here = here[key]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(here, dict) and "id" in here and "type" in here:
            found = here
    return found


def _kept(
    conversion: Conversion, made: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Return the triggers that are valid, and apart from them the first schedule."""
    plain: list[dict[str, Any]] = []
    schedule = None
    for trigger in made[:20]:
        try:
            parse_triggers([trigger])
        except DefinitionInvalid as invalid:
            for report in conversion.reports.values():
                if report.step == trigger["id"]:
                    report.replace(invalid.problems[0].message)
            continue
        if trigger["type"] == "schedule" and schedule is None:
            schedule = {key: value for key, value in trigger.items() if key != "type"}
        else:
            plain.append(trigger)
    return plain, schedule
