"""An owner buys, sees what a change costs, loses a payment and mends it, in Chromium against a stand-in for Stripe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as current
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.models import Organization
from billing import stripe_events
from billing.prices import synchronise
from tests.stripe_server import StripeServer
from tests.stripe_server.server import KEY, SECRET
from tests.stripe_server.state import DAY
from tests.worlds import World, make_world

pytestmark = pytest.mark.browser


@pytest.fixture
def stripe(live_server: Any, settings: Any) -> Iterator[StripeServer]:
    """A stand-in that knows our prices and sends its events to the live server."""
    server = StripeServer()
    settings.BASE_URL = live_server.url
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, SECRET
    settings.STRIPE_API_BASE = server.url
    cache.clear()
    synchronise()
    server.webhook_url = f"{live_server.url}/stripe/webhook/"
    yield server
    server.close()


@pytest.fixture
def world(live_server: Any) -> World:
    """Alder's bakery, whose trial ended yesterday."""
    made = make_world("Alder")
    with made.scope():
        Organization.objects.update(trial_ends_at=timezone.now() - timedelta(days=1))
    return made


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def page(request: pytest.FixtureRequest, browser: Browser, live_server: Any, world: World) -> Iterator[Page]:
    """The owner's browser, with and without JavaScript."""
    client = Client()
    client.force_login(world.owner)
    context = browser.new_context(java_script_enabled=request.param)
    name = current.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    yield context.new_page()
    context.close()


def work(stripe: StripeServer) -> None:
    """Do what the queue does with the events that have arrived."""
    stripe.deliver_new()
    for event in stripe.account.events:
        stripe_events.work_on(event["id"])


def test_an_owner_buys_changes_loses_a_payment_and_mends_it(
    page: Page, stripe: StripeServer, live_server: Any, see: Callable[[Page], None]
) -> None:
    page.goto(f"{live_server.url}/billing/")
    expect(page.get_by_text("Your trial is over")).to_be_visible()
    see(page)
    page.get_by_role("button", name="Choose Starter").click()
    page.get_by_role("button", name="Pay and subscribe").click()
    expect(page.get_by_text("Thank you! Your plan is active.")).to_be_visible()
    expect(page.get_by_text("Your trial is over")).to_have_count(0)

    page.get_by_role("link", name="Change to Professional").click()
    expect(page.get_by_role("button", name="Change and pay $50")).to_be_visible()
    see(page)
    page.get_by_role("button", name="Change and pay $50").click()
    expect(page.get_by_text("You are on the plan Professional now.")).to_be_visible()

    stripe.account.good_card.clear()
    stripe.account.advance(31 * DAY)
    work(stripe)
    page.goto(f"{live_server.url}/")
    expect(page.get_by_text("A payment failed.")).to_be_visible()
    page.goto(f"{live_server.url}/billing/")
    page.get_by_role("button", name="Card and address").click()
    page.get_by_role("button", name="Working card").click()
    work(stripe)
    page.goto(f"{live_server.url}/billing/")
    expect(page.get_by_text("A payment failed.")).to_have_count(0)

    page.get_by_role("link", name="Cancel", exact=True).click()
    see(page)
    page.get_by_role("button", name="Cancel at the end of the period").click()
    page.get_by_role("button", name="Keep the subscription").click()
    expect(page.get_by_text("Your subscription goes on.")).to_be_visible()
    page.goto(f"{live_server.url}/billing/payment/invoices/")
    expect(page.get_by_role("row")).to_have_count(4)
    see(page)


@pytest.fixture
def see(request: pytest.FixtureRequest) -> Callable[[Page], None]:
    """Return a function that has axe look at a page; it needs scripts."""

    def look(page: Page) -> None:
        if "no scripts" not in request.node.name:
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()

    return look
