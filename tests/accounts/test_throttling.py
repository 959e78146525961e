"""Guessing passwords is slowed down, with counts in the shared database."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from tests.worlds import World

LIMIT = 5  # failed sign-ins of one address within five minutes, whoever tries


def guess(client: Client, address: str, ip: str) -> Any:
    data = {"login": address, "password": "not the pass phrase"}
    return client.post(reverse("account_login"), data, REMOTE_ADDR=ip)


def is_refused_for_pace(response: Any) -> bool:
    return response.status_code == 429 or "Too many" in str(response.context["form"].errors)


@pytest.mark.parametrize("address", ["owner@alder.example", "nobody@nowhere.example"])
def test_guesses_at_one_address_are_limited_whatever_network_they_come_from(
    client: Client, alder: World, address: str
) -> None:
    answers = [
        is_refused_for_pace(guess(client, address, f"203.0.113.{number}")) for number in range(LIMIT + 1)
    ]
    assert answers == [False] * LIMIT + [True]


def test_guesses_from_one_network_are_limited_whatever_address_they_try(client: Client, alder: World) -> None:
    answers = [
        is_refused_for_pace(guess(client, f"p{number}@alder.example", "203.0.113.9")) for number in range(12)
    ]
    assert answers[0] is False
    assert answers[-1] is True


def test_the_counts_stand_in_the_shared_database(client: Client, alder: World) -> None:
    guess(client, "owner@alder.example", "203.0.113.7")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM steward_cache WHERE cache_key LIKE '%%login_failed%%'")
        assert cursor.fetchone()[0] == 2  # of the address and of the network


def test_a_crowd_of_other_entries_does_not_push_the_counts_out(client: Client, alder: World) -> None:
    from django.core.cache import cache

    for number in range(LIMIT):
        guess(client, "owner@alder.example", f"203.0.113.{number}")
    for number in range(400):
        cache.set(f"filler{number}", 1)
    assert is_refused_for_pace(guess(client, "owner@alder.example", "203.0.113.77"))
