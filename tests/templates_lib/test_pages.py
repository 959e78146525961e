"""The gallery through its addresses: find a template, install it, rate it, bring a newer version to the workflow."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEvent
from accounts.tenancy import system_scope
from integrations.models import Integration
from templates_lib import install as installing
from templates_lib import official, trial
from templates_lib.models import Template, TemplateInstall, TemplateRating
from templates_lib.placeholders import example_configuration
from tests.templates_lib.test_seed import entry
from tests.worlds import World
from workflows.models import Workflow, WorkflowAssignment

CHANNEL_SCHEMA = {
    "type": "object",
    "properties": {
        "channel": {"type": "string", "title": "Channel", "minLength": 3},
        "limit": {"type": "integer", "title": "Limit", "default": 10, "minimum": 1},
    },
    "required": ["channel", "limit"],
}
POST = {
    "version": 1,
    "steps": [
        {
            "id": "tell", "type": "action", "provider": "SLACK", "operation": "send_message",
            "with": {"channel": {"$config": "channel"}, "text": "Over [[config.limit]]: {{ trigger.body.text }}"},
        }
    ],
}  # fmt: skip


def slack_template(**changes: Any) -> dict[str, Any]:
    return entry(
        "tell-slack", name="Tell Slack", description="Posts a warning about stock.", category="OPERATIONS",
        tags=["stock", "team"], required_integrations=["SLACK"], configuration_schema=CHANNEL_SCHEMA, definition=POST,
        triggers=[{"id": "hook", "type": "webhook"}], **changes,
    )  # fmt: skip


@pytest.fixture
def gallery(db: None) -> None:
    official.seed([slack_template(), entry()])


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page(client: Client, query: str = "") -> str:
    return client.get(reverse("templates_lib:gallery") + query).content.decode()


def install(client: Client, **answers: str) -> Any:
    data = {"name": "Stock warnings", "config-channel": "C0123", "config-limit": "25", **answers}
    return client.post(reverse("templates_lib:install", args=["tell-slack"]), data)


def the_template(slug: str = "tell-slack") -> Template:
    with system_scope("look at a template"):
        return Template.objects.get(slug=slug)


@pytest.mark.parametrize(
    ("query", "found", "left_out"),
    [
        ("", ["Tell Slack", "Say hello"], []),
        ("?q=stock+warnings", ["Tell Slack"], ["Say hello"]),
        ("?q=slac", ["Tell Slack"], ["Say hello"]),
        ("?q=stock+-slack", ["No template matches"], ["Tell Slack", "Say hello"]),
        ("?q=hello+or+stock", ["Tell Slack", "Say hello"], []),
        ("?q=sl:*+%26+(", ["No template matches"], ["Tell Slack", "Say hello"]),
        ("?category=OPERATIONS", ["Tell Slack"], ["Say hello"]),
        ("?tag=stock", ["Tell Slack"], ["Say hello"]),
        ("?difficulty=ADVANCED", ["No template matches"], ["Tell Slack", "Say hello"]),
        ("?services=ready", ["Say hello"], ["Tell Slack"]),
        ("?services=missing", ["Tell Slack"], ["Say hello"]),
        ("?sort=rated", ["Tell Slack", "Say hello"], []),
        ("?category=nonsense&after=rubbish", ["Tell Slack", "Say hello"], []),
    ],
)
def test_the_gallery_shows_what_was_asked_for(gallery, alder, query, found, left_out):
    html = page(signed_in(alder.viewer), query)
    assert [name for name in found if name not in html] == []
    assert [name for name in left_out if f">{name}</a>" in html] == []


def test_a_connected_service_makes_a_template_ready(gallery, alder):
    with alder.scope():
        Integration.objects.create(provider="SLACK", name="Alder", status="ACTIVE", credentials=b"x")
    assert ">Tell Slack</a>" in page(signed_in(alder.viewer), "?services=ready")


def test_htmx_gets_the_results_alone(gallery, alder):
    response = signed_in(alder.viewer).get(reverse("templates_lib:gallery"), headers={"HX-Request": "true"})
    assert response.content.decode().lstrip().startswith('<div id="results"')


def test_a_name_that_matches_ranks_before_a_description_that_does(db, alder):
    official.seed(
        [entry("a", name="Weekly figures", description="About invoices."), entry("b", name="Invoices")]
    )
    html = page(signed_in(alder.viewer), "?q=invoices")
    assert html.index(">Invoices</a>") < html.index(">Weekly figures</a>")


@pytest.mark.parametrize("sort", ["popular", "rated", "newest"])
def test_pages_hold_every_template_exactly_once(db, alder, sort, monkeypatch):
    monkeypatch.setattr("templates_lib.browse.PAGE_SIZE", 3)
    official.seed([entry(f"number-{letter}", name=f"Number {letter}") for letter in "abcdefgh"])
    with system_scope("spread them"):
        Template.objects.filter(slug__in=["number-b", "number-c", "number-d"]).update(
            popularity=4, rating=4.5
        )
    client, query, seen = signed_in(alder.viewer), f"?sort={sort}", []
    for _page in range(5):
        response = client.get(reverse("templates_lib:gallery") + query)
        seen += [template.slug for template, _needs in response.context["cards"]]
        query = response.context["page"].next_url
        if not query:
            break
    assert sorted(seen) == [f"number-{letter}" for letter in "abcdefgh"]


def test_the_number_of_queries_does_not_grow_with_the_gallery(db, alder):
    client = signed_in(alder.viewer)
    official.seed([entry("number-0")])
    page(client)
    with CaptureQueriesContext(connection) as few:
        page(client)
    official.seed([entry(f"number-{number}", name=f"Number {number}") for number in range(20)])
    with CaptureQueriesContext(connection) as many:
        page(client)
    assert len(many) == len(few)


def test_an_organizations_own_template_is_seen_by_nobody_else(gallery, alder, birch):
    with alder.scope():
        fields = entry("ours", name="Ours alone")
        Template.objects.create(
            **fields, organization=alder.organization, is_public=False, author="COMMUNITY"
        )
    assert "Ours alone" in page(signed_in(alder.viewer))
    assert "Ours alone" not in page(signed_in(birch.viewer))
    assert signed_in(birch.owner).get(reverse("templates_lib:detail", args=["ours"])).status_code == 404


def test_a_withdrawn_template_is_gone(gallery, alder):
    official.seed([entry()])
    assert "Tell Slack" not in page(signed_in(alder.viewer))
    assert (
        signed_in(alder.viewer).get(reverse("templates_lib:detail", args=["tell-slack"])).status_code == 404
    )


def test_a_template_tells_its_steps_and_what_it_needs(gallery, alder):
    html = signed_in(alder.owner).get(reverse("templates_lib:detail", args=["tell-slack"])).content.decode()
    assert "When another system calls the webhook" in html
    assert "Slack: Send a message" in html
    assert "Not connected yet" in html


def test_every_official_template_has_a_page_with_a_recipe_and_installs(db, alder):
    official.seed(official.read_all())
    client = signed_in(alder.owner)
    for content in official.read_all():
        response = client.get(reverse("templates_lib:detail", args=[content["slug"]]))
        assert response.context["recipe"], content["slug"]
        form = client.get(reverse("templates_lib:install", args=[content["slug"]]))
        assert form.status_code == 200


def test_every_official_template_installs_and_what_it_made_passes_its_saved_tests(db, alder):
    official.seed(official.read_all())
    with alder.scope():
        for content in official.read_all():
            example = example_configuration(content["configuration_schema"])
            template = Template.objects.get(slug=content["slug"])
            made = installing.install(template, alder.owner, name=template.name, configuration=example)
            draft = {**content, "definition": made.workflow.definition, "configuration_schema": None}
            for saved in content["tests"]:
                if "config" not in saved:
                    assert trial.failures(draft, saved) == [], (content["slug"], saved["name"])


def test_the_questions_come_in_the_order_of_the_file(db, alder):
    official.seed(official.read_all())
    response = signed_in(alder.owner).get(reverse("templates_lib:install", args=["expense-approval"]))
    assert list(response.context["configuration"].fields) == ["limit", "currency", "channel"]


def test_installing_makes_a_draft_with_the_answers_in_it(gallery, alder):
    response = install(signed_in(alder.admin))
    with alder.scope():
        workflow = Workflow.objects.get(name="Stock warnings")
        installed = TemplateInstall.objects.get(workflow=workflow)
        assert AuditEvent.objects.filter(action="workflow.installed", actor_id=alder.admin.pk).count() == 1
    assert response.url == reverse("templates_lib:installed", args=[workflow.pk])
    sent = workflow.definition["steps"][0]["with"]
    assert sent == {"channel": "C0123", "text": "Over 25: {{ trigger.body.text }}"}
    assert (workflow.status, workflow.category, installed.template_version) == ("DRAFT", "OPERATIONS", 1)
    assert workflow.triggers[0]["type"] == "webhook"
    assert installed.configuration == {"channel": "C0123", "limit": 25}
    following = signed_in(alder.admin).get(response.url).content.decode()
    assert reverse("workflows:publication", args=[workflow.pk]) in following


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"config-channel": "C"}, "at least 3"),
        ({"config-limit": "0"}, "greater than or equal to 1"),
        ({"config-limit": "many"}, "whole number"),
        ({"name": ""}, "required"),
        ({"name": "Greeting of Alder"}, "already has this name"),
    ],
)
def test_a_wrong_answer_is_named_beside_its_field_and_nothing_is_made(gallery, alder, answers, message):
    response = install(signed_in(alder.owner), **answers)
    assert response.status_code == 422
    assert message in response.content.decode()
    with alder.scope():
        assert not TemplateInstall.objects.exists()
    assert the_template().popularity == 0


def test_the_only_account_is_bound_and_several_are_asked_about(gallery, alder):
    client = signed_in(alder.owner)
    with alder.scope():
        one = Integration.objects.create(provider="SLACK", name="Bakery", status="ACTIVE", credentials=b"x")
    install(client)
    with alder.scope():
        step = Workflow.objects.get(name="Stock warnings").definition["steps"][0]
        two = Integration.objects.create(provider="SLACK", name="Office", status="ACTIVE", credentials=b"x")
    assert step["integration"] == str(one.pk)
    assert install(client, name="Second").status_code == 422
    install(client, name="Second", account_SLACK=str(two.pk))
    with alder.scope():
        assert Workflow.objects.get(name="Second").definition["steps"][0]["integration"] == str(two.pk)


def test_an_answer_can_be_chosen_from_what_the_connected_service_lists(gallery, alder):
    address = reverse("templates_lib:install", args=["tell-slack"])
    client = signed_in(alder.admin)
    assert "data-choices-url" not in client.get(address).content.decode()
    with alder.scope():
        first = Integration.objects.create(provider="SLACK", name="Shop", status="ACTIVE", credentials="")
    shown = client.get(address).content.decode()
    assert reverse("integrations:options", args=["slack", first.pk, "send_message", "channel"]) in shown
    with alder.scope():
        Integration.objects.create(provider="SLACK", name="Bakery", status="ACTIVE", credentials="")
    several = client.get(address).content.decode()
    assert 'data-choices-account="id_account_SLACK"' in several


def test_a_workflow_says_which_template_it_came_from_and_offers_its_update(gallery, alder):
    client = signed_in(alder.owner)
    install(client)
    with alder.scope():
        workflow = Workflow.objects.get(name="Stock warnings")
    address = reverse("workflows:detail", args=[workflow.pk])
    update = reverse("templates_lib:update", args=[workflow.pk])
    shown = client.get(address).content.decode()
    assert reverse("templates_lib:detail", args=["tell-slack"]) in shown
    assert update not in shown
    official.seed([slack_template(version=2)])
    assert update in client.get(address).content.decode()


def test_popularity_counts_an_organization_once_even_when_it_deletes_and_installs_again(
    gallery, alder, birch
):
    install(signed_in(alder.owner))
    with alder.scope():
        Workflow.objects.get(name="Stock warnings").delete()
    install(signed_in(alder.admin), name="Again")
    assert the_template().popularity == 1
    install(signed_in(birch.owner))
    assert the_template().popularity == 2


def test_a_member_sees_the_workflow_they_installed(gallery, alder):
    response = install(signed_in(alder.member))
    assert signed_in(alder.member).get(response.url).status_code == 200
    with alder.scope():
        assert WorkflowAssignment.objects.filter(user=alder.member, workflow__name="Stock warnings").exists()


def rate(person: Any, stars: str, comment: str = "") -> Any:
    return signed_in(person).post(
        reverse("templates_lib:rating", args=["tell-slack"]), {"stars": stars, "comment": comment}
    )


def test_only_organizations_that_installed_a_template_rate_it(gallery, alder, birch):
    rate(alder.viewer, "5")
    assert the_template().rating_count == 0
    install(signed_in(alder.owner))
    rate(alder.viewer, "5")
    rate(birch.owner, "1")
    assert (the_template().rating, the_template().rating_count) == (5, 1)


def test_a_rating_can_be_changed_and_the_average_follows_over_all_organizations(gallery, alder, birch):
    for world in (alder, birch):
        install(signed_in(world.owner))
    rate(alder.owner, "5")
    rate(alder.viewer, "4")
    rate(birch.owner, "3", "Fine.")
    assert (the_template().rating, the_template().rating_count) == (4, 3)
    rate(alder.owner, "2")
    assert (the_template().rating, the_template().rating_count) == (3, 3)
    with birch.scope():
        assert [each.comment for each in TemplateRating.objects.all()] == ["Fine."]


@pytest.mark.parametrize("stars", ["0", "6", "many", ""])
def test_a_rating_outside_one_to_five_is_refused(gallery, alder, stars):
    install(signed_in(alder.owner))
    assert rate(alder.owner, stars).status_code == 422
    assert the_template().rating_count == 0


def second_version() -> dict[str, Any]:
    more = {"id": "keep", "type": "set", "name": "Keep it", "values": {"text": "kept"}}
    return slack_template(version=2) | {"definition": {**POST, "steps": [*POST["steps"], more]}}


def installed_workflow(world: World) -> Workflow:
    install(signed_in(world.owner))
    with world.scope():
        return Workflow.objects.get(name="Stock warnings")


def test_an_update_shows_what_changes_and_keeps_what_people_changed(gallery, alder):
    workflow, client = installed_workflow(alder), signed_in(alder.owner)
    with alder.scope():
        workflow.definition["steps"][0]["name"] = "Our own name"
        workflow.revision += 1
        workflow.save(update_fields=["definition", "revision"])
    official.seed([second_version()])
    address = reverse("templates_lib:update", args=[workflow.pk])
    assert "Step “Keep it” was added" in client.get(address).content.decode()
    assert address in client.get(reverse("templates_lib:installed", args=[workflow.pk])).content.decode()
    response = client.post(address, {"config-channel": "C0123", "config-limit": "25"})
    assert response.url == reverse("workflows:publication", args=[workflow.pk])
    with alder.scope():
        workflow.refresh_from_db()
        assert [step["id"] for step in workflow.definition["steps"]] == ["tell", "keep"]
        assert workflow.definition["steps"][0]["name"] == "Our own name"
        assert TemplateInstall.objects.get(workflow=workflow).template_version == 2


def test_an_update_that_meets_a_change_in_the_same_place_changes_nothing(gallery, alder):
    workflow, client = installed_workflow(alder), signed_in(alder.owner)
    with alder.scope():
        workflow.definition["steps"][0]["with"]["text"] = "Our own words"
        workflow.save(update_fields=["definition"])
    changed = second_version()
    changed["definition"]["steps"][0] = {
        **POST["steps"][0],
        "with": {"channel": {"$config": "channel"}, "text": "New"},
    }
    official.seed([changed])
    response = client.post(
        reverse("templates_lib:update", args=[workflow.pk]), {"config-channel": "C0123", "config-limit": "25"}
    )
    assert response.status_code == 422
    with alder.scope():
        workflow.refresh_from_db()
        assert workflow.definition["steps"][0]["with"]["text"] == "Our own words"
        assert TemplateInstall.objects.get(workflow=workflow).template_version == 1


def test_a_service_is_named_once_in_what_starts_a_template(db, alder):
    trigger = {"type": "provider", "provider": "GOOGLE_DRIVE", "event": "new_file"}
    official.seed([entry("new-files", name="New files", triggers=[trigger])])
    shown = signed_in(alder.viewer).get(reverse("templates_lib:detail", args=["new-files"])).content.decode()
    assert "When in Google Drive: new file" in shown
    assert 'class="flow-box' in shown
