"""Finds the Chromium that drives the browser tests, or installs one. `python -m tests.chromium` prints its path."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
HOW_TO_INSTALL = (
    "The browser tests need Chromium, and none was found or could be installed. Install one with"
    " `apt install chromium` (Debian, Ubuntu), with `.venv/bin/python -m playwright install --with-deps chromium`,"
    " or name one as in STEWARD_CHROMIUM=/path/to/chromium bin/test"
)


def find() -> str | None:
    """Return the path of a Chromium or Chrome that starts, or None."""
    candidates = [
        os.environ.get("STEWARD_CHROMIUM"),
        *map(shutil.which, NAMES),
        *MAC_APPLICATIONS,
        *_from_playwright(),
    ]
    return next((path for path in candidates if path and _starts(path)), None)


def install() -> None:
    """Install Chromium: as root from the distribution, otherwise with Playwright. Says nothing when it fails."""
    print("Installing Chromium for the browser tests …", file=sys.stderr)
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "chromium"]):
            subprocess.run(
                ["apt-get", *arguments], env=quiet, stdout=sys.stderr, stdin=subprocess.DEVNULL, check=False
            )
        if find():
            return
    playwright = [sys.executable, "-m", "playwright", "install", "chromium"]
    subprocess.run(playwright, stdout=sys.stderr, stdin=subprocess.DEVNULL, check=False)


def main() -> None:
    """Print the path; exit with what to install when there is none."""
    path = find()
    if path is None:
        install()
        path = find()
    if path is None:
        sys.exit(HOW_TO_INSTALL)
    print(path)


def _from_playwright() -> list[str]:
    caches = [
        os.environ.get("PLAYWRIGHT_BROWSERS_PATH"),
        "~/.cache/ms-playwright",
        "~/Library/Caches/ms-playwright",
    ]
    patterns = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*")
    folders = [Path(cache).expanduser() for cache in caches if cache]
    found = [path for folder in folders for pattern in patterns for path in folder.glob(pattern)]
    return [str(path) for path in sorted(found, reverse=True)]  # the newest first


def _starts(path: str) -> bool:
    try:
        return (
            subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    main()
