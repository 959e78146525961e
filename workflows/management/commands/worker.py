"""`manage.py worker`: runs workflows and every other background job, until SIGTERM."""

from __future__ import annotations

import asyncio
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.startup import check_database
from workflows.runner.process import serve


class Command(BaseCommand):
    """Start one worker process. Start as many as there are cores to spare, on any number of machines."""

    help = "Run workflows and background jobs until a signal asks to stop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=None, help="runs in progress at once")
        parser.add_argument(
            "--only-runs", action="store_true", help="run workflows, and leave other jobs to others"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            check_database()
        except ImproperlyConfigured as problem:
            raise CommandError(str(problem)) from None
        asyncio.run(serve(concurrency=options["concurrency"], only_runs=options["only_runs"]))
