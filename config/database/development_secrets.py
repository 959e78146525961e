"""Keys for a development installation, made once per data folder so that sessions survive a restart."""

import base64
import secrets
from pathlib import Path

from config.database.private_files import read_or_make


def load_or_create(folder: Path) -> dict[str, str]:
    """Return {"SECRET_KEY": ..., "ENCRYPTION_KEY": ...} of this data folder, making them when missing.

    ENCRYPTION_KEY is `id:key`, the key 32 random bytes in base64. Both live in secrets.env (mode 0600).
    Raises SetupProblem when the folder cannot be written.
    """
    text = read_or_make(folder / "secrets.env", _new_secrets)
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def replace(folder: Path, values: dict[str, str]) -> Path:
    """Make `values` the keys of this data folder, and return the file where the ones before are kept."""
    path = folder / "secrets.env"
    kept = folder / "secrets.env.before-restore"
    path.replace(kept)
    read_or_make(path, lambda: "".join(f"{name}={value}\n" for name, value in values.items()))
    return kept


def _new_secrets() -> str:
    encryption_key = base64.b64encode(secrets.token_bytes(32)).decode()
    return (
        "# Made for development. Production reads its own keys from the environment.\n"
        f"SECRET_KEY={secrets.token_urlsafe(50)}\n"
        f"ENCRYPTION_KEY=development:{encryption_key}\n"
    )
