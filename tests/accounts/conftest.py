"""Mail leaves on commit: here, where every test is rolled back, as soon as the request is over."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client


class CommittingClient(Client):
    """A client whose requests run what they put off until their transaction is committed."""

    capture: Any = None

    def request(self, **request: Any) -> Any:
        with self.capture(execute=True):
            return super().request(**request)


@pytest.fixture
def client(db: None, django_capture_on_commit_callbacks: Any) -> Client:
    """A browser. The counts of the rate limits start at nothing."""
    cache.clear()
    made = CommittingClient()
    made.capture = django_capture_on_commit_callbacks
    return made
