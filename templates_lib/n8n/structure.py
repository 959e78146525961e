"""From a graph to a tree: branches that rejoin, ways that part, loops over batches, rounds, and ways of failure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from templates_lib.n8n import comparisons, nodes
from templates_lib.n8n.context import Conversion, Flow, Full, Step, maybe
from templates_lib.n8n.graph import Graph
from templates_lib.n8n.reading import Node

MAX_NESTING = 9
PASSING = frozenset({"noOp", "wait", "if", "switch", "filter", "stopAndError"})
DECIDING = frozenset({"if", "switch", "filter", "textClassifier", "sentimentAnalysis"})


@dataclass(frozen=True, slots=True)
class Way:
    """Where a sequence stands. stops: nodes at which it ends; inside: within a loop or beside other ways."""

    stops: frozenset[str] = frozenset()
    depth: int = 1
    inside: bool = False

    def deeper(self, *stops: str | None, inside: bool = False) -> Way:
        more = frozenset(stop for stop in stops if stop)
        return Way(self.stops | more, self.depth + 1, self.inside or inside)


class Structure:
    """Builds the steps of one workflow."""

    def __init__(self, conversion: Conversion, graph: Graph) -> None:
        self.conversion, self.graph = conversion, graph
        # Where the ways that end at a node left their data: node -> input -> flow.
        self.arrived: dict[str, dict[int, Flow]] = {}
        self.done: set[str] = set()

    def sequence(self, name: str | None, flow: Flow, way: Way, place: int = 0) -> tuple[list[Step], Flow]:
        """Return the steps from a node on, and the data after them. place: the input by which it is entered."""
        steps: list[Step] = []
        while name is not None:
            if name in way.stops:
                self.arrived.setdefault(name, {})[place] = flow
                break
            if way.depth > MAX_NESTING:
                node = self.conversion.document.nodes[name]
                steps.append(
                    self.conversion.placeholder(node, _("It is nested too deeply to be brought over."))
                )
                break
            node = self.conversion.document.nodes[name]
            self.arrived.setdefault(name, {}).setdefault(place, flow)
            try:
                name, place, flow = self._one(node, flow, way, steps)
            except Full:
                self.conversion.reports[node.name].replace(_("The workflow grew too large to hold it."))
                break
        return steps, flow

    def _one(self, node: Node, flow: Flow, way: Way, steps: list[Step]) -> tuple[str | None, int, Flow]:
        self.done.add(node.name)
        if node.is_disabled:
            self.conversion.reports[node.name].adapt(_("It was switched off, and is left out."))
            self.conversion.outputs[node.name] = flow
            return self._on(node, flow, way, steps)
        if node.kind == "splitInBatches":
            return self._batches(node, flow, way, steps)
        if flow.is_list and not nodes.takes_list(node):
            return self._for_each(node, flow, way, steps)
        if node.name in self.graph.back:
            found = self._rounds(node, flow, way, steps)
            if found is not None:
                return found
        if node.kind in {"if", "switch"}:
            return self._decide(node, flow, way, steps)
        if node.kind == "filter" and not flow.is_list:
            return self._gate(node, flow, way, steps)
        arrived = self.arrived.get(node.name, {})
        made, after = nodes.convert(self.conversion, node, flow, arrived)
        if node.settings.get("onError") == "continueErrorOutput" and made:
            return self._failing(node, made, after, way, steps)
        steps += made
        self.conversion.outputs[node.name] = after
        if node.kind in {"textClassifier", "sentimentAnalysis"}:
            return self._by_label(node, after, way, steps)
        return self._on(node, after, way, steps)

    # What follows ---------------------------------------------------------------------------------------------------

    def _on(
        self, node: Node, flow: Flow, way: Way, steps: list[Step], output: int = 0
    ) -> tuple[str | None, int, Flow]:
        """Go on with what one output leads to; several targets become ways side by side."""
        targets = self.graph.outputs(node.name).get(output, [])
        if not targets:
            return None, 0, flow
        if len(targets) == 1:
            return targets[0][0], targets[0][1], flow
        return self.side_by_side(node.name, targets, flow, way, steps)

    def side_by_side(
        self, title: str, targets: list[tuple[str, int]], flow: Flow, way: Way, steps: list[Step]
    ) -> tuple[str | None, int, Flow]:
        names = list(dict.fromkeys(target for target, _place in targets))
        groups = self.graph.groups(names)
        meeting = self.graph.meeting(names) if len(groups) == 1 else None
        lanes: list[dict[str, Any]] = []
        used: set[str] = set()
        for index, group in enumerate(groups if len(groups) > 1 else [[name] for name in names]):
            places = [(target, place) for target, place in targets if target in group]
            inner = way.deeper(meeting, inside=True)
            if len(group) > 1 and len(names) > len(group):
                made: list[Step] = []
                target, place, left = self.side_by_side(title, places, flow, inner, made)
                more, _left = self.sequence(target, left, inner, place)
                made += more
            else:
                made = []
                for target, place in places:
                    found, _left = self.sequence(target, flow, inner, place)
                    made += found
            if made:
                lanes.append(
                    {"name": self._lane(group[0], used, index), "title": group[0][:120], "steps": made}
                )
        if len(lanes) == 1:
            steps += lanes[0]["steps"]
        elif lanes:
            steps.append(
                self.conversion.step(
                    _("{name}: at once").format(name=title[:100]), "parallel", branches=lanes[:50]
                )
            )
        return self._meet(meeting, flow)

    def _meet(self, meeting: str | None, flow: Flow) -> tuple[str | None, int, Flow]:
        if meeting is None:
            return None, 0, flow
        arrived = self.arrived.get(meeting, {})
        place = min(arrived, default=0)
        node = self.conversion.document.nodes[meeting]
        if len(self.graph.incoming[meeting]) > 1 and node.kind != "merge" and len(arrived) == 1:
            self.conversion.reports[meeting].adapt(
                _("It ran once for each way that led to it; now it runs once.")
            )
        return meeting, place, arrived.get(place, flow)

    @staticmethod
    def _lane(name: str, used: set[str], index: int) -> str:
        base = "".join(each if each.isascii() and each.isalnum() else "_" for each in name.lower()).strip(
            "_"
        )[:40]
        base = base if base and base[0].isalpha() else f"way_{base}".rstrip("_")
        found = base if base not in used else f"{base}_{index + 1}"
        used.add(found)
        return found

    # Decisions ------------------------------------------------------------------------------------------------------

    def _decide(self, node: Node, flow: Flow, way: Way, steps: list[Step]) -> tuple[str | None, int, Flow]:
        ways, fallback = nodes.decisions(self.conversion, node, flow)
        steps += self.conversion.take_pending()
        self.conversion.outputs[node.name] = flow
        outputs = self.graph.outputs(node.name)
        arms = [(name, title, when, outputs.get(index, [])) for index, (name, title, when) in enumerate(ways)]
        return self._branch(
            node, arms, outputs.get(fallback, []) if fallback is not None else [], flow, way, steps
        )

    def _by_label(self, node: Node, flow: Flow, way: Way, steps: list[Step]) -> tuple[str | None, int, Flow]:
        outputs = self.graph.outputs(node.name)
        label = "{{ steps." + steps[-1]["id"] + ".output.label }}"
        labels = steps[-1].get("labels") or []
        used: set[str] = set()
        arms = [
            (
                self._lane(text, used, index),
                text,
                {"value": label, "is": "equals", "to": text},
                outputs.get(index, []),
            )
            for index, text in enumerate(labels)
        ]
        if not arms:
            return self._on(node, flow, way, steps)
        before = next(iter(self.arrived.get(node.name, {}).values()), flow)
        return self._branch(node, arms, outputs.get(len(labels), []), before, way, steps)

    def _gate(self, node: Node, flow: Flow, way: Way, steps: list[Step]) -> tuple[str | None, int, Flow]:
        when = comparisons.condition(self.conversion, node, node.parameters.get("conditions"), flow)
        steps += self.conversion.take_pending()
        self.conversion.outputs[node.name] = flow
        targets = self.graph.outputs(node.name).get(0, [])
        return self._branch(node, [("passed", _("Goes on"), when, targets)], [], flow, way, steps)

    def _failing(
        self, node: Node, made: list[Step], after: Flow, way: Way, steps: list[Step]
    ) -> tuple[str | None, int, Flow]:
        """Give a node with an output for failures its two ways."""
        made[-1]["on_error"] = "continue"
        steps += made
        self.conversion.outputs[node.name] = after
        outputs = self.graph.outputs(node.name)
        regular = max(1, nodes.regular_outputs(node))
        value = "{{ steps." + made[-1]["id"] + ".status }}"
        arms = [
            (
                "failed",
                _("It failed"),
                {"value": value, "is": "equals", "to": "FAILED"},
                outputs.get(regular, []),
            )
        ]
        return self._branch(node, arms, outputs.get(0, []), after, way, steps)

    def _branch(
        self,
        node: Node,
        arms: list[tuple[str, str, dict[str, Any], list[tuple[str, int]]]],
        otherwise: list[tuple[str, int]],
        flow: Flow,
        way: Way,
        steps: list[Step],
    ) -> tuple[str | None, int, Flow]:
        """Add a branch step, and go on where its ways meet again."""
        wired = [targets for _name, _title, _when, targets in arms if targets] + (
            [otherwise] if otherwise else []
        )
        firsts = list(dict.fromkeys(target for targets in wired for target, _place in targets))
        if not firsts:
            return None, 0, flow
        ends_somewhere = len(wired) < len(arms) + 1
        meeting = self.graph.meeting(firsts) if len(wired) > 1 else None
        if meeting is None and len(firsts) > 1:
            meeting = self.graph.most_met(firsts)
            ends_somewhere = meeting is not None
        if ends_somewhere and meeting is not None and way.inside:
            # Inside a loop or beside other ways nothing can end the run, so each arm takes the rest with it.
            meeting = None
        built = [self._arm(targets, flow, way, meeting) for _name, _title, _when, targets in arms]
        other = self._arm(otherwise, flow, way, meeting)
        reads = meeting is not None and nodes.reads_input(self.conversion.document.nodes[meeting])
        closing = [
            self._closed(made, left, ended, node, meeting=meeting, reads=reads, way=way)
            for made, left, ended in (*built, other)
        ]
        branches = [
            {"name": name, "title": title[:120], "when": when, "steps": closing[index]}
            for index, (name, title, when, _targets) in enumerate(arms)
        ][:50]
        step = self.conversion.step(node, "branch", branches=branches)
        if closing[-1]:
            step["otherwise"] = closing[-1]
        steps.append(step)
        if meeting is None:
            return None, 0, flow
        flows = [left for _made, left, ended in (*built, other) if not ended]
        if reads and flows:
            is_list = any(left.is_list for left in flows)
            flow = Flow(f"steps.{step['id']}.output.data", is_list)
        elif flows:
            flow = maybe(flows[0])
        return meeting, min(self.arrived.get(meeting, {0: flow})), flow

    def _arm(
        self, targets: list[tuple[str, int]], flow: Flow, way: Way, meeting: str | None
    ) -> tuple[list[Step], Flow, bool]:
        """Return the steps of one arm, its data at the end, and whether it ends without coming to the meeting."""
        known = set(self.conversion.outputs)
        inner = way.deeper(meeting)
        made: list[Step] = []
        left = flow
        if len(targets) == 1:
            made, left = self.sequence(targets[0][0], flow, inner, targets[0][1])
        elif targets:
            target, place, left = self.side_by_side(targets[0][0], targets, flow, inner, made)
            more, left = self.sequence(target, left, inner, place)
            made += more
        for name in set(self.conversion.outputs) - known:
            self.conversion.outputs[name] = maybe(self.conversion.outputs[name])
        ended = meeting is not None and not any(
            target == meeting or self.graph.reaches(target, meeting) for target, _place in targets
        )
        return made, left, ended

    def _closed(
        self,
        made: list[Step],
        left: Flow,
        ended: bool,
        node: Node,
        *,
        meeting: str | None,
        reads: bool,
        way: Way,
    ) -> list[Step]:
        if ended and not way.inside:
            if not made or made[-1]["type"] != "stop":
                made = [*made, self.conversion.step(_("End here"), "stop", outcome="success")]
        elif meeting is not None and reads and not ended:
            made = [
                *made,
                self.conversion.step(_("Data so far"), "set", values={"data": left.whole() or None}),
            ]
        return made

    # Loops ----------------------------------------------------------------------------------------------------------

    def _for_each(self, node: Node, flow: Flow, way: Way, steps: list[Step]) -> tuple[str | None, int, Flow]:
        """Do what follows once per item, up to the node that takes the whole list again."""
        until = next(
            (
                name
                for name in self.graph.later(node.name)
                if name in way.stops or nodes.takes_list(self.conversion.document.nodes[name])
            ),
            None,
        )
        self.conversion.reports[node.name].adapt(_("It runs once per item, in a loop that is drawn now."))
        step, after = self._loop(node, node.name, flow, way, until)
        steps.append(step)
        if until is None:
            return None, 0, after
        places = self.arrived.get(until, {})
        return until, min(places, default=0), after

    def _batches(self, node: Node, flow: Flow, way: Way, steps: list[Step]) -> tuple[str | None, int, Flow]:
        done, each = (0, 1) if node.version >= 3 else (1, 0)
        outputs = self.graph.outputs(node.name)
        size = node.parameters.get("batchSize", 1 if node.version >= 3 else 10)
        targets = outputs.get(each, [])
        if isinstance(size, int) and size > 1:
            taken = self.conversion.step(
                _("{name}: batches").format(name=node.name[:100]),
                "transform", operation="chunk", items=flow.whole() or [], count=min(size, 1_000_000),
            )  # fmt: skip
            steps.append(taken)
            flow = Flow(f"steps.{taken['id']}.output", is_list=True)
        elif not isinstance(size, int):
            self.conversion.reports[node.name].adapt(
                _("The size of its batches was worked out; it is one now.")
            )
        meeting = self.graph.most_met([target for target, _place in (*targets, *outputs.get(done, []))])
        step, after = self._loop(node, targets, flow, way, meeting, batch=isinstance(size, int) and size > 1)
        steps.append(step)
        self.conversion.outputs[node.name] = after
        return self._on(node, after, way, steps, done)

    def _loop(
        self,
        node: Node,
        start: str | list[tuple[str, int]],
        flow: Flow,
        way: Way,
        until: str | None,
        *,
        batch: bool = False,
    ) -> tuple[Step, Flow]:
        conversion = self.conversion
        known = set(conversion.outputs)
        # A loop inside a loop hides the outer item, so each names its own.
        name = "item" if not way.inside else f"item_{way.depth}"
        inner = Flow(name, is_list=batch)
        lists = {
            key: found
            for key, found in conversion.outputs.items()
            if found.is_list and found.ref == flow.ref and flow.ref
        }
        for key in lists:
            conversion.outputs[key] = inner
        conversion.outputs[node.name] = inner
        below = way.deeper(until, inside=True)
        targets = [(start, 0)] if isinstance(start, str) else start
        made: list[Step] = []
        left = inner
        if len(targets) == 1:
            made, left = self.sequence(targets[0][0], inner, below, targets[0][1])
        elif targets:
            target, place, left = self.side_by_side(node.name, targets, inner, below, made)
            more, left = self.sequence(target, left, below, place)
            made += more
        path = self._as_output(made, left) if until is not None or not isinstance(start, str) else ""
        title = _("For each: {name}").format(name=node.name[:100])
        keys = {"items": flow.whole() if flow.is_list else _listed(flow), "as": name, "steps": made}
        step = conversion.step(node if not isinstance(start, str) else title, "loop", **keys)
        after = Flow(f"steps.{step['id']}.output", is_list=True, inner=path)
        for key in (set(conversion.outputs) - known) | {node.name}:
            conversion.outputs[key] = after
        for key, found in lists.items():
            conversion.outputs[key] = found
        return step, after

    def _as_output(self, made: list[Step], left: Flow) -> str:
        """Return the path from a loop's entry to its data, with a step that keeps it where the last one does not."""
        if made and left.ref and not left.maybe:
            base = f"steps.{made[-1]['id']}.output"
            rest = left.ref.removeprefix(base)
            if (
                left.ref.startswith(base)
                and not left.is_list
                and all(part.isidentifier() for part in rest.split(".")[1:])
            ):
                return rest
        if not left.ref:
            return ""
        made.append(self.conversion.step(_("Keep"), "set", values={"data": left.whole()}))
        return ".data"

    def _rounds(
        self, node: Node, flow: Flow, way: Way, steps: list[Step]
    ) -> tuple[str | None, int, Flow] | None:
        """Make a repeat step of an edge that leads back, where one decision ends the rounds."""
        sources = set(self.graph.back.pop(node.name))
        found = self._way_out(node.name, sources)
        if found is None:
            for source in sources:
                self.conversion.reports[source].replace(
                    _("It leads back to “{name}”. Draw these rounds again with a repeat step.").format(
                        name=node.name[:80]
                    )
                )
            return None
        decider, leaving, returning = found
        inner = way.deeper(decider, inside=True)
        made, left = self.sequence(node.name, flow, inner)
        deciding = self.conversion.document.nodes[decider]
        self.done.add(decider)
        ways, _fallback = nodes.decisions(self.conversion, deciding, left)
        made += self.conversion.take_pending()
        until = ways[0][2] if leaving == 0 else {"not": ways[0][2]}
        self.conversion.outputs[decider] = left
        back = self.graph.outputs(decider).get(returning, [])
        if back:
            again, _left = self.sequence(back[0][0], left, way.deeper(inside=True), back[0][1])
            for step in again:
                # What is done before another round is not done after the last.
                step["if"] = {"not": until}
            made += again
        if not made:
            made = [self.conversion.step(_("Data so far"), "set", values={})]
        self.conversion.reports[decider].adapt(
            _("The edge that led back became a repeat step, with 10 rounds at most.")
        )
        step = self.conversion.step(
            _("Until: {name}").format(name=decider[:100]), "repeat", steps=made, until=until, max_times=10
        )
        steps.append(step)
        return self._on(deciding, left, way, steps, leaving)

    def _way_out(self, header: str, sources: set[str]) -> tuple[str, int, int] | None:
        """Return (if node, output that leaves, output that goes round) when one decides about another round."""
        for name in (*self.graph.later(header), header):
            node = self.conversion.document.nodes[name]
            if node.kind != "if" or len(sources) != 1:
                continue
            outputs = self.graph.outputs(name)
            leads_back = {
                index
                for index in (0, 1)
                if any(
                    t in sources or any(self.graph.reaches(t, s) for s in sources)
                    for t, _p in outputs.get(index, [])
                )
            }
            direct = name in sources
            if direct:
                leaving = (
                    0
                    if outputs.get(0) and not outputs.get(1)
                    else 1
                    if outputs.get(1) and not outputs.get(0)
                    else -1
                )
                if leaving >= 0 and not leads_back:
                    return name, leaving, 1 - leaving
                continue
            if len(leads_back) == 1 and name != header:
                returning = next(iter(leads_back))
                return name, 1 - returning, returning
        return None


def _listed(flow: Flow) -> Any:
    """Return a single item as the list of one that a loop takes."""
    if not flow.ref:
        return [{}]
    default = 'default: ""' if flow.maybe else ""
    return "{{ " + " | ".join(part for part in (flow.ref, default, "compact") if part) + " }}"
