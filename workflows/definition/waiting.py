"""The one-time addresses of wait steps, which steps before them may hand out: `execution.resume_url.<id>`."""

from __future__ import annotations

from collections.abc import Iterable

from workflows.definition.schema import Definition
from workflows.definition.steps import WaitStep
from workflows.definition.tree import places

NAME = "resume_url"


def waiting_places(definition: Definition) -> dict[str, str]:
    """Return wait step -> its path, for those outside of loops: inside one, each round has an address of its own."""
    return {
        place.step.id: place.path
        for place in places(definition)
        if isinstance(place.step, WaitStep) and "[" not in place.path
    }


def example_addresses(addresses: Iterable[str]) -> dict[str, str]:
    """Return what stands for the addresses where nothing really waits: in tests and previews."""
    return {step_id: f"https://steward.example/resume/{step_id}/" for step_id in addresses}


def addresses_used(definition: Definition) -> dict[str, str]:
    """Return waiting_places() of a definition that hands addresses out, and nothing of any other."""
    return waiting_places(definition) if f"execution.{NAME}" in definition.model_dump_json() else {}
