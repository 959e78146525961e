"""Point-in-time recovery: a base backup and the archived log bring back every minute, and the minute before a mistake.

1. A server archives its log; Steward's schema and a given amount of runs are in it; a base backup is taken.
2. Writing goes on. Somebody deletes everything; later the whole server is lost, disk and all.
3. A new server recovers the end of the archive (RPO, RTO), and another the moment before the mistake.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from tests.bench.retention import FILL
from tests.databases import ROOT
from tests.drill.servers import DATABASE, Server

RUNS = int(os.environ.get("DRILL_RUNS", "300000"))  # about 400 MB
ARCHIVE_SECONDS = int(os.environ.get("DRILL_ARCHIVE_SECONDS", "10"))  # in production 300: the promised RPO
WRITE_SECONDS = 3 * ARCHIVE_SECONDS
NAMES = ("org", "workflow", "version")
RPO_PROMISED, RTO_PROMISED, SIZE_PROMISED = 300, 3600, 10e9


def run() -> dict[str, Any]:
    """Return what was measured; `good` when every row that was archived is back and nothing else is missing."""
    with tempfile.TemporaryDirectory(prefix="steward-drill-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        return Drill(folder).run()


class Drill:
    """One drill in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.archive, self.base = folder / "archive", folder / "base"
        self.first = Server(folder / "first", self.archiving())
        for made in (self.archive, self.base):
            made.mkdir(mode=0o700)
            account = self.first.account
            if account.differs():
                os.chown(made, account.uid, account.gid)
        self.folder = folder

    def archiving(self) -> dict[str, str]:
        """Return the settings that the documentation gives operators."""
        return {
            "archive_mode": "on",
            "archive_command": f"test ! -f {self.archive}/%f && cp %p {self.archive}/%f.part"
            f" && mv {self.archive}/%f.part {self.archive}/%f",
            "archive_timeout": str(ARCHIVE_SECONDS),
        }

    def run(self) -> dict[str, Any]:
        self.first.make()
        self.migrate()
        size = self.fill()
        began = time.perf_counter()
        self.first.run("pg_basebackup", f"--pgdata={self.base}", "--checkpoint=fast", "--wal-method=none")
        base_seconds = time.perf_counter() - began
        written = self.write(WRITE_SECONDS)
        mistake_at, rows_before = self.make_a_mistake()
        written += self.write(WRITE_SECONDS)
        self.first.kill()
        lost_at = time.time()
        self.first.remove()

        second, rto = self.recover("second", None)
        last = self.last_written(second)
        second.stop()
        third, _seconds = self.recover("third", mistake_at)
        rows_after = self.rows(third)
        third.stop()
        rpo = lost_at - last
        seconds_of_ten = rto * SIZE_PROMISED / size
        return {
            "drill": "recovery",
            "good": rpo <= ARCHIVE_SECONDS + 5
            and rows_after == rows_before
            and seconds_of_ten <= RTO_PROMISED,
            "database_mb": round(size / 1e6),
            "base_backup_s": round(base_seconds, 1),
            "rows_written_meanwhile": written,
            "archive_timeout_s": ARCHIVE_SECONDS,
            "lost_s": round(rpo, 1),
            "lost_s_with_archive_timeout_of_300": round(rpo - ARCHIVE_SECONDS + 300, 1)
            if rpo > ARCHIVE_SECONDS
            else 300,
            "recovered_in_s": round(rto, 1),
            "recovered_in_s_for_10_gb_extrapolated": round(seconds_of_ten),
            "runs_before_the_mistake": rows_before,
            "runs_recovered_to_before_the_mistake": rows_after,
        }

    def migrate(self) -> None:
        app, owner = (self.first.url(login, DATABASE) for login in ("steward_app", "steward_owner"))
        environment = os.environ | {"DATABASE_URL": app, "DIRECT_URL": owner, "DEBUG": "1"}
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)

    def fill(self) -> int:
        """Put RUNS runs with steps and log lines into this month; return the database's bytes."""
        ids = {name: f"0190a000-0000-7000-8000-{number:012}" for number, name in enumerate(NAMES)}
        with psycopg.connect(self.first.url(database=DATABASE), autocommit=True) as connection:
            connection.execute("CREATE TABLE heartbeat (at double precision)")
            connection.execute(
                "SET session_replication_role = replica"
            )  # the rows are right without their parents
            start = connection.execute("SELECT date_trunc('month', now()) + interval '1 day'").fetchone()
            values = {**ids, "start": start[0] if start else None, "runs": RUNS}
            for statement in FILL.strip().rstrip(";").split(";"):
                connection.execute(statement, values)  # type: ignore[arg-type]
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            return int(row[0]) if row else 0

    def write(self, seconds: float) -> int:
        """Commit a row with the time in it, twenty times a second; return how many."""
        count, until = 0, time.monotonic() + seconds
        with psycopg.connect(self.first.url(database=DATABASE), autocommit=True) as connection:
            while time.monotonic() < until:
                connection.execute("INSERT INTO heartbeat VALUES (%s)", [time.time()])
                count += 1
                time.sleep(0.05)
        return count

    def make_a_mistake(self) -> tuple[datetime, int]:
        """Delete every run; return the moment before and how many there were."""
        with psycopg.connect(self.first.url(database=DATABASE), autocommit=True) as connection:
            row = connection.execute("SELECT clock_timestamp(), count(*) FROM workflows_execution").fetchone()
            time.sleep(0.2)
            connection.execute("SET session_replication_role = replica")
            connection.execute("DELETE FROM workflows_execution")
        moment, rows = row or (datetime.now(UTC), 0)
        return moment, int(rows)

    def recover(self, name: str, until: datetime | None) -> tuple[Server, float]:
        """Bring the base backup and the archive together on a new server; return it and the seconds it took."""
        began = time.perf_counter()
        settings = {
            **self.archiving(),
            "archive_mode": "off",
            "restore_command": f"cp {self.archive}/%f %p",
            "recovery_target_action": "promote",
        }
        if until is not None:
            settings["recovery_target_time"] = until.isoformat()
        server = Server(self.folder / name, settings)
        subprocess.run(["cp", "-a", str(self.base), str(server.folder)], check=True)
        (server.folder / "recovery.signal").touch()
        if server.account.differs():
            os.chown(server.folder / "recovery.signal", server.account.uid, server.account.gid)
        server.start()
        return server, time.perf_counter() - began

    def last_written(self, server: Server) -> float:
        with psycopg.connect(server.url(database=DATABASE)) as connection:
            row = connection.execute("SELECT max(at) FROM heartbeat").fetchone()
            return float(row[0]) if row else 0.0

    def rows(self, server: Server) -> int:
        with psycopg.connect(server.url(database=DATABASE)) as connection:
            row = connection.execute("SELECT count(*) FROM workflows_execution").fetchone()
            return int(row[0]) if row else 0
