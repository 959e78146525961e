"""Child processes of the supervisor: started in their own groups, restarted when they die, ended together."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from config.database.embedded import die_with
from config.installation import ROOT

FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
HEALTHY_SECONDS = 60.0  # a child that lived this long starts again without delay
STOP_SECONDS = 30.0


def start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a Python program of ours that leads its own process group and ends when we are killed."""
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        # A group of its own: Ctrl-C reaches the supervisor alone, which then ends the children in order.
        start_new_session=True,
        # A supervisor that was killed cannot end its children in order, and they must not outlive their database.
        preexec_fn=die_with(signal.SIGKILL),
    )


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal a child with everything it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


class Child:
    """One long-running program, and when it may be started again."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None
        self.delay = FIRST_DELAY_SECONDS
        self.started_at = 0.0
        self.start_at = 0.0

    def tend(self, now: float) -> None:
        """Start the program when it is due; notice when it has ended and say so.

        now: seconds on the monotonic clock.
        """
        if self.process is not None and self.process.poll() is not None:
            code = self.process.returncode
            signal_group(self.process, signal.SIGKILL)  # what it may have left behind
            self.process = None
            lived = now - self.started_at
            self.delay = FIRST_DELAY_SECONDS if lived > HEALTHY_SECONDS else self.delay
            self.start_at = now + self.delay
            sys.stderr.write(f"The {self.name} ended (code {code}); it starts again in {self.delay:.0f} s.\n")
            self.delay = min(self.delay * 2, LONGEST_DELAY_SECONDS)
        if self.process is None and now >= self.start_at:
            self.process = start(self.command, self.environment)
            self.started_at = now


def end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask the processes to finish, wait up to STOP_SECONDS, then end them with everything they started."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    until = time.monotonic() + STOP_SECONDS
    try:
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, until - time.monotonic()))
    finally:  # also when a second Ctrl-C interrupts the wait
        for process in processes:
            signal_group(process, signal.SIGKILL)
            process.wait()
