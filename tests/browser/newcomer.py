"""Steward as a newcomer starts it: the files of the repository in an empty folder, then bin/run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Installation:
    """A running installation. demo: what $STEWARD_DATA/demo.json says; said: what bin/run printed."""

    folder: Path
    url: str
    demo: dict[str, Any]
    said: str


@contextmanager
def started(folder: Path) -> Iterator[Installation]:
    """Copy the repository to `folder`, run bin/run there, and stop it afterwards."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    # The packages are this environment's: tests/config/test_installation.py is about installing them.
    (folder / ".venv").symlink_to(sys.prefix)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # What a newcomer has not set.
    own = (
        "DATABASE_URL",
        "DIRECT_URL",
        "SECRET_KEY",
        "ENCRYPTION_KEY",
        "STEWARD_DATA",
        "STEWARD_BASE_URL",
        "DEBUG",
    )
    environment = {name: value for name, value in os.environ.items() if name not in own} | {"PORT": str(port)}
    process = subprocess.Popen(
        [str(folder / "bin" / "run")],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield Installation(folder, *_ready(process, folder, port))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _ready(process: subprocess.Popen[str], folder: Path, port: int) -> tuple[str, dict[str, Any], str]:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("Ctrl-C stops"):
            demo = json.loads((folder / ".data" / "demo.json").read_text())
            return f"http://localhost:{port}", demo, "".join(said)
    raise AssertionError("bin/run ended:\n" + "".join(said))
