"""The API as a customer's program sees it: keys of two organizations, and the client that customers download."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import pytest
from django.test import Client

from accounts.models import ApiKey, User
from accounts.models.api_key import Scope
from accounts.tenancy import organization_scope
from config.views.api_pages import client_source
from tests.integrations.standin import service
from tests.worlds import World

__all__ = ["service"]
BASE = "http://testserver"


def make_key(person: User, scopes: list[str] | None = None, **fields: Any) -> str:
    """Return the secret of a new key that acts for `person`; with every scope unless told."""
    chosen = [str(scope) for scope in Scope] if scopes is None else scopes
    with organization_scope(person.organization_id):
        _key, secret = ApiKey.issue(name="A program", scopes=chosen, created_by=person, **fields)
    return secret


@pytest.fixture(scope="session")
def steward_client() -> ModuleType:
    """The client as a module, exactly as it is downloaded."""
    module = ModuleType("steward_client")
    sys.modules["steward_client"] = module
    exec(compile(client_source(), "steward_client.py", "exec"), module.__dict__)  # noqa: S102 - it is ours
    return module


def send(method: str, address: str, headers: Mapping[str, str], body: bytes | None) -> Any:
    """Hand a request of the client to the application in this process."""
    sent = {name: value for name, value in headers.items() if name != "Content-Type"}
    response = Client().generic(
        method,
        address.removeprefix(BASE),
        data=body or b"",
        content_type=headers.get("Content-Type", ""),
        headers=sent,
    )
    return response.status_code, {name.lower(): value for name, value in response.items()}, response.content


@pytest.fixture
def client_for(steward_client: ModuleType) -> Callable[..., Any]:
    """Return the downloaded client, with a key that acts for a person."""

    def make(person: User, scopes: list[str] | None = None, **options: Any) -> Any:
        options = {"attempts": 1, "transport": send, **options}
        return steward_client.Steward(BASE, make_key(person, scopes), **options)

    return make


@pytest.fixture
def steward(alder: World, client_for: Callable[..., Any]) -> Any:
    """The client of Alder's owner."""
    return client_for(alder.owner)
