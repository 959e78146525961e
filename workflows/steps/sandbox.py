"""Where customers' code runs: Python in Monty's worker processes, JavaScript in V8 child processes; no I/O in either.

Both have limits on running time, memory and output, a clock that stands still, and a fixed random start. A child
that does not keep to its time is killed and replaced.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import zlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from workflows.definition.wording import gettext as _
from workflows.engine.interface import EffectError, ErrorClass, Json, StepError
from workflows.engine.limits import MAX_STEP_OUTPUT_BYTES

MAX_CODE_MEMORY_BYTES = 128 * 1024 * 1024
MAX_PROCESSES = 2  # of each language and worker; further programs wait their turn
USES_PER_CHILD = 500  # then it is replaced, so that nothing grows for ever
GRACE_SECONDS = 2.0  # beyond a program's own limit before its process is killed
# The Python sandbox's own threads outlive its pool for a moment; a process that ends meanwhile aborts (version 1.4).
SETTLE_SECONDS = 0.5
_CHILD = Path(__file__).with_name("javascript_child.py")


class Sandbox:
    """CodeRunner of a worker process, bound to one event loop. Close it with `await close()`."""

    def __init__(self, max_processes: int = MAX_PROCESSES, memory_bytes: int = MAX_CODE_MEMORY_BYTES):
        self._max_processes = max_processes
        self._memory_bytes = memory_bytes
        self._python: Any = None
        self._javascript = _JavaScriptPool(max_processes)
        self._lock = asyncio.Lock()

    async def run(
        self,
        language: str,
        source: str,
        inputs: Mapping[str, Json],
        *,
        timeout: float,
        now: datetime,
        seed: str,
    ) -> Json:
        """Return the JSON value the program gives: what it returns, else its last expression. Raises EffectError."""
        if language == "python":
            return await self._run_python(source, inputs, timeout, now, seed)
        job = {
            "source": source,
            "inputs": dict(inputs),
            "timeout": timeout,
            "now_ms": int(now.timestamp() * 1000),
            "seed": zlib.crc32(seed.encode()),
            "memory": self._memory_bytes,
            "output": MAX_STEP_OUTPUT_BYTES,
        }
        reply = await self._javascript.run(job, timeout + GRACE_SECONDS)
        if "value" in reply:
            return json.loads(reply["value"])
        raise _problem(reply["kind"], reply["message"], timeout)

    async def close(self) -> None:
        """End all child processes."""
        await self._javascript.close()
        if self._python is not None:
            pool, self._python = self._python, None
            await pool.__aexit__(None, None, None)
            await asyncio.sleep(SETTLE_SECONDS)

    async def _run_python(
        self, source: str, inputs: Mapping[str, Json], timeout: float, now: datetime, seed: str
    ) -> Json:
        import pydantic_monty as monty

        pool = await self._python_pool()
        session = pool.checkout(
            limits={
                "max_feed_duration_secs": timeout,
                "max_memory": self._memory_bytes,
                "max_suspensions": 100,
            },
            os_policy={"datetime": now, "sleep": "zero", "random_start": {"seed": seed}},
        )
        names = {name: value for name, value in inputs.items() if name.isidentifier()}
        try:
            async with session as running:
                value = await running.feed_run(
                    source, inputs={**names, "inputs": dict(inputs)}, print_callback=_unheard
                )
        except monty.MontyCrashedError as crash:
            raise _problem("timeout" if crash.timed_out else "memory", str(crash), timeout) from None
        except monty.MontySyntaxError as problem:
            raise _problem("syntax", problem.display("type-msg"), timeout) from None
        except monty.MontyRuntimeError as problem:
            inner = problem.exception()
            is_memory = isinstance(inner, MemoryError)
            kind = "timeout" if isinstance(inner, TimeoutError) else "memory" if is_memory else "error"
            raise _problem(kind, _with_line(problem), timeout) from None
        except monty.MontyError as problem:
            raise _problem("error", str(problem), timeout) from None
        return _plain(value)

    async def _python_pool(self) -> Any:
        async with self._lock:
            if self._python is None:
                from pydantic_monty import AsyncMonty  # loaded by the first program, not by every worker

                pool = AsyncMonty(
                    min_processes=1,
                    max_processes=self._max_processes,
                    max_checkouts_per_worker=USES_PER_CHILD,
                    feed_duration_limit_grace=GRACE_SECONDS,
                )
                self._python = await pool.__aenter__()
            return self._python


class _JavaScriptPool:
    """Warm child processes, each with one program at a time."""

    def __init__(self, max_processes: int):
        self._free = asyncio.Semaphore(max_processes)
        self._idle: list[_Child] = []
        self._all: set[_Child] = set()

    async def run(self, job: dict[str, Any], seconds: float) -> dict[str, str]:
        async with self._free:
            child = self._idle.pop() if self._idle else await self._start()
            try:
                async with asyncio.timeout(seconds):
                    reply = await child.run(job)
            except TimeoutError:
                await self._end(child)
                return {"kind": "timeout", "message": "killed"}
            except (asyncio.IncompleteReadError, ConnectionError, BrokenPipeError):
                # V8 ends its process when memory runs out in the middle of its own work.
                await self._end(child)
                return {"kind": "memory", "message": "the process ended"}
            except BaseException:
                await self._end(child)
                raise
            if child.uses >= USES_PER_CHILD:
                await self._end(child)
            else:
                self._idle.append(child)
            return reply

    async def close(self) -> None:
        for child in tuple(self._all):
            await self._end(child)
        self._idle.clear()

    async def _start(self) -> _Child:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(_CHILD),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            env={},
            start_new_session=True,
        )
        child = _Child(process)
        self._all.add(child)
        return child

    async def _end(self, child: _Child) -> None:
        self._all.discard(child)
        if child.process.returncode is None:
            child.process.kill()
        await child.process.wait()


class _Child:
    def __init__(self, process: asyncio.subprocess.Process):
        self.process = process
        self.uses = 0

    async def run(self, job: dict[str, Any]) -> dict[str, str]:
        self.uses += 1
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the child was started without pipes")
        body = json.dumps(job).encode()
        self.process.stdin.write(struct.pack("<I", len(body)) + body)
        await self.process.stdin.drain()
        (length,) = struct.unpack("<I", await self.process.stdout.readexactly(4))
        return json.loads(await self.process.stdout.readexactly(length))


def _unheard(_stream: str, _text: str) -> None:
    """What a program prints goes nowhere; its value is its output."""


def _plain(value: Any) -> Json:
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as problem:
        raise EffectError(
            StepError(
                ErrorClass.PERMANENT,
                _(
                    "The program gave something that is no plain data. Return text, numbers, lists or objects."
                ),
                str(problem),
            )
        ) from None
    return json.loads(text)


def _with_line(problem: Any) -> str:
    frames = problem.traceback()
    text = problem.display("type-msg")
    return f"{text} (line {frames[-1].line})" if frames else text


def _problem(kind: str, message: str, timeout: float) -> EffectError:
    sentences = {
        "timeout": _("The program ran longer than {seconds} seconds and was ended.").format(
            seconds=f"{timeout:g}"
        ),
        "memory": _("The program used too much memory and was ended."),
        "output": _("The program gave more data than a step may keep."),
        "syntax": _("The program cannot be read: {problem}").format(problem=message),
        "error": _("The program failed: {problem}").format(problem=message),
    }
    error_class = ErrorClass.TIMEOUT if kind == "timeout" else ErrorClass.PERMANENT
    return EffectError(StepError(error_class, sentences[kind], message))
