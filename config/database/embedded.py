"""The PostgreSQL that runs when no DATABASE_URL is set: a private cluster in the data folder, on a Unix socket."""

import atexit
import contextlib
import ctypes
import fcntl
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

from config.database import cluster as files
from config.database.private_files import SetupProblem, make_folder, read_or_make

DATABASE = "steward"
READY_SECONDS = 60  # crash recovery of a large cluster takes longer than a start
STOP_SECONDS = 30
LARGEST_LOG_BYTES = 10_000_000

SETTINGS = {
    "listen_addresses": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "shared_preload_libraries": "pg_stat_statements",
    # Fewer wake-ups while nothing happens.
    "bgwriter_delay": "1s",
    "wal_writer_delay": "1s",
    "checkpoint_timeout": "15min",
    "max_wal_size": "2GB",
    "autovacuum_naptime": "30s",
    "log_min_messages": "warning",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True)
class ConnectionUrls:
    """libpq URLs of one embedded cluster; each carries its login's password."""

    app: str
    direct: str
    superuser: str


def data_folder() -> Path:
    """Return the absolute folder that holds everything this installation stores."""
    given = os.environ.get("STEWARD_DATA")
    return Path(given).expanduser().resolve() if given else Path(__file__).resolve().parents[2] / ".data"


def connection_urls(folder: Path) -> ConnectionUrls:
    """Return the URLs of the folder's cluster without starting it: the same ones every time.

    Makes the passwords when there are none yet. Raises SetupProblem when they cannot be written.
    """
    folder = folder.resolve()
    passwords = json.loads(read_or_make(folder / "database-passwords.json", _new_passwords))
    host = quote(str(files.socket_folder(folder)), safe="")

    def url(login: str, database: str) -> str:
        return f"postgresql://{login}:{passwords[login]}@/{database}?host={host}"

    return ConnectionUrls(
        app=url("steward_app", DATABASE),
        direct=url("steward_owner", DATABASE),
        superuser=url("postgres", "postgres"),
    )


def ensure_running(folder: Path, *, die_with_parent: bool = False) -> ConnectionUrls:
    """Return the URLs of a cluster that answers, with its roles and its database, making what is missing.

    The last process that asked for it stops it when it exits.
    die_with_parent: on Linux the server stops even when this process is killed outright.
    Raises SetupProblem with one sentence for the user when the server cannot be set up or started.
    """
    folder = make_folder(folder.resolve())
    urls = connection_urls(folder)
    with _alone(folder):
        _count_me_in(folder)
        if not _answers(urls):
            _start(folder, urls, die_with_parent)
        _make_roles(folder, urls)
    return urls


def is_running(folder: Path) -> bool:
    """Return whether the folder's server process is alive."""
    return _server_process(folder.resolve()) is not None


def stop(folder: Path) -> None:
    """Stop the folder's server, whoever uses it, and return when it is gone. A stopped one is left alone."""
    folder = folder.resolve()
    if not folder.exists():
        return
    with _alone(folder):
        _stop(folder)


def _new_passwords() -> str:
    # Letters and digits only, so that they need no quoting in a URL.
    return json.dumps(
        {login: secrets.token_hex(24) for login in ("postgres", "steward_owner", "steward_app")}
    )


# Who uses the server: each process keeps a shared lock, which the system releases even after kill -9.

_shares: dict[Path, IO[str]] = {}
_children: dict[Path, subprocess.Popen[bytes]] = {}


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's set-up lock: starting, stopping and making roles happen one at a time."""
    with open(folder / "database.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _count_me_in(folder: Path) -> None:
    if folder in _shares:
        return
    share = open(folder / "database.users", "a")  # noqa: SIM115 held until this process ends
    fcntl.flock(share, fcntl.LOCK_SH)
    _shares[folder] = share
    atexit.register(_leave, folder, os.getpid())


def _leave(folder: Path, process_id: int) -> None:
    # A forked child runs the same exit functions, but never asked for the server itself.
    if os.getpid() != process_id or not folder.exists():
        return
    with _alone(folder), contextlib.suppress(BlockingIOError):
        share = _shares.pop(folder)
        fcntl.flock(share, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _stop(folder)


def _answers(urls: ConnectionUrls) -> bool:
    import psycopg  # here and not above: reading a URL must stay cheap

    try:
        psycopg.connect(urls.superuser, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise SetupProblem(
                "The passwords in database-passwords.json are not those of the database beside it:"
                " put the file back, or remove the folder to start anew."
            ) from None
        return False
    return True


def _start(folder: Path, urls: ConnectionUrls, die_with_parent: bool) -> None:
    cluster = folder / "postgres"
    account = files.server_account(cluster)
    files.let_account_in(cluster, account)
    if not cluster.exists():
        files.initialise(cluster, account, _password(urls.superuser))
    _check_version(cluster)
    sockets = files.socket_folder(folder)
    if sockets != cluster:
        files.make_socket_folder(sockets, account)
    if _server_process(folder) is None:
        # The number in a left-over file may by now belong to any other process, and PostgreSQL would refuse.
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        _children[folder] = _spawn(folder, cluster, sockets, account, die_with_parent)
    _wait_until_ready(folder, urls)


def _spawn(
    folder: Path, cluster: Path, sockets: Path, account: files.Account, die_with_parent: bool
) -> subprocess.Popen[bytes]:
    quoted = str(sockets).replace('"', '""')
    settings = SETTINGS | {"unix_socket_directories": f'"{quoted}"', "unix_socket_permissions": "0700"}
    arguments = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
    log = folder / "postgres.log"
    if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(files.binaries() / "postgres"), "-D", str(cluster), *arguments],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Its own session: Ctrl-C in the terminal must not stop it under the processes that still use it.
            start_new_session=True,
            preexec_fn=die_with(signal.SIGINT) if die_with_parent else None,  # SIGINT: the fast shutdown
            **account.process_options(),  # type: ignore[call-overload]
        )


def die_with(signal_number: int) -> Callable[[], None] | None:
    """Return a preexec_fn after which Linux signals the child when its parent dies; None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def prepare() -> None:
        libc.prctl(1, int(signal_number))  # 1 is PR_SET_PDEATHSIG
        if os.getppid() != parent:  # it died before the call
            os.kill(os.getpid(), signal_number)

    return prepare


def _wait_until_ready(folder: Path, urls: ConnectionUrls) -> None:
    until = time.monotonic() + READY_SECONDS
    while not _answers(urls):
        child = _children.get(folder)
        if child is not None and child.poll() is not None:
            raise SetupProblem(
                f"PostgreSQL did not start: {_log_end(folder)} (more in {folder / 'postgres.log'})"
            )
        if time.monotonic() > until:
            raise SetupProblem(
                f"PostgreSQL does not answer after {READY_SECONDS} s: see {folder / 'postgres.log'}."
            )
        time.sleep(0.03)


def _make_roles(folder: Path, urls: ConnectionUrls) -> None:
    import psycopg

    from config.database import roles

    done = folder / "postgres" / "steward-roles-version"
    if done.exists() and done.read_text() == str(roles.VERSION):
        return
    with psycopg.connect(urls.superuser, autocommit=True) as connection:
        roles.create_roles(
            connection,
            DATABASE,
            owner_password=_password(urls.direct),
            application_password=_password(urls.app),
            owner_creates_databases=True,
        )
        roles.create_backup_role(connection)
        roles.let_see_statistics(connection)
    # template1 too, so that databases made later (tests, restored backups) have the same grants.
    for database in ("template1", DATABASE):
        with psycopg.connect(urls.superuser, dbname=database, autocommit=True) as connection:
            roles.create_extensions(connection)
            roles.grant_in_database(connection)
    done.write_text(str(roles.VERSION))


def _stop(folder: Path) -> None:
    server = _server_process(folder)
    if server is None:
        return
    os.kill(server, signal.SIGINT)  # fast shutdown: refuses new sessions, rolls back, checkpoints
    child = _children.pop(folder, None)
    until = time.monotonic() + STOP_SECONDS
    while _server_process(folder) == server:
        if child is not None:
            child.poll()  # a child that ended stays in the process table until it is asked for
        if time.monotonic() > until:
            os.kill(server, signal.SIGQUIT)  # recovers at the next start; nothing committed is lost
            until += STOP_SECONDS
        time.sleep(0.02)


def _server_process(folder: Path) -> int | None:
    """Return the id of the postmaster that serves this folder, from postmaster.pid, if it really is one."""
    import psutil

    cluster = folder / "postgres"
    try:
        process_id = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(process_id)
        mine = process.status() != psutil.STATUS_ZOMBIE and str(cluster) in process.cmdline()
    except (OSError, ValueError, psutil.Error):
        return None
    return process_id if mine else None


def _check_version(cluster: Path) -> None:
    has = (cluster / "PG_VERSION").read_text().strip()
    result = files.run("postgres", "--version", account=files.server_account(cluster))
    runs = result.stdout.split()[-1].split(".")[0]
    if has != runs:
        raise SetupProblem(
            f"{cluster} was made by PostgreSQL {has} and this is {runs}:"
            " back up with the earlier release and restore with this one."
        )


def _password(url: str) -> str:
    return url.split("://", 1)[1].split("@", 1)[0].split(":", 1)[1]


def _log_end(folder: Path) -> str:
    lines = (folder / "postgres.log").read_text(errors="replace").splitlines()
    return lines[-1].strip() if lines else "no reason was given"
