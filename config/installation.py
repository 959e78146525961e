"""Installs a lock file into the running virtual environment, when it is not installed already.

Standard library only: it runs before anything is installed. `python -m config.installation requirements.lock`.
"""

import ast
import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNTIME_LOCK = "requirements.lock"
DEVELOPMENT_LOCK = "requirements-dev.lock"

# What pip's configuration says about where packages come from, and uv's names for it.
UV_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "cert": "SSL_CERT_FILE",
    "trusted-host": "UV_INSECURE_HOST",
    "proxy": "ALL_PROXY",
}


def main(lock_name: str) -> None:
    """Bring the environment to the lock file's state; exit with one sentence when that fails."""
    environment = Path(sys.prefix)
    with open(environment / ".installing", "a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        record = environment / ".installed.json"
        wanted = checksums(lock_name)
        if not is_installed(record, wanted):
            record.unlink(missing_ok=True)
            print(f"Installing the packages of {lock_name} …", flush=True)
            install(ROOT / lock_name)
            record.write_text(json.dumps(wanted))


def checksums(lock_name: str) -> dict[str, str]:
    """Return the checksum of each lock file that installing this one satisfies, by file name."""
    # The development lock holds every package of the other, in the same version.
    names = {RUNTIME_LOCK, lock_name} if lock_name == DEVELOPMENT_LOCK else {lock_name}
    python = sys.version.encode()
    return {name: hashlib.sha256(python + (ROOT / name).read_bytes()).hexdigest() for name in sorted(names)}


def is_installed(record: Path, wanted: dict[str, str]) -> bool:
    """Return whether the record of an earlier installation covers the wanted checksums."""
    try:
        recorded = json.loads(record.read_text())
    except (OSError, ValueError):
        return False
    return all(recorded.get(name) == checksum for name, checksum in wanted.items())


def install(lock: Path) -> None:
    """Install with uv, which takes a sixth of pip's time; with pip where uv cannot."""
    if _pip("--version").returncode != 0:  # an earlier set-up was interrupted before pip was there
        subprocess.run([sys.executable, "-m", "ensurepip"], capture_output=True, check=False)
    if _install_with_uv(lock):
        return
    print("Installing with pip, which takes a minute …", flush=True)
    result = _pip("install", "--require-hashes", "--requirement", str(lock), capture=False)
    if result.returncode != 0:
        sys.exit(
            "The packages could not be installed: pip's message is above. Check the network, then start again."
        )


def pip_configuration() -> dict[str, str]:
    """Return pip's settings as {option: value}, from its files and its environment variables."""
    settings: dict[str, str] = {}
    for line in _pip("config", "list").stdout.splitlines():
        name, separator, value = line.partition("=")
        option = re.sub(r"^(:env:|[\w-]+)\.", "", name)
        if separator:
            # `global` comes after `:env:` in the list, but the environment wins.
            settings.setdefault(option, str(ast.literal_eval(value)))
    return settings


def uv_environment(settings: dict[str, str]) -> dict[str, str]:
    """Return the variables that make uv look where pip's settings say."""
    variables = {
        UV_VARIABLES[option]: " ".join(value.split())
        for option, value in settings.items()
        if option in UV_VARIABLES
    }
    if "UV_FIND_LINKS" in variables:
        variables["UV_FIND_LINKS"] = variables["UV_FIND_LINKS"].replace(" ", ",")
    # Like pip, take a package from whichever index has it. The hashes make that safe.
    return {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_LINK_MODE": "copy"} | variables


def _install_with_uv(lock: Path) -> bool:
    pinned = re.search(r"^uv==.*\n(?: +--hash=.*\n)+", (ROOT / DEVELOPMENT_LOCK).read_text(), re.MULTILINE)
    if pinned is None:
        return False
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirement:
        requirement.write(pinned[0])
        requirement.flush()
        if _pip("install", "--require-hashes", "--requirement", requirement.name).returncode != 0:
            return False
    command = [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable, "--quiet"]
    result = subprocess.run(
        [*command, "--require-hashes", "--requirement", str(lock)],
        env=uv_environment(pip_configuration()) | os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode == 0


def _pip(*arguments: str, capture: bool = True) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, capture_output=capture, text=True, check=False)


if __name__ == "__main__":
    main(sys.argv[1])
