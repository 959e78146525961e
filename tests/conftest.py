"""Fixtures of every test: real PostgreSQL as the plain application login, two organizations, no network."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connections

from config.database import embedded
from tests import databases
from tests.worlds import World, make_world

LOCAL = {"127.0.0.1", "::1", "localhost", "0.0.0.0", ""}


@pytest.fixture(scope="session")
def cluster() -> embedded.ConnectionUrls:
    """The private PostgreSQL of the tests, running."""
    return embedded.ensure_running(embedded.data_folder())


@pytest.fixture(scope="session")
def database_name() -> str:
    """The database of this test process."""
    return f"steward_test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


@pytest.fixture(scope="session")
def django_db_setup(
    cluster: embedded.ConnectionUrls, database_name: str, django_db_blocker: pytest.FixtureRequest
) -> Iterator[None]:
    """Clone the migrated template. Tests connect as the application login: a superuser passes every isolation test."""
    databases.ensure_template(cluster)
    databases.clone(cluster, database_name)
    connection = connections["default"]
    connection.close()
    settings.DATABASES["default"]["NAME"] = database_name
    connection.settings_dict["NAME"] = database_name
    yield
    for open_connection in connections.all(initialized_only=True):
        open_connection.close()


@pytest.fixture
def committed_db(
    cluster: embedded.ConnectionUrls,
    database_name: str,
    django_db_setup: None,
    django_db_blocker: pytest.FixtureRequest,
) -> Iterator[str]:
    """A database whose writes are really committed, for several connections or processes; emptied afterwards.

    Returns its name; databases.process_environment() makes another process use it.
    """
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        yield database_name
        for open_connection in connections.all(initialized_only=True):
            open_connection.close()
        databases.empty(cluster, database_name)


@pytest.fixture
def transactional_db(committed_db: str) -> str:
    """pytest-django's live server asks for it by this name."""
    return committed_db


@pytest.fixture
def alder(db: None) -> World:
    """A bakery."""
    return make_world("Alder")


@pytest.fixture
def birch(db: None) -> World:
    """A bike shop: the other organization, whose rows nobody at Alder may see."""
    return make_world("Birch")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else ""
        if isinstance(address, tuple) and host not in LOCAL and not str(host).startswith("127."):
            raise ConnectionRefusedError(f"a test tried to reach {host}")
        return connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def fast_and_quiet(settings: object) -> None:
    """Keep e-mail in memory, and ask staff for a second factor only where a test is about it."""
    settings.STAFF_MFA_REQUIRED = False  # type: ignore[attr-defined]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"  # type: ignore[attr-defined]
