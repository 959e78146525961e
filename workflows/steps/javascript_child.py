"""Child process that runs JavaScript for code steps: jobs come from stdin, results go to stdout.

Run by file path with an empty environment; imports only the standard library and mini-racer. A message is four bytes
of length, then JSON.
"""

import json
import re
import resource
import struct
import sys
from typing import Any, BinaryIO

from py_mini_racer import JSEvalException, JSOOMException, JSParseException, JSTimeoutException, MiniRacer

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
# The clock stands still and the dice are loaded, so that the same step computes the same value again.
_PRELUDE = """
(() => {
  const at = %(now_ms)d, Real = Date;
  let state = %(seed)d >>> 0;
  globalThis.Date = new Proxy(Real, {
    construct: (target, args, made) => Reflect.construct(target, args.length ? args : [at], made),
    apply: () => new Real(at).toString(),
    get: (target, key) => key === "now" ? () => at : Reflect.get(target, key),
  });
  Math.random = () => {
    state = (state + 0x6D2B79F5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  delete globalThis.WebAssembly;
  delete globalThis.SharedArrayBuffer;
  globalThis.console = { log() {}, info() {}, warn() {}, error() {}, debug() {} };
})();
"""
_RETURN = """
JSON.stringify((result => {
  if (result instanceof Promise) throw new TypeError("return a plain value, not a promise");
  return result === undefined ? null : result;
})(%s))
"""


def run(job: dict[str, Any]) -> dict[str, str]:
    """Return {"value": JSON text} or {"kind": "timeout" | "memory" | "syntax" | "error", "message": text}."""
    with MiniRacer() as racer:
        racer.set_hard_memory_limit(job["memory"])
        try:
            racer.eval(_PRELUDE % {"now_ms": job["now_ms"], "seed": job["seed"]})
            value = racer.eval(_program(job["source"], job["inputs"]), timeout_sec=job["timeout"])
        except JSTimeoutException:
            return {"kind": "timeout", "message": ""}
        except JSOOMException:
            return {"kind": "memory", "message": ""}
        except JSParseException as problem:
            return {"kind": "syntax", "message": _first_line(problem)}
        except JSEvalException as problem:
            message = _first_line(problem)
            return {"kind": "syntax" if message.startswith("SyntaxError") else "error", "message": message}
    if not isinstance(value, str):
        return {"kind": "error", "message": "TypeError: the value cannot be written as JSON"}
    if len(value) > job["output"]:
        return {"kind": "output", "message": str(len(value))}
    return {"value": value}


def _program(source: str, inputs: dict[str, Any]) -> str:
    """Return one expression: the body of a function where the source returns, else its last value."""
    names = [name for name in inputs if _NAME.fullmatch(name) and name != "inputs"]
    values = json.dumps(inputs).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    given = f"JSON.parse({json.dumps(values)})"
    if re.search(r"\breturn\b", source):
        arguments = "".join(f", inputs[{json.dumps(name)}]" for name in names)
        parameters = ", ".join(["inputs", *names])
        body = f"((inputs) => (function ({parameters}) {{\n{source}\n}})(inputs{arguments}))({given})"
        return _RETURN % body
    bound = "".join(f"globalThis[{json.dumps(name)}] = inputs[{json.dumps(name)}];" for name in names)
    last = f"return (0, eval)({json.dumps(source)});"
    return _RETURN % f"((inputs) => {{ globalThis.inputs = inputs; {bound} {last} }})({given})"


def _first_line(problem: Exception) -> str:
    """Return `TypeError: x is undefined` out of the several lines that V8 gives."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"(Uncaught )?[A-Za-z]*(Error|Exception)\b", line)]
    return (named or lines or ["Error"])[0][:500]


def read(stream: BinaryIO) -> dict[str, Any] | None:
    head = stream.read(4)
    if len(head) < 4:
        return None
    return json.loads(stream.read(struct.unpack("<I", head)[0]))


def write(stream: BinaryIO, message: dict[str, str]) -> None:
    body = json.dumps(message).encode()
    stream.write(struct.pack("<I", len(body)) + body)
    stream.flush()


def main() -> None:
    MiniRacer().close()  # loads the engine before the files are closed to us
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while (job := read(sys.stdin.buffer)) is not None:
        write(sys.stdout.buffer, run(job))


if __name__ == "__main__":
    main()
