"""pg_dump and pg_restore: found, checked against the server, given their login without showing it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from config.database import cluster
from config.database.private_files import SetupProblem
from config.operations.backup.archive import BackupProblem

# libpq reads these; a command line would show them to everybody on the machine.
VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "options": "PGOPTIONS",
}


def program(name: str, server_version: int) -> Path:
    """Return a PostgreSQL program that is not older than the server (e.g. 180003).

    The programs that Steward brings along come first, then those on PATH. Raises BackupProblem when none fits.
    """
    found = []
    for path in _candidates(name):
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"(\d+)(?:\.\d+|devel|beta|rc)", answer)
        if version and int(version[1]) >= server_version // 10_000:
            return path
        found.append(f"{path} is {version[1] if version else 'unknown'}")
    raise BackupProblem(
        f"The server is PostgreSQL {server_version // 10_000} and {name} must not be older: "
        f"{'; '.join(found) or 'none is installed'}."
    )


def environment(url: str) -> dict[str, str]:
    """Return the environment in which a PostgreSQL program connects to `url`."""
    parameters = conninfo_to_dict(url)
    given = {VARIABLES[name]: str(value) for name, value in parameters.items() if name in VARIABLES}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return inherited | given


def server_version(url: str) -> int:
    """Return the server's version, 180003 for 18.3. Raises BackupProblem when it does not answer."""
    try:
        with psycopg.connect(url) as connection:
            return connection.info.server_version
    except psycopg.OperationalError as error:
        raise BackupProblem(f"The database does not answer: {str(error).splitlines()[0]}") from None


def _candidates(name: str) -> list[Path]:
    found = []
    with contextlib.suppress(SetupProblem):
        found.append(cluster.binaries() / name)
    if on_path := shutil.which(name):
        found.append(Path(on_path))
    return [path for path in found if path.exists()]
