"""The engine stays pure: it imports the standard library, itself and workflows.definition, nothing else."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = ("workflows.engine", "workflows.definition")


def imports(path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            yield ".".join([*above, node.module or ""]).rstrip(".")


def is_allowed(module: str) -> bool:
    if module.split(".")[0] in sys.stdlib_module_names:
        return True
    return any(module == allowed or module.startswith(f"{allowed}.") for allowed in ALLOWED)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "workflows/engine").rglob("*.py")), ids=lambda path: path.stem
)
def test_the_engine_imports_nothing_that_does_io(path: Path) -> None:
    assert [module for module in imports(path) if not is_allowed(module)] == []


def test_the_rule_notices_a_stranger() -> None:
    assert not is_allowed("django.db")
    assert not is_allowed("workflows.models")
    assert is_allowed("workflows.definition.schema")
