"""`python -m tests.drill NAME`: runs one drill and prints what it found as one JSON line, last."""

from __future__ import annotations

import importlib
import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
NAMES = ("recovery",)


def main() -> None:
    """Run the drill named on the command line; exit with 1 when it finds that a promise does not hold."""
    if len(sys.argv) < 2 or sys.argv[1] not in NAMES:
        sys.exit(f"usage: bin/drill {{{'|'.join(NAMES)}}}")
    import django

    django.setup()
    found = importlib.import_module(f"tests.drill.{sys.argv[1]}").run()
    sys.stdout.write(json.dumps(found) + "\n")
    sys.exit(0 if found["good"] else 1)


if __name__ == "__main__":
    main()
