"""The workflow language as a JSON Schema document, for editors, the API and everybody who writes definitions."""

from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from workflows.definition.schema import Definition
from workflows.definition.triggers import Trigger

ADDRESS = "/schemas/workflow-v1.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TITLES = {
    "AnyOf": "Any", "BranchStep": "Branch", "Lane": "Parallel branch", "AiStep": "AI", "HttpStep": "HTTP request",
    "ToolRef": "Tool", "AiBudget": "AI budget",
}  # fmt: skip


class _Generator(GenerateJsonSchema):
    """Adds what the models cannot say: step types by their `type`, and readable titles."""

    def tagged_union_schema(self, schema: Any) -> dict[str, Any]:
        # The tags carry a prefix that is ours alone; the constant `type` in each model tells readers the same.
        made = super().tagged_union_schema(schema)
        made.pop("discriminator", None)
        return made


@lru_cache(maxsize=1)
def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a definition. Triggers are under $defs/Triggers. Do not change it."""
    schema = TypeAdapter(Definition).json_schema(schema_generator=_Generator)
    triggers = TypeAdapter(list[Trigger]).json_schema(schema_generator=_Generator)
    definitions = {**schema.pop("$defs"), **triggers.pop("$defs")}
    definitions["Triggers"] = {**triggers, "title": "Triggers", "description": "What may start the workflow."}
    for name, each in definitions.items():
        each["title"] = _TITLES.get(name, _title(name))
        each.setdefault("description", each["title"])
    return {
        "$schema": DIALECT,
        "$id": ADDRESS,
        **schema,
        "title": "Workflow",
        "description": "A workflow as a tree of steps, version 1.",
        "$defs": dict(sorted(definitions.items())),
    }


def _title(name: str) -> str:
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return words.removesuffix(" step").capitalize()
