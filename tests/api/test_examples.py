"""The curl commands of the README and of the API's page do what they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from string import Template
from typing import Any

import pytest
from django.test import Client

from config.api_reference import groups_of
from config.views.api_pages import document
from tests.api.conftest import make_key
from tests.api.objects import make_objects
from tests.worlds import World

README = (Path(__file__).parents[2] / "README.md").read_text()
SECTION = README.split("\n## API\n", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]
COMMANDS = [
    "\n".join(line.strip() for line in found.splitlines())
    for found in re.findall(r"^    curl (?:.*\\\n)*.*", SECTION, re.MULTILINE)
]
OPERATIONS = {each["id"]: each for group in groups_of(document()) for each in group["operations"]}


def run(command: str, variables: dict[str, str]) -> Any:
    """Do what a shell and curl would, for the options the examples use."""
    words = shlex.split(Template(command.replace("\\\n", " ")).safe_substitute(variables))
    assert words.pop(0) == "curl"
    method, headers, data, address = "GET", {}, "", ""
    while words:
        match words.pop(0):
            case "-X":
                method = words.pop(0)
            case "-H":
                name, _colon, value = words.pop(0).partition(": ")
                headers[name] = value
            case "-d":
                data = words.pop(0)
            case "-o":
                words.pop(0)
            case other:
                address = other
    kind = headers.pop("Content-Type", "")
    return Client().generic(method, address, data=data, content_type=kind, headers=headers)


def variables_of(world: World) -> dict[str, str]:
    known = {name.upper(): str(value) for name, value in make_objects(world).items()}
    return {"STEWARD": "", "STEWARD_KEY": make_key(world.owner), "ETAG": "*", **known}


def test_the_readme_has_examples() -> None:
    assert len(COMMANDS) == 4


@pytest.mark.parametrize("command", COMMANDS)
def test_an_example_of_the_readme_works(alder: World, command: str) -> None:
    answer = run(command, variables_of(alder))
    assert answer.status_code in (200, 201), answer.content


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_example_of_the_page_is_understood(alder: World, name: str) -> None:
    answer = run(OPERATIONS[name]["curl"], variables_of(alder))
    # Whether it fits the state of what it names is another matter; made-up ids name nothing.
    unfit = {"conflict", "changed", "tests_failed"} | ({"not_found"} if name == "start_execution" else set())
    assert answer.status_code < 300 or answer.json()["code"] in unfit, answer.content
