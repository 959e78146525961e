"""The backup that makes itself every night, and keeps the newest few."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from config.operations.backup.archive import BackupProblem
from config.operations.backup.create import create

PATTERN = "steward-*.backup"


def back_up() -> str:
    """Write a backup into BACKUP_FOLDER, remove all but the newest BACKUP_KEEP, and say so. Raises BackupProblem."""
    folder: Path | None = settings.BACKUP_FOLDER
    if folder is None:
        return "off: BACKUP_FOLDER is not set"
    if not settings.BACKUP_PASSPHRASE:
        raise BackupProblem(
            "BACKUP_PASSPHRASE is not set: without it the keys could not be part of the backup."
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    target = folder / f"steward-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.backup"
    manifest = create(target, settings.BACKUP_PASSPHRASE)
    old = kept(folder)[: -settings.BACKUP_KEEP]
    for path in old:
        path.unlink()
    size = target.stat().st_size / 1_000_000
    return f"{target.name}: {sum(manifest.rows.values()):,} rows, {size:,.1f} MB; removed {len(old)} old"


def kept(folder: Path) -> list[Path]:
    """Return the nightly backups of a folder, oldest first."""
    return sorted(folder.glob(PATTERN))
