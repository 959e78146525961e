"""Says how the installation is: `manage.py health`, for people and, with --json, for machines."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.operations.health import BAD, GOOD, report

MARKS = {"good": "  ", "warning": "! ", "bad": "!!"}


class Command(BaseCommand):
    help = "Say how workers, runs, jobs, database, disk and backups are; exits with 1 when something is bad."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON line")

    def handle(self, *args: Any, **options: Any) -> None:
        found = report()
        if options["json"]:
            self.stdout.write(json.dumps(found))
        else:
            for finding in found["findings"]:
                self.stdout.write(f"{MARKS[finding['status']]} {finding['name']:<34} {finding['value']}")
                if finding["status"] != GOOD:
                    self.stdout.write(f"   {'':<34} → {finding['advice']}")
        if found["status"] == BAD:
            raise CommandError("Something needs you.")
