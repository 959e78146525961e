"""Browser tests drive the system's Chromium against a live server on loopback."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest

# Playwright's synchronous interface keeps an event loop in this thread, in which Django would refuse its ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Chromium as the system packages it; no sandbox, which a container's root cannot have."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.fail("browser tests need Chromium on the PATH")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    return {**browser_type_launch_args, "executable_path": chromium, "args": arguments}
