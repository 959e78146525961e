"""Customers' programs: what they may do, and what ends them. Runs the real sandboxes."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.workflows.engine.worlds import World, output_of
from workflows.engine.interface import EffectError, ErrorClass, StepError
from workflows.steps.sandbox import Sandbox

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
Runner = Callable[..., Any]


@pytest.fixture(scope="module")
def run() -> Iterator[Runner]:
    with asyncio.Runner() as loop:

        async def make() -> Sandbox:
            return Sandbox(memory_bytes=64 * 1024 * 1024)

        sandbox = loop.run(make())

        def go(language: str, source: str, inputs: dict[str, Any] | None = None, timeout: float = 5.0) -> Any:
            return loop.run(
                sandbox.run(language, source, inputs or {}, timeout=timeout, now=NOW, seed="run:code")
            )

        yield go
        loop.run(sandbox.close())


@pytest.mark.parametrize(
    ("language", "source", "expected"),
    [
        ("python", "x + 1", 3),
        ("python", "return [x, inputs['x']]", [2, 2]),
        ("python", "y = 1", None),
        ("python", "def f(n):\n    return {'n': n, 'pair': (1, 2)}\nf(x)", {"n": 2, "pair": [1, 2]}),
        ("javascript", "x + 1", 3),
        ("javascript", "return [x, inputs.x]", [2, 2]),
        ("javascript", "var y = 1; undefined", None),
        ("javascript", "const f = n => ({n, list: [n, null]}); f(x)", {"n": 2, "list": [2, None]}),
        ("javascript", "return 'a\u2028\"'", 'a\u2028"'),
    ],
)
def test_a_program_gives_what_it_returns_or_its_last_value(
    run: Runner, language: str, source: str, expected: Any
) -> None:
    assert run(language, source, {"x": 2}) == expected


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("python", "import random, datetime\n[random.random(), str(datetime.datetime.now())]"),
        ("javascript", "[Math.random(), Date.now(), new Date().toISOString()]"),
    ],
)
def test_the_clock_stands_still_and_chance_repeats_itself(run: Runner, language: str, source: str) -> None:
    first = run(language, source)
    assert run(language, source) == first
    assert "2026-11-23" in str(first)


@pytest.mark.parametrize(
    ("language", "source", "error_class", "words"),
    [
        ("python", "while True: pass", ErrorClass.TIMEOUT, "longer than 0.5 seconds"),
        ("javascript", "while (true) {}", ErrorClass.TIMEOUT, "longer than 0.5 seconds"),
        ("python", "[0] * 10**9", ErrorClass.PERMANENT, "memory"),
        (
            "javascript",
            "const a = []; while (true) a.push(new Array(100000).fill(1))",
            ErrorClass.PERMANENT,
            "memory",
        ),
        ("python", "1 / 0", ErrorClass.PERMANENT, "ZeroDivisionError"),
        ("javascript", "nope.x", ErrorClass.PERMANENT, "nope"),
        ("python", "x = (", ErrorClass.PERMANENT, "cannot be read"),
        ("javascript", "let = ;", ErrorClass.PERMANENT, "cannot be read"),
        ("python", "{1, 2}", ErrorClass.PERMANENT, "no plain data"),
        ("python", "float('nan')", ErrorClass.PERMANENT, "no plain data"),
        ("javascript", "(async () => 1)()", ErrorClass.PERMANENT, "promise"),
        ("javascript", "const a = {}; a.a = a; a", ErrorClass.PERMANENT, "circular"),
        ("javascript", "'x'.repeat(6000000)", ErrorClass.PERMANENT, "more data"),
        ("python", "open('/etc/passwd').read()", ErrorClass.PERMANENT, "Permission"),
        ("python", "import socket", ErrorClass.PERMANENT, "socket"),
        ("python", "import subprocess", ErrorClass.PERMANENT, "subprocess"),
        ("javascript", "require('fs')", ErrorClass.PERMANENT, "require"),
        ("javascript", "fetch('http://x')", ErrorClass.PERMANENT, "fetch"),
    ],
)
def test_a_program_that_may_not_go_on_is_ended_with_a_reason(
    run: Runner, language: str, source: str, error_class: ErrorClass, words: str
) -> None:
    with pytest.raises(EffectError) as caught:
        run(language, source, timeout=0.5)
    assert caught.value.error.error_class is error_class
    assert words.lower() in caught.value.error.message.lower()
    assert run(language, "1 + 1") == 2, "the next program finds a working process"


def test_one_program_leaves_nothing_behind_for_the_next(run: Runner) -> None:
    run("javascript", "globalThis.secret = 1; Array.prototype.map = null; 1")
    assert run("javascript", "[typeof secret, [1].map(x => x + 1)]") == ["undefined", [2]]


class Scripted:
    def __init__(self, reaction: Any):
        self.reaction = reaction
        self.seen: list[Any] = []

    async def run(
        self, language: str, source: str, inputs: Any, *, timeout: float, now: datetime, seed: str
    ) -> Any:
        self.seen.append((language, source, dict(inputs), timeout, now, seed))
        if isinstance(self.reaction, Exception):
            raise self.reaction
        return self.reaction


def test_a_code_step_gets_its_inputs_and_its_value_is_the_output() -> None:
    world = World(
        [{"id": "c", "type": "code", "source": "n", "inputs": {"n": "{{ trigger }}"}, "timeout": "3s"}],
        trigger=4,
    )
    world.code = Scripted({"m": 5})
    assert output_of(world.finish()) == {"m": 5}
    language, source, inputs, timeout, now, seed = world.code.seen[0]
    assert (language, source, inputs, timeout, seed) == ("python", "n", {"n": 4}, 3.0, "run:c")
    assert now == world.newest("c").started_at
    assert world.newest("c").input == {"n": 4}


def test_a_program_that_fails_fails_the_step() -> None:
    world = World([{"id": "c", "type": "code", "source": "n"}])
    world.code = Scripted(EffectError(StepError(ErrorClass.PERMANENT, "The program failed: boom")))
    assert "boom" in world.finish().error.message
