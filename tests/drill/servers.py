"""PostgreSQL servers of a drill's own: with the settings it needs, started, killed and brought back."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from config.database import cluster, roles

PASSWORD = "drill"
READY_SECONDS = 300
DATABASE = "steward"


@dataclass
class Server:
    """One cluster in `folder`. settings: beside those of every drill."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def account(self) -> cluster.Account:
        return cluster.server_account(self.folder)

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")

    def url(self, login: str = "postgres", database: str = "postgres") -> str:
        """Return the libpq URL of a login of this server."""
        return f"postgresql://{login}:{PASSWORD}@/{database}?host={self.folder}"

    def make(self) -> None:
        """Make a new cluster with Steward's roles and an empty database."""
        account = self.account
        cluster.let_account_in(self.folder, account)
        cluster.initialise(self.folder, account, PASSWORD)
        # pg_basebackup connects for replication, on the same socket and with the same password.
        self.start()
        with psycopg.connect(self.url(), autocommit=True) as connection:
            roles.create_roles(
                connection,
                DATABASE,
                owner_password=PASSWORD,
                application_password=PASSWORD,
                owner_creates_databases=True,
            )
            roles.create_backup_role(connection)
        for database in ("template1", DATABASE):
            with psycopg.connect(self.url(database=database), autocommit=True) as connection:
                roles.create_extensions(connection)
                roles.grant_in_database(connection)

    def start(self) -> float:
        """Start the server and return how many seconds passed until it answered, recovered and writable."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{self.folder}"',
            "unix_socket_permissions": "0700",
            "fsync": "on",
            "wal_level": "replica",
            **self.settings,
        }
        arguments = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        began = time.perf_counter()
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [str(cluster.binaries() / "postgres"), "-D", str(self.folder), *arguments],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **self.account.process_options(),  # type: ignore[call-overload]
            )
        until = time.monotonic() + READY_SECONDS
        while not self._is_writable():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(
                    f"the server in {self.folder} did not start: {self.log.read_text()[-2000:]}"
                )
            time.sleep(0.02)
        return time.perf_counter() - began

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(signal.SIGKILL)
        subprocess.run(["pkill", "-KILL", "-f", str(self.folder)], check=False)
        (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGINT)

    def remove(self) -> None:
        """Lose its disk."""
        shutil.rmtree(self.folder)

    def run(self, program: str, *arguments: str) -> None:
        """Run a PostgreSQL program as the server's account, logged in as the superuser."""
        subprocess.run(
            [str(cluster.binaries() / program), *arguments],
            env={
                "PGHOST": str(self.folder),
                "PGUSER": "postgres",
                "PGPASSWORD": PASSWORD,
                "PATH": "/usr/bin:/bin",
            },
            check=True,
            cwd="/",
            **self.account.process_options(),  # type: ignore[call-overload]
        )

    def _end(self, signal_number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal_number)
            self.process.wait(60)

    def _is_writable(self) -> bool:
        try:
            with psycopg.connect(self.url(), connect_timeout=2) as connection:
                row: Any = connection.execute("SELECT NOT pg_is_in_recovery()").fetchone()
                return bool(row[0])
        except psycopg.OperationalError:
            return False
