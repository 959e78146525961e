"""What comes back from a service's sign-in is the service's own: Shopify signs it, Microsoft's directory is preset."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest

from integrations.forms import ConnectForm
from integrations.framework import PermanentError, registry
from integrations.framework.oauth import signed_callback

SECRET = "secret-of-our-app"
SHOP = "garden-chairs.myshopify.com"


def callback(**changes: str) -> dict[str, str]:
    """Return a callback's query as Shopify signs it, changed afterwards."""
    given = {"code": "0907", "host": "YWRtaW4", "shop": SHOP, "state": "st4te", "timestamp": "1337178173"}
    text = "&".join(f"{name}={given[name]}" for name in sorted(given))
    signature = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    return {**given, "hmac": signature, **changes}


def check(query: dict[str, str], *, secret: str = SECRET, shop: str = SHOP) -> None:
    auth: Any = registry.get("shopify").auths[0]
    auth.check_callback(query, secret, {"shop": shop})


def test_shopifys_own_callback_is_taken() -> None:
    check(callback())
    check(callback(), shop=SHOP.upper())


@pytest.mark.parametrize(
    "query",
    [callback(code="other"), callback(hmac=""), callback(hmac="0" * 64), callback(more="1")],
    ids=["changed", "unsigned", "forged", "added"],
)
def test_a_callback_that_shopify_did_not_make_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(PermanentError):
        check(query)


def test_a_callback_for_another_shop_is_refused() -> None:
    with pytest.raises(PermanentError):
        check(callback(), shop="another.myshopify.com")


def test_nothing_is_proved_without_our_secret() -> None:
    with pytest.raises(PermanentError):
        check(callback(), secret="")


def test_delimiters_inside_a_value_are_signed_as_themselves() -> None:
    text = "a=1%26b=2&c=3%25"
    signature = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    signed_callback()({"a": "1&b=2", "c": "3%", "hmac": signature}, SECRET, {})


@pytest.mark.parametrize("slug", ["outlook", "microsoft_teams"])
def test_the_directory_of_microsoft_is_preset(slug: str) -> None:
    connector = registry.get(slug)
    auth = connector.auths[0]
    assert ConnectForm(connector, auth)["tenant"].value() == "common"
    form = ConnectForm(connector, auth, {"connection_name": ""})
    assert form.is_valid(), form.errors
    assert form.account == {"tenant": "common"}
