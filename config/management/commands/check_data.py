"""Opens every credential and reads every definition, and says what cannot be."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.operations.data_check import check_data


class Command(BaseCommand):
    help = "Open every stored credential and read every definition; exits with 1 when something cannot be."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON line")

    def handle(self, *args: Any, **options: Any) -> None:
        found = check_data()
        if options["json"]:
            self.stdout.write(json.dumps(asdict(found)))
            return
        self.stdout.write(
            f"{found.credentials} credentials open, {found.definitions} published definitions read,"
            f" {found.drafts_with_problems} drafts are unfinished."
        )
        if found.problems:
            raise CommandError("\n".join(found.problems))
