"""Brings a backup back, or proves that it could be: `manage.py restore steward.backup --verify`."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.database.development_secrets import load_or_create, replace
from config.operations.backup import passphrase
from config.operations.backup.archive import BackupProblem
from config.operations.backup.restore import Restored, restore, verify


class Command(BaseCommand):
    help = (
        "Restore FILE into the empty database of DIRECT_URL, or of --into. With --verify into a scratch database"
        " instead, where every credential is opened, every definition read and every row counted."
    )
    requires_system_checks: list[str] = []  # they look at the database that is not there yet

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--verify", action="store_true", help="only prove that it could be restored")
        parser.add_argument(
            "--into", metavar="URL", help="postgresql:// URL of an empty database, as its owner"
        )
        parser.add_argument(
            "--keys-file",
            type=Path,
            help="write SECRET_KEY and ENCRYPTION_KEY of the backup to this new file",
        )
        passphrase.add_argument(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        source: Path = options["file"]
        try:
            words = passphrase.given(options, is_new=False)
            if options["verify"]:
                found = verify(source, words)
                self.stdout.write(
                    f"{source} is whole: {found['rows']:,} rows, {found['credentials']} credentials open,"
                    f" {found['definitions']} published definitions read."
                )
                return
            restored = restore(source, words, options["into"] or settings.DIRECT_URL)
        except BackupProblem as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(
            f"Restored {sum(restored.manifest.rows.values()):,} rows of {restored.manifest.made_at}."
            " Runs that were unfinished then go on when a worker starts; run `manage.py migrate` before that."
        )
        self.hand_over_keys(restored, options["keys_file"])

    def hand_over_keys(self, restored: Restored, target: Path | None) -> None:
        """Say or do what makes the restored credentials readable here."""
        if target is not None:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.writelines(f"{name}={value}\n" for name, value in restored.keys.items())
            self.stdout.write(
                f"{target} holds the keys: put them into the environment, then remove the file."
            )
        elif all(getattr(settings, name) == value for name, value in restored.keys.items()):
            return
        elif settings.DEBUG and load_or_create(settings.DATA_FOLDER).items() <= os.environ.items():
            kept = replace(settings.DATA_FOLDER, restored.keys)
            self.stdout.write(
                f"This data folder now has the keys of the backup; the ones before are in {kept}."
            )
        else:
            self.stdout.write(
                "This installation has other keys than the backup: restore again into an empty database with"
                " --keys-file, or set SECRET_KEY and ENCRYPTION_KEY to what they were."
            )
