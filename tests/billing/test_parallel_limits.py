"""Limits hold when many try at the same moment: each is enforced in the transaction that would exceed it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts import invitations
from accounts.models import Invitation, Organization, User
from accounts.tenancy import organization_scope
from billing.entitlements import LimitReached
from billing.plans import PLANS
from integrations import connecting
from integrations.framework import registry
from integrations.models import Integration
from tests.worlds import World, make_workflow, make_world
from workflows.models import Workflow
from workflows.publishing import PublishRefused, publish

TRIES = 32
STARTER = PLANS["STARTER"]
PROVED = connecting.Proved(registry.get("stripe"), {}, {"auth": "api_key", "api_key": "sk_test_x"})


@pytest.fixture
def world(committed_db: str) -> World:
    """Alder on the smallest plan, with one active workflow."""
    made = make_world("Alder")
    with made.scope():
        Organization.objects.update(plan="STARTER")
    return made


def all_at_once(attempt: Callable[[int], Any]) -> list[Any]:
    """Call `attempt(number)` in 32 threads that start together; return results and refusals."""
    gate, results = threading.Barrier(TRIES), list[Any]()

    def go(number: int) -> None:
        try:
            gate.wait(timeout=60)
            results.append(attempt(number))
        except (LimitReached, PublishRefused) as refusal:
            results.append(refusal)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=go, args=[number]) for number in range(TRIES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(results) == TRIES
    return results


def drafts(world: World) -> list[Workflow]:
    with world.scope():
        return [
            make_workflow(world.organization, world.owner, name=f"Number {number}", status="DRAFT")[0]
            for number in range(TRIES)
        ]


def active(world: World) -> int:
    with world.scope():
        return int(Workflow.objects.active().count())


def test_of_many_who_publish_a_sixth_workflow_exactly_five_are_active(world: World) -> None:
    waiting = drafts(world)

    def attempt(number: int) -> bool:
        with organization_scope(world.organization.pk):
            publish(waiting[number], world.owner)
        return True

    results = all_at_once(attempt)
    assert active(world) == STARTER.active_workflows == 5
    assert results.count(True) == 4  # one was active before
    refusal = next(result for result in results if result is not True)
    assert str(refusal).startswith("The Starter plan allows 5 active workflows")


def test_the_same_through_the_pages(world: World) -> None:
    waiting = drafts(world)

    def attempt(number: int) -> int:
        client = Client()
        client.force_login(world.owner)
        return client.post(
            reverse("workflows:publication", args=[waiting[number].pk]), {"note": ""}
        ).status_code

    statuses = all_at_once(attempt)
    assert active(world) == 5
    assert set(statuses) <= {302, 409, 422}
    assert statuses.count(302) == 4


def test_of_many_who_connect_a_fourth_account_exactly_three_are_kept(world: World) -> None:
    def attempt(number: int) -> bool:
        request = RequestFactory().post("/")
        with organization_scope(world.organization.pk):
            connecting.connect(PROVED, f"Shop {number}", actor=world.owner, request=request)
        return True

    results = all_at_once(attempt)
    with world.scope():
        assert Integration.objects.count() == STARTER.integrations == 3
    assert results.count(True) == 3


def test_of_many_who_invite_nobody_is_one_too_many(world: World) -> None:
    with world.scope():
        User.objects.exclude(role="OWNER").delete()  # three places, one taken

    def attempt(number: int) -> bool:
        request = RequestFactory().post("/")
        with organization_scope(world.organization.pk):
            invitations.invite(world.owner, f"person{number}@alder.example", "MEMBER", request=request)
        return True

    results = all_at_once(attempt)
    with world.scope():
        assert Invitation.objects.count() == 2
    assert results.count(True) == 2
