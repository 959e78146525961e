"""Where the passphrase of a backup comes from: a file, the environment, or the person at the terminal."""

from __future__ import annotations

import getpass
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from config.operations.backup.archive import BackupProblem

VARIABLE = "BACKUP_PASSPHRASE"


def add_argument(parser: ArgumentParser) -> None:
    """Let a command take --passphrase-file."""
    parser.add_argument(
        "--passphrase-file", type=Path, help=f"a file that holds it; else {VARIABLE}, else it is asked"
    )


def given(options: dict[str, Any], *, is_new: bool) -> str:
    """Return the passphrase. is_new: one that is typed is typed twice. Raises BackupProblem when there is none."""
    if path := options["passphrase_file"]:
        try:
            return str(path.read_text()).rstrip("\r\n")
        except OSError as error:
            raise BackupProblem(f"{path} cannot be read ({error.strerror}).") from None
    if found := os.environ.get(VARIABLE):
        return found
    if not sys.stdin.isatty():
        raise BackupProblem(f"There is no passphrase: set {VARIABLE}, or pass --passphrase-file.")
    typed = getpass.getpass("Passphrase of the backup: ")
    if is_new and getpass.getpass("Once more: ") != typed:
        raise BackupProblem("The two passphrases are not the same.")
    return typed
