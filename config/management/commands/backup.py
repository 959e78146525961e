"""Writes everything into one file: `manage.py backup steward.backup`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.operations.backup import passphrase
from config.operations.backup.archive import BackupProblem
from config.operations.backup.create import create


class Command(BaseCommand):
    help = (
        "Write the database and the encryption keys into FILE, while Steward runs. The keys are encrypted with a"
        " passphrase: BACKUP_PASSPHRASE, --passphrase-file, or asked for."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        passphrase.add_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["file"]
        try:
            manifest = create(target, passphrase.given(options, is_new=True))
        except BackupProblem as problem:
            raise CommandError(str(problem)) from None
        size = target.stat().st_size / 1_000_000
        self.stdout.write(
            f"{target} holds {sum(manifest.rows.values()):,} rows in {size:,.1f} MB."
            " Keep the passphrase somewhere else; without it no credential can be read."
        )
