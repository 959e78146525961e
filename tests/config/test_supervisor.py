"""bin/run's supervisor: one sentence for each reason not to start, and nothing left behind when it stops."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from config.database.private_files import SetupProblem
from config.operations import children, supervisor

ROOT = Path(__file__).resolve().parents[2]


def test_a_taken_port_is_named_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SetupProblem, match=rf"Port {port} is taken: .* PORT=\d+ bin/run"):
            supervisor.check_port_is_free("127.0.0.1", port)
    supervisor.check_port_is_free("127.0.0.1", port)


@pytest.mark.parametrize("port", ["eight", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(SetupProblem, match="from 1 to 65535"):
        supervisor.port_number()


def test_a_second_start_on_the_same_folder_names_the_first(tmp_path: Path) -> None:
    second = supervisor.only_one(tmp_path, "http://localhost:8124")
    with (
        supervisor.only_one(tmp_path, "http://localhost:8123"),
        pytest.raises(SetupProblem, match=r"already runs on .*: open http://localhost:8123"),
    ):
        second.__enter__()
    with supervisor.only_one(tmp_path, "http://localhost:8124"):
        pass


def test_a_child_that_dies_starts_again_ever_later() -> None:
    child = children.Child("probe", ["-c", "raise SystemExit(3)"], os.environ)
    delays = []
    now = 100.0
    for _ in range(4):
        child.tend(now)
        assert child.process is not None
        child.process.wait()
        now += 0.5
        child.tend(now)
        delays.append(child.start_at - now)
        now = child.start_at
    assert delays == [1.0, 2.0, 4.0, 8.0]


@pytest.fixture(scope="module")
def prepared_folder() -> Iterator[str]:
    """A data folder that the starts of this module share, so that only the first one migrates."""
    with tempfile.TemporaryDirectory(prefix="sd-") as name:
        yield name


@pytest.fixture
def running(prepared_folder: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Steward as bin/run starts it, on a port and a folder of its own, once it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {
        "STEWARD_DATA": prepared_folder,
        "PORT": str(port),
        "DATABASE_URL": "",
        "STEWARD_BASE_URL": f"http://localhost:{port}",
        "DEBUG": "on",
    }
    environment.pop("SECRET_KEY", None)
    environment.pop("ENCRYPTION_KEY", None)
    command = [sys.executable, "-m", "config.operations.supervisor"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("Ctrl-C stops"):
            break
    else:
        pytest.fail("Steward did not start:\n" + "".join(said))
    yield process, Path(prepared_folder)
    process.kill()
    process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_process_is_left_after_a_stop(
    running: tuple[subprocess.Popen[str], Path], number: signal.Signals
) -> None:
    process, _folder = running
    if number == signal.SIGKILL and not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells children that their parent was killed")
    family = psutil.Process(process.pid).children(recursive=True)
    names = set()
    for relative in family:
        with contextlib.suppress(psutil.NoSuchProcess):  # PostgreSQL's helpers come and go
            names.add(relative.name())
    assert "postgres" in names
    assert len(family) >= 4
    process.send_signal(number)
    process.communicate(timeout=60)
    _gone, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []
    assert process.returncode == (0 if number != signal.SIGKILL else -signal.SIGKILL)
