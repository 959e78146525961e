"""Pictures of every page, made from a running installation: `bin/screenshots [FOLDER]`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.newcomer import Installation, started
from tests.chromium import find

PAGES = {
    "front": "/welcome/",
    "dashboard": "/",
    "workflows": "/workflows/",
    "runs": "/runs/",
    "approvals": "/approvals/",
    "templates": "/templates/",
    "integrations": "/integrations/",
    "team": "/team/",
    "billing": "/billing/",
    "settings": "/settings/",
    "help": "/help/",
}
WIDTHS = {"desk": (1440, 900), "phone": (390, 844)}


def main(folder: Path) -> None:
    """Write one PNG per page, width and theme into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="steward-") as name, started(Path(name)) as steward:
        body = {
            "name": "Maria",
            "email": "maria@bakery.example",
            "budget": 7500,
            "message": "A second shop in May.",
        }
        run = httpx.post(steward.demo["webhook_url"], json=body).json()["execution_id"]
        pages = PAGES | {"run": f"/runs/{run}/"}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=find(),
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            for device, theme, page in signed_in(browser, steward):
                for title, path in pages.items():
                    page.goto(steward.url + path)
                    page.wait_for_timeout(300)  # what slides or fades in has arrived
                    page.screenshot(
                        path=folder / f"{title}-{device}-{theme}.png", full_page=device == "phone"
                    )
            browser.close()
    sys.stdout.write(f"Wrote {len(pages) * len(WIDTHS) * 2} pictures to {folder}\n")


def signed_in(browser: Browser, steward: Installation) -> Iterator[tuple[str, str, Page]]:
    """Yield (width's name, theme, page) with the demo's owner signed in."""
    for device, (width, height) in WIDTHS.items():
        for theme in ("light", "dark"):
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(steward.url + "/accounts/login/")
            page.locator("input[name=login]").fill(steward.demo["email"])
            page.locator("input[name=password]").fill(steward.demo["password"])
            page.locator("input[name=password]").press("Enter")
            page.wait_for_load_state()
            yield device, theme, page
            context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"))
