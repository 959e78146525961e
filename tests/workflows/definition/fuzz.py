"""Fuzzes expressions for a given time: `python -m tests.workflows.definition.fuzz 600`; prints one JSON line last.

Not part of the test run. Every text must end in a value or a declared error, in bounded time and memory.
"""

import json
import resource
import sys
from time import monotonic

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.workflows.definition.grammar import SCOPE, liquid_texts
from workflows.definition.expressions import ExpressionError, compile_value

SLOWEST_SECONDS = 5.0  # five times the ceiling of one rendering, for a machine that does other things too


def main(seconds: float) -> int:
    """Fuzz for `seconds`; return the exit status: 0 when nothing but values and declared errors came out."""
    ends_at = monotonic() + seconds
    counts = {"texts": 0, "values": 0, "errors": 0}
    slowest = 0.0

    @settings(
        max_examples=2_000,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(liquid_texts(), liquid_texts(), st.text(max_size=300)))
    def one_round(text: str) -> None:
        nonlocal slowest
        if monotonic() > ends_at:
            return
        started = monotonic()
        counts["texts"] += 1
        try:
            compiled = compile_value(text)
            compiled.references()
            json.dumps(compiled.render(SCOPE))
            counts["values"] += 1
        except ExpressionError:
            counts["errors"] += 1
        slowest = max(slowest, monotonic() - started)
        assert monotonic() - started < SLOWEST_SECONDS, f"took too long: {text!r}"

    failure = ""
    try:
        while monotonic() < ends_at:
            one_round()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        failure = f"{type(error).__name__}: {error}"
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    report = {
        "name": "fuzz_expressions",
        **counts,
        "slowest_ms": round(slowest * 1000),
        "rss_mb": memory,
        "failure": failure,
    }
    sys.stdout.write(json.dumps(report) + "\n")
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60))
