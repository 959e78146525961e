"""What became of each node: carried over exactly, adapted, or left as a placeholder to replace."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Fidelity(StrEnum):
    """How much of a node survives. The order is from best to worst."""

    EXACT = "EXACT"
    ADAPTED = "ADAPTED"
    PLACEHOLDER = "PLACEHOLDER"


@dataclass(slots=True)
class NodeReport:
    """One node. kind: its n8n type; step: id of the step it became, "" for triggers and parts of other steps."""

    name: str
    kind: str
    fidelity: Fidelity = Fidelity.EXACT
    step: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def short_kind(self) -> str:
        """The type without its package, like httpRequest."""
        return self.kind.rpartition(".")[2]

    def adapt(self, note: str) -> None:
        """Say what is different now."""
        self._lower(Fidelity.ADAPTED, note)

    def replace(self, note: str) -> None:
        """Say why a person has to replace it."""
        self._lower(Fidelity.PLACEHOLDER, note)

    def _lower(self, fidelity: Fidelity, note: str) -> None:
        if self.fidelity is not Fidelity.PLACEHOLDER:
            self.fidelity = fidelity
        if note not in self.notes and len(self.notes) < 12:
            self.notes.append(note)
