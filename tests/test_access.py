"""Every address x every role x own and foreign organization, from the tables in tests/access/."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.tenancy import system_scope
from tests.access import Rule, accounts, billing, config, integrations, templates_lib, workflows
from tests.worlds import World

RULES: dict[str, Rule] = {
    **config.RULES,
    **{f"accounts:{name}": rule for name, rule in accounts.RULES.items()},
    **{f"billing:{name}": rule for name, rule in billing.RULES.items()},
    **{f"integrations:{name}": rule for name, rule in integrations.RULES.items()},
    **{f"templates_lib:{name}": rule for name, rule in templates_lib.RULES.items()},
    **{f"workflows:{name}": rule for name, rule in workflows.RULES.items()},
}
ROLES = ("OWNER", "ADMIN", "MEMBER", "VIEWER")
# Other people's pages: allauth checks its own, the admin lets staff alone in, the style guide is for development;
# programs come with keys, see tests/api/test_access.py.
ELSEWHERE = (
    "account_",
    "mfa_",
    "usersessions_",
    "socialaccount_",
    "google_",
    "microsoft_",
    "admin:",
    "api:",
    "styleguide",
)


def addresses(patterns: list[Any], namespace: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from addresses(pattern.url_patterns, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield f"{namespace}{pattern.name}"


ALL_ADDRESSES = sorted(
    {name for name in addresses(get_resolver().url_patterns) if not name.startswith(ELSEWHERE)}
)
PRIVATE = sorted(
    ((name, rule) for name, rule in RULES.items() if not rule.is_public), key=lambda pair: pair[0]
)
OWNED = [
    (name, rule) for name, rule in PRIVATE if rule.arguments is not Rule().arguments and not rule.is_common
]


def ask(client: Client, name: str, rule: Rule, world: World) -> Any:
    with system_scope("make what the address names"):
        arguments = rule.arguments(world)
    url = reverse(name, args=arguments)
    return client.generic(rule.method, url) if rule.method == "GET" else client.post(url, rule.data)


def test_every_address_is_in_the_table() -> None:
    assert [name for name in ALL_ADDRESSES if name not in RULES] == []
    assert [name for name in RULES if name not in ALL_ADDRESSES] == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("name", "rule"), PRIVATE, ids=[name for name, _ in PRIVATE])
def test_a_role_may_do_what_the_table_says(
    client: Client, alder: World, name: str, rule: Rule, role: str
) -> None:
    client.force_login(alder.person(role))
    status = ask(client, name, rule, alder).status_code
    if role in rule.allow:
        assert status < 400 or status in {409, 422}, f"{role} is refused with {status}"
    else:
        assert status in {403, 404}, f"{role} gets {status}"


@pytest.mark.parametrize(("name", "rule"), OWNED, ids=[name for name, _ in OWNED])
def test_a_foreign_object_is_a_404(client: Client, alder: World, birch: World, name: str, rule: Rule) -> None:
    for role in sorted(rule.allow):
        client.force_login(alder.person(role))
        assert ask(client, name, rule, birch).status_code == 404


@pytest.mark.parametrize(("name", "rule"), PRIVATE, ids=[name for name, _ in PRIVATE])
def test_a_stranger_is_sent_to_sign_in(client: Client, alder: World, name: str, rule: Rule) -> None:
    response = ask(client, name, rule, alder)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/")
