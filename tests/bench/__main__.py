"""`python -m tests.bench NAME`: runs one benchmark and prints its figures as one JSON line, last."""

from __future__ import annotations

import importlib
import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
NAMES = (
    "drain",
    "ingest",
    "sync",
    "sequential",
    "loop",
    "waiting",
    "fairness",
    "idle",
    "memory",
    "metering",
    "retention",
    "pages",
    "search",
)


def main() -> None:
    """Run the benchmark named on the command line."""
    if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
        sys.exit(f"usage: bin/bench {{{'|'.join(NAMES)}}}")
    import django

    django.setup()
    figures = importlib.import_module(f"tests.bench.{sys.argv[1]}").run()
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
