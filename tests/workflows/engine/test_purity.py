"""The engine stays a library: importing and running it loads no framework, no database driver, no network client."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
FORBIDDEN = (
    "django",
    "psycopg",
    "httpx",
    "procrastinate",
    "pydantic_monty",
    "py_mini_racer",
    "integrations",
    "accounts",
)


def test_engine_and_steps_load_nothing_that_reaches_outside() -> None:
    loaded = f"[name for name in {FORBIDDEN!r} if name in sys.modules]"
    program = f"import sys, workflows.steps, workflows.engine.walk; print({loaded})"
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
