"""A newcomer signs up, invites a colleague and looks around, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core import mail
from django.core.cache import cache
from playwright.sync_api import Page, expect

from tests.accounts.mailbox import code_in, latest, link_in

PASSWORD = "a long pass phrase of nine"
PAGES = (
    "/team/",
    "/team/invite/",
    "/team/ownership/",
    "/team/leave/",
    "/settings/",
    "/settings/security/",
    "/settings/organization/",
    "/settings/organization/delete/",
    "/settings/api-keys/new/",
    "/settings/audit/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/sessions/",
)


@pytest.fixture
def newcomer(page: Page, live_server: Any) -> Iterator[Page]:
    """The page of somebody who has just signed up and typed the mailed code."""
    cache.clear()
    page.goto(f"{live_server.url}/accounts/signup/")
    page.get_by_label("Your name").fill("Cem Cedar")
    page.get_by_label("Name of your business").fill("Cedar Carpentry")
    page.locator("[name=email]").fill("cem@cedar.example")
    page.locator("[name=password1]").fill(PASSWORD)
    page.get_by_role("button", name="Create your organization").click()
    page.locator("[name=code]").fill(code_in(latest("cem@cedar.example")))
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(re.compile("^(?!.*/accounts/)"))
    yield page
    # The tables are emptied next: no request may still be reading them.
    page.wait_for_load_state("networkidle")
    page.goto("about:blank")


@pytest.mark.browser
def test_a_newcomer_signs_up_and_their_colleague_joins(
    newcomer: Page, live_server: Any, browser: Any
) -> None:
    newcomer.goto(f"{live_server.url}/team/")
    newcomer.get_by_role("link", name="Invite somebody").click()
    newcomer.get_by_label("E-mail address").fill("joiner@cedar.example")
    newcomer.get_by_role("radio", name=re.compile("Admin")).check()
    newcomer.get_by_role("button", name="Send the invitation").click()
    expect(newcomer.get_by_role("row", name=re.compile("joiner@cedar.example"))).to_be_visible()
    link = link_in(latest("joiner@cedar.example"))
    context = browser.new_context(java_script_enabled=False)  # every page works without
    theirs = context.new_page()
    theirs.goto(live_server.url + link)
    theirs.get_by_label("Your name").fill("Jo Joiner")
    theirs.get_by_label("Password", exact=True).fill(PASSWORD)
    theirs.get_by_role("button", name="Join the team").click()
    theirs.wait_for_url(re.compile("^(?!.*/invitations/)"))
    theirs.goto(f"{live_server.url}/settings/audit/")
    expect(theirs.get_by_text("joined the team as Admin")).to_be_visible()
    context.close()
    assert len(mail.outbox) == 2


@pytest.mark.browser
def test_a_passkey_is_added_and_signs_in(newcomer: Page, live_server: Any) -> None:
    url = live_server.url
    devtools = newcomer.context.new_cdp_session(newcomer)
    devtools.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    newcomer.goto(f"{url}/accounts/2fa/webauthn/add/")
    newcomer.locator("[name=password]").fill(PASSWORD)
    newcomer.locator("main button[type=submit]").first.click()
    newcomer.locator("[name=name]").fill("My laptop")
    if newcomer.locator("[name=passwordless]").count():
        newcomer.locator("[name=passwordless]").check()
    newcomer.locator("#mfa_webauthn_add").click()
    newcomer.wait_for_url(re.compile("recovery-codes|/webauthn/$"))
    newcomer.goto(f"{url}/accounts/logout/")
    newcomer.locator("main button[type=submit]").click()
    newcomer.wait_for_url(re.compile("^(?!.*/logout/)"))
    newcomer.goto(f"{url}/accounts/login/")
    newcomer.locator("#passkey_login").click()
    newcomer.wait_for_url(re.compile("^(?!.*/accounts/)"))
    newcomer.goto(f"{url}/settings/security/")
    expect(newcomer.get_by_text("Passkeys", exact=True)).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_can_be_used_by_everybody(newcomer: Page, live_server: Any, scheme: Any) -> None:
    newcomer.emulate_media(color_scheme=scheme)
    problems = []
    for path in PAGES:
        for width in (1440, 320):
            newcomer.set_viewport_size({"width": width, "height": 900})
            newcomer.goto(live_server.url + path)
            if newcomer.evaluate("document.documentElement.scrollWidth") > width:
                problems.append(f"{path} is wider than {width} px")
        for violation in Axe().run(newcomer).response["violations"]:
            problems.append(f"{path}: {violation['id']}: {violation['nodes'][0]['html'][:160]}")
    assert problems == []
