"""An organization with an AI account, and a desk to ask from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from accounts.tenancy import uuid7
from integrations.framework.client import Client
from integrations.health import Usable
from tests.workflows.ai.vendors import KEY, Vendors
from tests.worlds import World, make_world
from workflows.ai.desk import Desk, own_connection


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    found = Vendors()
    yield found
    found.close()


@pytest.fixture
def alder(request: pytest.FixtureRequest) -> World:
    """A bakery; really committed, unless the test only looks at pages and figures."""
    request.getfixturevalue(
        "db" if request.module.__name__.endswith(("test_forecast", "test_policy")) else "committed_db"
    )
    return make_world("Alder")


@pytest.fixture
def desk(alder: World, vendors: Vendors) -> Callable[..., Desk]:
    """Return a function that makes a desk: desk(provider="OPENAI", model=..., **fields of Desk)."""

    def make(provider: str = "OPENAI", *, priced: bool = True, **fields: Any) -> Desk:
        suffix = "/v1" if provider == "OPENAI" else ""
        settings = {"base_url": f"{vendors.url}{suffix}", "model": "tiny"}
        if priced:
            settings |= {"price_input": "1", "price_output": "10"}
        account = Usable(UUID(int=7), alder.organization.pk, provider, "Model", settings, {"api_key": KEY})
        client = Client(allow_private=frozenset({vendors.host}))
        values = {"key": str(uuid7()), **fields}
        return Desk(alder.organization.pk, own_connection, client, account, **values)

    return make
