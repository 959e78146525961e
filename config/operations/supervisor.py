"""What bin/run executes: database, preparation, web server and worker, from start to a clean stop."""

import contextlib
import fcntl
import http.client
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from config.database import embedded
from config.database.environment import choose_debug, uses_embedded_server
from config.database.private_files import SetupProblem, make_folder
from config.operations import children, preparation

SLOW_START_SECONDS = 60
ASK_SECONDS = 0.1  # how often to ask a starting web server
LOOK_SECONDS = 5.0  # how often to look after the database; a child that dies wakes us at once


class Stopped(BaseException):
    """Somebody asked us to stop, with Ctrl-C or a signal."""


def main() -> None:
    """Run Steward until a signal. Exit code 0 after a clean stop, 1 with one sentence when it cannot start."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        is_debug = choose_debug()
        folder = make_folder(embedded.data_folder())
        host, port = os.environ.get("HOST") or "127.0.0.1", port_number()
        base_url = os.environ.setdefault("STEWARD_BASE_URL", f"http://localhost:{port}").rstrip("/")
        with only_one(folder, base_url):
            check_port_is_free(host, port)
            Supervisor(folder, base_url, host, port, is_debug).run()
    except SetupProblem as problem:
        sys.exit(str(problem))
    except Stopped:
        pass


def port_number() -> int:
    """Return PORT, 8000 unless set. Raises SetupProblem when it is no port."""
    given = os.environ.get("PORT") or "8000"
    if not given.isdigit() or not 0 < int(given) < 65536:
        raise SetupProblem(f"PORT is “{given}”: set it to a number from 1 to 65535.")
    return int(given)


def check_port_is_free(host: str, port: int) -> None:
    """Raise SetupProblem when the web server could not listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gunicorn does
        try:
            probe.bind((host, port))
            probe.listen()  # on Linux two sockets may bind, but only one may listen
        except PermissionError:
            raise SetupProblem(
                f"Port {port} needs more rights: choose one above 1023, as in PORT=8001 bin/run."
            ) from None
        except OSError:
            another = f"PORT={port + 1} bin/run" if port < 65535 else "PORT=8001 bin/run"
            raise SetupProblem(f"Port {port} is taken: stop what uses it, or run {another}.") from None


@contextlib.contextmanager
def only_one(folder: Path, base_url: str) -> Iterator[None]:
    """Hold the data folder for this supervisor. Raises SetupProblem when another one runs on it."""
    with open(folder / "run.lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            where = lock.read().strip()
            raise SetupProblem(f"Steward already runs on {folder}: open {where}, or stop it first.") from None
        lock.truncate(0)
        lock.write(base_url)
        lock.flush()
        yield


class Supervisor:
    """One running installation."""

    def __init__(self, folder: Path, base_url: str, host: str, port: int, is_debug: bool) -> None:
        self.folder = folder
        self.base_url = base_url
        self.address = ("localhost" if host in {"0.0.0.0", "::"} else host, port)  # noqa: S104 compared, not bound
        self.is_debug = is_debug
        self.is_embedded = uses_embedded_server()
        gunicorn = ["-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi:application"]
        self.web = children.Child("web server", gunicorn, os.environ)
        self.worker = children.Child("worker", ["manage.py", "worker"], os.environ)
        self.wake = wake_up_on_signals()

    def run(self) -> None:
        """Start everything, say where it is, look after it until Stopped is raised, and stop it all."""
        try:
            self.prepare(self.start_database())
            say("Starting the web server and the worker …")
            self.look_after(until=self.answers)
            self.greet()
            self.look_after()
        except Stopped:
            say("Stopping …")
        finally:
            self.stop()

    def start_database(self) -> str:
        """Return the owner's URL of a database that answers."""
        if not self.is_embedded:
            return os.environ.get("DIRECT_URL") or os.environ["DATABASE_URL"]
        say("Starting the database …")
        return embedded.ensure_running(self.folder, die_with_parent=True).direct

    def prepare(self, direct_url: str) -> None:
        """Do the preparation steps that have something to do."""
        installation = preparation.Installation(self.folder, direct_url, self.base_url, self.is_debug)
        for step in preparation.steps(installation):
            if not preparation.pending(installation, step):
                continue
            say(step.sentence)
            login = {"STEWARD_DATABASE_LOGIN": "owner"} if step.needs_owner else {}
            process = children.start(["-m", "config.operations.preparation", step.name], os.environ | login)
            try:
                code = process.wait()
            except Stopped:
                children.end([process])
                raise
            if code != 0:
                raise SetupProblem(
                    f"The start stopped at “{step.sentence.rstrip(' …')}”: see the reason above."
                )
            preparation.record(installation, step)

    def look_after(self, until: Callable[[], bool] | None = None) -> None:
        """Start what is missing and restart what dies, until the condition holds (None: for ever)."""
        slow_at = time.monotonic() + SLOW_START_SECONDS
        while True:
            if self.is_embedded and not embedded.is_running(self.folder):
                say("The database ended; it starts again.")
                embedded.ensure_running(self.folder, die_with_parent=True)
            now = time.monotonic()
            for child in (self.web, self.worker):
                child.tend(now)
            if until is not None and until():
                return
            if until is not None and now > slow_at:
                say("This takes unusually long; the messages above may say why.")
                slow_at = float("inf")
            self.sleep(ASK_SECONDS if until is not None else LOOK_SECONDS)

    def sleep(self, seconds: float) -> None:
        """Wait that long, or until a signal arrives or a child may start again."""
        due = [
            child.start_at - time.monotonic() for child in (self.web, self.worker) if child.process is None
        ]
        ready, _, _ = select.select([self.wake], [], [], max(0.0, min([seconds, *due])))
        if ready:
            self.wake.recv(4096)

    def answers(self) -> bool:
        """Return whether the web server says that it can work."""
        connection = http.client.HTTPConnection(*self.address, timeout=5)
        try:
            connection.request("GET", "/health/ready", headers={"Host": self.base_url.split("://", 1)[-1]})
            # A redirect to HTTPS also comes from a server that works.
            return connection.getresponse().status < 400
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def greet(self) -> None:
        """Print the address, and in a trial the demo's login and a command to try."""
        lines = [f"Steward is ready: {self.base_url}/"]
        try:
            demo = json.loads((self.folder / "demo.json").read_text()) if self.is_debug else {}
        except (OSError, ValueError):
            demo = {}
        if "email" in demo:
            lines.append(f"Sign in as {demo['email']} with the password {demo['password']}")
        if "webhook_url" in demo:
            lines += [
                "Start the demo workflow from another terminal:",
                "  " + demo.get("curl", curl(demo["webhook_url"])),
            ]
        lines.append("Ctrl-C stops everything.")
        say("\n" + "\n".join(lines) + "\n")

    def stop(self) -> None:
        """End the children, then the database; a second signal ends the children at once."""
        running = [child.process for child in (self.worker, self.web) if child.process is not None]
        with contextlib.suppress(Stopped):
            children.end(running)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a database in the middle of its stop is left to finish
        if self.is_embedded:
            embedded.stop(self.folder)


def curl(url: str) -> str:
    """Return a command line that sends a small JSON body to the URL."""
    return f"curl -X POST {url} -H 'Content-Type: application/json' -d '{{\"name\": \"Ada\"}}'"


def wake_up_on_signals() -> socket.socket:
    """Return a socket that becomes readable when a signal arrives, so that waiting for one costs nothing."""
    receiving, sending = socket.socketpair()
    receiving.setblocking(False)
    sending.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(sending.fileno(), warn_on_full_buffer=False)
    _kept_open.append(sending)
    return receiving


_kept_open: list[socket.socket] = []


def say(text: str) -> None:
    """Print a line for the person at the terminal."""
    with contextlib.suppress(OSError):  # the terminal may be gone
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


if __name__ == "__main__":
    main()
