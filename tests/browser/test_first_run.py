"""A newcomer's first minutes: bin/run, sign in, call the webhook from another terminal, watch the run."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.newcomer import Installation, started


@pytest.fixture(scope="module")
def steward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with started(tmp_path_factory.mktemp("a new folder")) as installation:
        yield installation


def sign_in(page: Page, steward: Installation) -> None:
    page.goto(steward.url + "/accounts/login/")
    page.get_by_label("E-mail").or_(page.get_by_label("Email")).first.fill(steward.demo["email"])
    page.locator("input[name=password]").fill(steward.demo["password"])
    page.locator("input[name=password]").press("Enter")
    expect(page.get_by_role("navigation").first).to_be_visible()


@pytest.mark.browser
def test_the_printed_line_starts_a_run_that_the_page_shows_live(page: Page, steward: Installation) -> None:
    sign_in(page, steward)
    curl = next(line for line in steward.said.splitlines() if line.strip().startswith("curl"))
    answered = subprocess.run(
        [*shlex.split(curl), "-s", "-w", "\n%{http_code}"], capture_output=True, text=True, check=True
    )
    body, status = answered.stdout.rsplit("\n", 1)
    assert status == "202"
    execution_id = re.search(r'"execution_id":\s*"([0-9a-f-]{36})"', body)
    assert execution_id is not None
    page.goto(f"{steward.url}/runs/{execution_id.group(1)}/")
    expect(page.get_by_text("Completed").first).to_be_visible(timeout=10_000)
    for step in ("Read the lead", "How big is it?", "Sum up"):
        expect(page.get_by_text(step).first).to_be_visible()


@pytest.mark.browser
def test_a_run_that_waits_is_answered_in_the_inbox(page: Page, steward: Installation) -> None:
    sign_in(page, steward)
    page.goto(steward.url + "/approvals/")
    page.get_by_role("link", name=re.compile("Refund 240 dollars")).first.click()
    page.get_by_role("button", name=re.compile("Approve")).first.click()
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        page.goto(steward.url + "/runs/")
        if page.get_by_role("table").get_by_text("Waiting", exact=True).count() == 0:
            break
        time.sleep(0.3)
    page.get_by_role("link", name=re.compile("Approve refunds")).first.click()
    expect(page.get_by_text("Completed").first).to_be_visible()


@pytest.mark.browser
def test_a_wrong_request_is_told_what_is_wrong(steward: Installation) -> None:
    url = steward.demo["webhook_url"]
    broken = httpx.post(url, content=b'{"name": ', headers={"content-type": "application/json"})
    assert broken.status_code == 400
    unknown = httpx.post(f"{steward.url}/hooks/{'x' * 32}/", json={})
    assert unknown.status_code == 404
    huge = httpx.post(url, content=b"x" * (2 * 1024 * 1024), headers={"content-type": "text/plain"})
    assert huge.status_code == 413
    for answer in (broken, unknown, huge):
        assert "error" in answer.json() or "detail" in answer.json()


@pytest.mark.browser
def test_only_its_owner_may_read_the_demo_file(steward: Installation) -> None:
    assert (steward.folder / ".data" / "demo.json").stat().st_mode & 0o777 == 0o600
