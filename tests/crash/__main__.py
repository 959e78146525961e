"""`python -m tests.crash [part [size]]`: the long crash tests; prints what each counted as one JSON line."""

from __future__ import annotations

import importlib
import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
DATABASE = "steward_crash"
# part -> what its size counts
PARTS = {"kill": "runs", "web": "kills", "schedulers": "kills", "clock": "nights", "answers": "runs"}


def main() -> None:
    """Run one part, or all of them, each on a fresh database; exit with an error when a count is not right."""
    name, size = (sys.argv[1:3] + [""] * 2)[:2]
    if name and name not in PARTS:
        sys.exit(f"usage: python -m tests.crash [{'|'.join(PARTS)} [size]]")
    import django

    django.setup()
    from django.conf import settings
    from django.db import connections

    from config.database import embedded
    from tests import databases

    urls = embedded.ensure_running(embedded.data_folder())
    databases.ensure_template(urls)
    good = True
    for part, measure in PARTS.items() if not name else [(name, PARTS[name])]:
        connections["default"].close()
        databases.clone(urls, DATABASE)
        settings.DATABASES["default"]["NAME"] = connections["default"].settings_dict["NAME"] = DATABASE
        counted = importlib.import_module(f"tests.crash.{part}").run(
            urls, DATABASE, **({measure: int(size)} if size else {})
        )
        sys.stdout.write(json.dumps(counted) + "\n")
        sys.stdout.flush()
        good = good and counted["good"]
    sys.exit(0 if good else "a count is not right")


if __name__ == "__main__":
    main()
