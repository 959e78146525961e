"""Steward behind PgBouncer in transaction mode: scopes never leak between clients that share a server connection."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from config.database import cluster as cluster_files
from config.database import embedded

ROOT = Path(__file__).resolve().parents[2]
PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")

pytestmark = pytest.mark.skipif(
    PGBOUNCER is None, reason="pgbouncer is not installed (Debian: apt install pgbouncer)"
)

# Eight threads share two server connections; each sees its own organization inside its scope and none outside.
PROGRAM = """
import concurrent.futures, uuid
import django
django.setup()
from django.db import connection
from accounts.tenancy import organization_scope

def setting():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.organization_id', true), pg_backend_pid()")
        return cursor.fetchone()

def client(number):
    own, servers = str(uuid.UUID(int=number + 1)), set()
    for _ in range(25):
        with organization_scope(uuid.UUID(own)):
            value, server = setting()
            assert value == own, value
            servers.add(server)
        assert not setting()[0]
    connection.close()
    return servers

with concurrent.futures.ThreadPoolExecutor(8) as pool:
    servers = set().union(*pool.map(client, range(8)))
print(len(servers))
"""


@pytest.fixture
def pooled_url(cluster: embedded.ConnectionUrls) -> Iterator[str]:
    """The application's URL through a real PgBouncer with two server connections."""
    assert PGBOUNCER is not None
    app = urlsplit(cluster.app)
    sockets = parse_qs(app.query)["host"][0]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    account = cluster_files.server_account(Path(sockets))
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as name:
        folder = Path(name)
        (folder / "users.txt").write_text(f'"{app.username}" "{app.password}"\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\nsteward = host='{sockets}' dbname=steward\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {folder}/users.txt\npool_mode = transaction\n"
            "default_pool_size = 2\nmax_client_conn = 100\n"
        )
        for path in (folder, *folder.iterdir()):
            if account.differs():
                os.chown(path, account.uid, account.gid)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [PGBOUNCER, str(folder / "pgbouncer.ini")],
                stdout=log,
                stderr=log,
                cwd="/",
                **account.process_options(),  # type: ignore[call-overload]
            )
        try:
            url = f"postgresql://{app.username}:{app.password}@127.0.0.1:{port}/steward"
            wait_until_it_answers(url, process, folder / "log")
            yield url
        finally:
            process.terminate()
            process.wait()


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05)
    pytest.fail(log.read_text())


def test_scopes_hold_when_clients_share_server_connections(
    pooled_url: str, cluster: embedded.ConnectionUrls
) -> None:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": pooled_url,
        "DIRECT_URL": cluster.direct,
        "DEBUG": "off",
        "SECRET_KEY": "x" * 60,
        "ENCRYPTION_KEY": "test:" + "A" * 43 + "=",
        "ALLOWED_HOSTS": "localhost",
    }
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) <= 2  # the clients really shared
