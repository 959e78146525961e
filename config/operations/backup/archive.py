"""The file of a backup: written as a stream, appearing whole or not at all, and checked byte by byte."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

FORMAT = 1
DATABASE, KEYS, MANIFEST = "database.dump", "keys.json", "manifest.json"
CHUNK = 1024 * 1024
DIGEST_HEX = 64
# What zipfile raises for one wrong byte, depending on which: a changed flag even asks for a password.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
)
MARK = b"steward backup, sha256 of what comes before: "


class BackupProblem(Exception):
    """A backup cannot be made, read or restored; the message is one sentence for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    rows: table -> its rows in the snapshot. migrations: app -> its newest migration.
    parts: file name -> [bytes, SHA-256]; filled while the parts are written.
    """

    format: int
    made_at: str  # ISO 8601, UTC
    release: str
    server_version: int
    migrations: dict[str, str]
    rows: dict[str, int]
    parts: dict[str, tuple[int, str]] = field(default_factory=dict)


class Writer:
    """Writes the parts of one backup into its archive."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.parts: dict[str, tuple[int, str]] = {}

    def add(self, name: str, source: IO[bytes]) -> None:
        """Copy a stream into the part `name`, to its end."""
        digest, size = hashlib.sha256(), 0
        with self.archive.open(name, "w", force_zip64=True) as part:
            while chunk := source.read(CHUNK):
                part.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        self.parts[name] = (size, digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, with what is known of the parts."""
        content = asdict(manifest) | {"parts": self.parts}
        self.archive.writestr(MANIFEST, json.dumps(content, indent=1, sort_keys=True))


@contextmanager
def writing(target: Path) -> Iterator[Writer]:
    """Make the file `target` (mode 0600), which appears under its name only when the block ends without an error."""
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise BackupProblem(f"Nothing can be written to {target.parent} ({error.strerror}).") from None
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                archive.comment = MARK + b"0" * DIGEST_HEX
                yield Writer(archive)
            _seal(file)
        unfinished.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        raise BackupProblem(f"{target} cannot be written ({error.strerror}).") from None
    finally:
        unfinished.unlink(missing_ok=True)


def check(source: Path) -> Manifest:
    """Return the manifest of a backup whose every byte is as it was written.

    Raises BackupProblem, which names the damaged part where that can be told.
    """
    try:
        with source.open("rb") as file:
            is_whole = _is_whole(file)
    except OSError as error:
        raise BackupProblem(f"{source} cannot be read ({error.strerror}).") from None
    try:
        manifest, damaged = _read(source)
    except UNREADABLE:
        raise BackupProblem(
            f"{source} is not a backup of Steward, or it is damaged: its table of contents cannot be read."
        ) from None
    if damaged:
        raise BackupProblem(f"{source} is damaged: {' and '.join(damaged)} changed since the backup.")
    if not is_whole:
        raise BackupProblem(f"{source} is damaged: its checksum does not fit. Its parts still do.")
    if manifest.format > FORMAT:
        raise BackupProblem(
            f"{source} was made by a newer release ({manifest.release}): restore it with that."
        )
    return manifest


@contextmanager
def part(source: Path, name: str) -> Iterator[IO[bytes]]:
    """Open one part of a checked backup for reading."""
    with zipfile.ZipFile(source) as archive, archive.open(name) as opened:
        yield opened


def _seal(file: IO[bytes]) -> None:
    """Put the digest of everything before it into the last bytes, and the file onto the disk."""
    file.flush()
    size = file.seek(0, os.SEEK_END) - DIGEST_HEX
    digest = _digest(file, size)
    file.seek(size)
    file.write(digest)
    file.flush()
    os.fsync(file.fileno())


def _is_whole(file: IO[bytes]) -> bool:
    size = file.seek(0, os.SEEK_END) - DIGEST_HEX
    if size < len(MARK):
        return False
    digest = _digest(file, size)
    file.seek(size)
    return file.read() == digest


def _digest(file: IO[bytes], size: int) -> bytes:
    file.seek(0)
    digest, left = hashlib.sha256(), size
    while left and (chunk := file.read(min(CHUNK, left))):
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest().encode()


def _read(source: Path) -> tuple[Manifest, list[str]]:
    """Return the manifest and the names of the parts that are not what it says of them."""
    with zipfile.ZipFile(source) as archive:
        content: dict[str, Any] = json.loads(archive.read(MANIFEST))
        manifest = Manifest(**content)
        damaged = []
        for name in (DATABASE, KEYS):
            _size, expected = manifest.parts[name]
            try:
                digest = hashlib.sha256()
                with archive.open(name) as opened:
                    while chunk := opened.read(CHUNK):
                        digest.update(chunk)
            except UNREADABLE:
                damaged.append(name)
                continue
            if digest.hexdigest() != expected:
                damaged.append(name)
    return manifest, damaged


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
