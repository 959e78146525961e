"""What the steps of one block share: the names in scope, the time they have, and the siblings beside them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from workflows.engine.signals import Halted


class Join:
    """Branches that run side by side and meet again. halted: one failed, so no other starts a further step."""

    __slots__ = ("halted", "parent")

    def __init__(self, parent: Join | None):
        self.parent = parent
        self.halted = False

    def check(self) -> None:
        """Raise Halted when these branches, or any around them, start nothing more."""
        join: Join | None = self
        while join is not None:
            if join.halted:
                raise Halted
            join = join.parent


class Frame:
    """Scope and bounds of a block.

    scope: name -> value for expressions; scope["steps"] is `steps`: step id -> {"output", "status", "error"};
    scope["vars"] is where set steps leave their values.
    deadline: when the innermost enclosing timeout ends; owner: path of the block that has it, "" for the run.
    join: the enclosing parallel or loop, or None.
    """

    __slots__ = ("deadline", "join", "owner", "scope", "steps")

    def __init__(
        self,
        scope: dict[str, Any],
        deadline: datetime | None = None,
        owner: str = "",
        join: Join | None = None,
    ):
        self.scope = scope
        self.steps: dict[str, Any] = scope["steps"]
        self.deadline = deadline
        self.owner = owner
        self.join = join

    def named(self, **names: Any) -> Frame:
        """Return a frame with further names that shares this one's steps."""
        return Frame({**self.scope, **names}, self.deadline, self.owner, self.join)

    def forked(self, join: Join | None, names: dict[str, Any]) -> Frame:
        """Return a frame that sees this one's steps and vars but keeps its own to itself."""
        scope = {**self.scope, **names, "steps": self.steps.copy(), "vars": self.scope["vars"].copy()}
        return Frame(scope, self.deadline, self.owner, join)

    def iteration(self, names: dict[str, Any]) -> Frame:
        """Return a frame for one round of a sequential loop: its own steps, but the vars of this one."""
        return Frame(
            {**self.scope, **names, "steps": self.steps.copy()}, self.deadline, self.owner, self.join
        )

    def merge(self, other: Frame) -> None:
        """Take over what a forked frame has found out."""
        self.steps.update(other.steps)
        self.scope["vars"].update(other.scope["vars"])

    def bounded(self, deadline: datetime, owner: str) -> Frame:
        """Return this frame, or one that ends earlier."""
        if self.deadline is not None and self.deadline <= deadline:
            return self
        return Frame(self.scope, deadline, owner, self.join)
