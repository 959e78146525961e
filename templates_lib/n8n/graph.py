"""The graph of an n8n workflow: what comes after what, where ways meet again, and which edges lead back."""

from __future__ import annotations

from collections.abc import Iterable

from templates_lib.n8n.reading import Document

Edge = tuple[int, str, int]


class Graph:
    """Edges without those that lead back. Sets of nodes are whole numbers with one bit per node."""

    def __init__(self, document: Document, roots: Iterable[str]) -> None:
        self.names = list(document.nodes)
        self.bit = {name: 1 << index for index, name in enumerate(self.names)}
        self.forward: dict[str, list[Edge]] = {name: [] for name in self.names}
        # target -> sources of edges that lead back to it
        self.back: dict[str, list[str]] = {}
        self.order: list[str] = []
        self._walk(document, roots)
        self.incoming: dict[str, list[str]] = {name: [] for name in self.names}
        for source, edges in self.forward.items():
            for _output, target, _input in edges:
                self.incoming[target].append(source)
        self.reach: dict[str, int] = {}
        self.after: dict[str, int] = {}
        for name in self.order:
            targets = [target for _output, target, _input in self.forward[name]]
            self.reach[name] = self.bit[name]
            common = -1 if targets else 0
            for target in targets:
                self.reach[name] |= self.reach[target]
                common &= self.after[target]
            # What every way from here comes by, this node included.
            self.after[name] = self.bit[name] | common

    def _walk(self, document: Document, roots: Iterable[str]) -> None:
        state: dict[str, int] = {}
        for root in roots:
            if root in state:
                continue
            state[root] = 1
            stack = [(root, iter(document.edges.get(root, [])))]
            while stack:
                name, rest = stack[-1]
                edge = next(rest, None)
                if edge is None:
                    state[name] = 2
                    self.order.append(name)
                    stack.pop()
                elif state.get(edge[1]) == 1:
                    self.back.setdefault(edge[1], []).append(name)
                else:
                    self.forward[name].append(edge)
                    if edge[1] not in state:
                        state[edge[1]] = 1
                        stack.append((edge[1], iter(document.edges.get(edge[1], []))))

    def reaches(self, source: str, target: str) -> bool:
        """Return whether a way leads from `source` to `target`, both of which were reached."""
        return bool(self.reach.get(source, 0) & self.bit[target])

    def outputs(self, name: str) -> dict[int, list[tuple[str, int]]]:
        """Return output -> [(target, input)] without edges that lead back."""
        found: dict[int, list[tuple[str, int]]] = {}
        for output, target, place in self.forward[name]:
            found.setdefault(output, []).append((target, place))
        return found

    def later(self, name: str) -> list[str]:
        """Return the nodes that every way from `name` comes by, nearest first, without itself."""
        return self._nearest_first(self.after.get(name, 0) & ~self.bit[name])

    def meeting(self, targets: list[str]) -> str | None:
        """Return the nearest node that every way from all `targets` comes by, or None."""
        common = -1
        for target in targets:
            common &= self.after.get(target, 0)
        found = self._nearest_first(common) if targets else []
        return found[0] if found else None

    def most_met(self, targets: list[str]) -> str | None:
        """Return the nearest node where most of `targets` meet, while no way from the others comes to it."""
        best: tuple[int, str] | None = None
        counted: dict[str, int] = {}
        for target in targets:
            for name in self._nearest_first(self.after.get(target, 0)):
                counted[name] = counted.get(name, 0) + 1
        for name in reversed(self.order):
            if name not in counted:
                continue
            passing = sum(self.reaches(target, name) for target in targets)
            if passing == counted[name] >= 2 and (best is None or passing > best[0]):
                best = (passing, name)
        return best[1] if best else None

    def groups(self, targets: list[str]) -> list[list[str]]:
        """Return `targets` in groups whose ways meet somewhere."""
        found: list[tuple[int, list[str]]] = []
        for target in targets:
            reach, members = self.reach.get(target, 0), [target]
            apart = []
            for other_reach, others in found:
                if other_reach & reach:
                    reach |= other_reach
                    members = [*others, *members]
                else:
                    apart.append((other_reach, others))
            found = [*apart, (reach, members)]
        return sorted((members for _reach, members in found), key=lambda each: targets.index(each[0]))

    def _nearest_first(self, names: int) -> list[str]:
        found = []
        # Everything reached later in the walk back stands nearer to the start.
        for name in reversed(self.order):
            if names & self.bit[name]:
                found.append(name)
        return found
