"""Files only their owner may read: passwords and keys made once and kept."""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


class SetupProblem(Exception):
    """Steward cannot start; the message is one sentence for the person at the terminal."""


def make_folder(folder: Path) -> Path:
    """Return the data folder, made when missing and usable by its owner alone.

    Raises SetupProblem when it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (FileExistsError, NotADirectoryError):
        raise SetupProblem(f"{folder} is a file: set STEWARD_DATA to a folder.") from None
    except OSError as error:
        raise SetupProblem(
            f"The folder {folder} cannot be made ({error.strerror}): set STEWARD_DATA."
        ) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SetupProblem(f"The folder {folder} is not writable: set STEWARD_DATA to one that is.")
    return folder


def read_or_make(path: Path, make: Callable[[], str]) -> str:
    """Return what a file (mode 0600) holds, first writing make() when there is none.

    Two processes that start together read the same content: the file appears whole, and only once.
    """
    with contextlib.suppress(FileNotFoundError):
        return path.read_text()
    make_folder(path.parent)
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    except OSError as error:
        raise SetupProblem(f"Nothing can be written to {path.parent} ({error.strerror}).") from None
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        # link() refuses an existing name, so the first writer wins and the others read its content.
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
    return path.read_text()
