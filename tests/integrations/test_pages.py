"""The gallery, the documentation of services, and what the editor asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations import credentials
from integrations.framework import registry
from integrations.models import Integration
from tests.integrations.standin import API_KEY, Service
from tests.worlds import World


@pytest.fixture
def owner(client: Client, alder: World) -> Client:
    client.force_login(alder.owner)
    return client


def add(world: World, number: int, *, provider: str = "SLACK", status: str = "ACTIVE") -> Integration:
    with world.scope():
        row = Integration(
            organization=world.organization, provider=provider, name=f"Account {number}", status=status
        )
        credentials.write(row, {"auth": "api_key", "api_key": API_KEY})
        row.save()
    return row


def queries_of(ask: Callable[[], Any]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert ask().status_code == 200
    return len(captured)


def test_the_gallery_asks_the_database_as_often_for_one_account_as_for_thirty(
    owner: Client, alder: World
) -> None:
    add(alder, 0)
    url = reverse("integrations:gallery")
    owner.get(url)
    few = queries_of(lambda: owner.get(url))
    for number in range(1, 30):
        add(alder, number)
    assert queries_of(lambda: owner.get(url)) == few


def test_every_connector_has_its_documentation_within_the_weight_of_a_page(owner: Client) -> None:
    for connector in registry.all_connectors():
        answer = owner.get(reverse("integrations:provider", args=[connector.slug]))
        page = answer.content.decode()
        assert answer.status_code == 200, connector.slug
        assert connector.actions[0].label.replace("'", "&#x27;") in page or connector.actions[0].hidden
        assert len(answer.content) < 100_000, f"{connector.slug}: {len(answer.content)}"


def test_every_connector_can_be_asked_for_its_connect_form(owner: Client, settings: Any) -> None:
    for connector in registry.all_connectors():
        url = reverse("integrations:connect", args=[connector.slug])
        for auth in connector.auths:
            settings.OAUTH_APPS = {
                f"OAUTH_{connector.provider}_{name}": "set" for name in ("CLIENT_ID", "CLIENT_SECRET")
            }
            page = owner.get(url, {"way": auth.key}).content.decode()
            for entry in (*connector.account, *auth.fields):
                assert f'name="{entry.key}"' in page, f"{connector.slug} does not ask for {entry.key}"


def test_the_gallery_is_searched_by_what_services_can_do(owner: Client, service: Service) -> None:
    found = owner.get(reverse("integrations:gallery"), {"q": "add a card"}).content.decode()
    assert "Keeps cards on boards." in found
    assert "/integrations/services/slack/" not in found
    nothing = owner.get(reverse("integrations:gallery"), {"q": "fax"}).content.decode()
    assert "Nothing matches" in nothing
    part = owner.get(reverse("integrations:gallery"), {"category": "Tests"}, headers={"HX-Request": "true"})
    assert "<html" not in part.content.decode()
    assert part.content.decode().count('class="card linked"') == 1


def test_only_connected_services_can_be_shown(owner: Client, service: Service, alder: World) -> None:
    add(alder, 1, provider="NOTION")
    page = owner.get(reverse("integrations:gallery"), {"show": "connected"}).content.decode()
    assert "1 connected" in page
    assert "/integrations/services/slack/" not in page


def test_a_service_says_what_may_happen_in_plain_words(owner: Client, service: Service) -> None:
    page = owner.get(reverse("integrations:provider", args=["notion"])).content.decode()
    for words in ("Never repeated without asking you", "Only reads", "Bake bread", "A card is added"):
        assert words in page


def test_choices_come_from_the_service_and_are_kept_a_while(
    owner: Client, service: Service, alder: World
) -> None:
    row = add(alder, 1, provider="NOTION")
    url = reverse("integrations:options", args=["notion", row.pk, "add_card", "board"])
    first = owner.get(url, {"space": "x", "unrelated": "y"}).json()
    assert first == {
        "options": [{"value": "b1x", "label": "Ovens <1>"}, {"value": "b2", "label": "Shop"}], "error": ""
    }  # fmt: skip
    owner.get(url, {"space": "x", "unrelated": "z"})
    assert service.count("boards") == 1
    owner.get(url, {"space": "other"})
    owner.get(url, {"space": "x", "afresh": "1"})
    assert service.count("boards") == 3
    html = owner.get(url, {"space": "x", "selected": "b2"}, headers={"HX-Request": "true"}).content.decode()
    assert '<option value="b1x">Ovens &lt;1&gt;</option><option value="b2" selected>Shop</option>' in html


def test_choices_that_cannot_be_had_are_explained(owner: Client, service: Service, alder: World) -> None:
    row = add(alder, 1, provider="NOTION")
    with alder.scope():
        credentials.write(row, {"auth": "api_key", "api_key": "canary-withdrawn"})
        row.save()
    url = reverse("integrations:options", args=["notion", row.pk, "add_card", "board"])
    answer = owner.get(url).json()
    assert answer["options"] == []
    assert "Reconnect it" in answer["error"]
    with alder.scope():
        assert Integration.objects.get().status == "EXPIRED"


@pytest.mark.parametrize(
    ("operation", "field"), [("add_card", "title"), ("add_card", "nothing"), ("nothing", "board")]
)
def test_a_field_without_choices_is_a_404(
    owner: Client, service: Service, alder: World, operation: str, field: str
) -> None:
    row = add(alder, 1, provider="NOTION")
    assert (
        owner.get(reverse("integrations:options", args=["notion", row.pk, operation, field])).status_code
        == 404
    )


def test_an_account_of_another_service_offers_nothing(owner: Client, service: Service, alder: World) -> None:
    row = add(alder, 1, provider="SLACK")
    assert (
        owner.get(reverse("integrations:options", args=["notion", row.pk, "add_card", "board"])).status_code
        == 404
    )


def test_the_editor_gets_the_form_of_an_operation(owner: Client, service: Service) -> None:
    action = owner.get(reverse("integrations:operation-schema", args=["notion", "add_card"])).json()
    assert (action["kind"], action["effect"], action["input"]["required"]) == (
        "action",
        "unsafe",
        ["board", "title"],
    )
    assert action["input"]["properties"]["board"]["x-ui"]["options"] == "list_boards"
    assert set(action["output"]["properties"]) == {"id"}
    trigger = owner.get(reverse("integrations:operation-schema", args=["notion", "card_added"])).json()
    assert (trigger["kind"], trigger["sample"]) == ("trigger", {"title": "Bread"})
    assert owner.get(reverse("integrations:operation-schema", args=["notion", "nothing"])).status_code == 404
    assert owner.get(reverse("integrations:operation-schema", args=["no_such", "nothing"])).status_code == 404


def test_an_account_is_renamed_switched_off_and_on(owner: Client, alder: World) -> None:
    row = add(alder, 1)
    add(alder, 2)

    def post(name: str, data: dict[str, str] | None = None) -> Any:
        return owner.post(reverse(f"integrations:{name}", args=[row.pk]), data or {})

    def state() -> tuple[str, str]:
        with alder.scope():
            found = Integration.objects.get(pk=row.pk)
        return found.name, found.status

    assert post("rename", {"name": "Ovens"}).status_code == 302
    assert post("rename", {"name": "Account 2"}).status_code == 422
    post("disable")
    assert state() == ("Ovens", "DISABLED")
    post("enable")
    assert state() == ("Ovens", "ACTIVE")
