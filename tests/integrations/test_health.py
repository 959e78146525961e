"""Keeping accounts alive: one renewal for many, what each failure means, and who is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from werkzeug import Response as Answer

from accounts.tenancy import system_scope
from integrations import credentials, health, tasks, usage
from integrations.framework import ReconnectError, TemporaryError
from integrations.models import Integration
from tests.integrations.standin import Service
from tests.worlds import World, make_world


def connected(
    world: World, service: Service, *, ends_in: timedelta | None = timedelta(hours=1), **fields: Any
) -> Integration:
    """Make an account with tokens that the service knows."""
    service.access.add("canary-access-0")
    service.refresh.add("canary-refresh-0")
    row = Integration(organization=world.organization, provider="NOTION", settings={"account_id": "acc-1"})
    row.name = "Team"
    row.expires_at = timezone.now() + ends_in if ends_in is not None else None
    for name, value in fields.items():
        setattr(row, name, value)
    with world.scope():
        credentials.write(
            row, {"auth": "oauth2", "access_token": "canary-access-0", "refresh_token": "canary-refresh-0"}
        )
        row.save()
    return row


def again(world: World, row: Integration) -> Integration:
    with world.scope():
        found: Integration = Integration.objects.get(pk=row.pk)
        return found


def use(world: World, row: Integration) -> str:
    return str(health.credentials_for_use(world.organization.pk, row.pk).credentials["access_token"])


@pytest.fixture
def committed(committed_db: str) -> Iterator[World]:
    return make_world("Alder")


@pytest.mark.parametrize("ends_in", [timedelta(minutes=2), timedelta(minutes=-2)], ids=["soon", "ended"])
def test_twenty_workers_make_one_renewal(committed: World, service: Service, ends_in: timedelta) -> None:
    row = connected(committed, service, ends_in=ends_in)
    service.answer_after = threading.Event()
    ready = threading.Barrier(21)

    def work() -> str:
        try:
            ready.wait(20)
            return use(committed, row)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        futures = [pool.submit(work) for _ in range(20)]
        ready.wait(20)
        threading.Timer(0.3, service.answer_after.set).start()
        tokens = {future.result(30) for future in futures}
    assert service.count("refresh_token") == 1
    # A token that is still good may go on while another worker renews it; one that has ended may not.
    allowed = {"canary-access-0", "canary-access-1"} if ends_in > timedelta(0) else {"canary-access-1"}
    assert tokens <= allowed
    assert use(committed, row) == "canary-access-1"
    assert service.count("refresh_token") == 1


def test_a_worker_that_died_while_renewing_is_followed_by_another(alder: World, service: Service) -> None:
    past = timezone.now() - timedelta(seconds=1)
    row = connected(alder, service, ends_in=timedelta(minutes=-1), refresh_lease="dead", refresh_until=past)
    assert use(alder, row) == "canary-access-1"
    assert again(alder, row).refresh_lease == ""


def test_a_renewal_that_comes_after_a_reconnect_changes_nothing(
    committed: World, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = connected(committed, service, ends_in=timedelta(minutes=2))
    real = health.oauth.refresh

    def reconnect_meanwhile() -> None:
        with committed.scope():
            mended = Integration.objects.get(pk=row.pk)
            credentials.write(mended, {"auth": "oauth2", "access_token": "from-the-reconnect"})
            mended.refresh_lease = ""
            mended.save()
        connections.close_all()

    async def slow(*arguments: Any, **options: Any) -> Any:
        tokens = await real(*arguments, **options)
        await asyncio.to_thread(reconnect_meanwhile)
        return tokens

    monkeypatch.setattr(health.oauth, "refresh", slow)
    assert use(committed, row) == "from-the-reconnect"
    assert credentials.read(again(committed, row))["access_token"] == "from-the-reconnect"


def test_an_outage_keeps_the_account_and_a_token_that_is_still_good(alder: World, service: Service) -> None:
    service.is_down = True
    row = connected(alder, service, ends_in=timedelta(minutes=2))
    assert use(alder, row) == "canary-access-0"
    with alder.scope():
        Integration.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    with pytest.raises(TemporaryError):
        use(alder, row)
    assert again(alder, row).status == "ACTIVE"
    service.is_down = False
    assert use(alder, row) == "canary-access-1"


def test_a_mistake_in_our_set_up_is_an_error_that_mends_itself(
    alder: World, service: Service, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(health, "_on_healed", [lambda *arguments: told.append(arguments)])
    right = dict(settings.OAUTH_APPS)
    settings.OAUTH_APPS = {**right, "OAUTH_NOTION_CLIENT_SECRET": "canary-mistyped"}
    row = connected(alder, service, ends_in=timedelta(minutes=-1))
    with pytest.raises(health.NotUsable):
        use(alder, row)
    broken = again(alder, row)
    assert (broken.status, "set-up" in broken.status_reason) == ("ERROR", True)
    with pytest.raises(health.NotUsable):
        use(alder, row)
    settings.OAUTH_APPS = right
    tasks.check(organization_id=str(alder.organization.pk), integration_id=str(row.pk))
    assert again(alder, row).status == "ACTIVE"
    assert told == [(alder.organization.pk, row.pk)]


def test_a_token_that_ended_early_is_renewed_at_the_first_refusal(alder: World, service: Service) -> None:
    row = connected(alder, service, ends_in=None)
    service.access.clear()
    assert health.check(alder.organization.pk, row.pk).label == "Alder Bakery"
    assert service.calls == ["me", "refresh_token", "me"]
    assert again(alder, row).status == "ACTIVE"


def test_an_account_that_refuses_new_tokens_too_is_broken_and_not_renewed_for_ever(
    alder: World, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "on_me", lambda request, form: Answer("no", status=401), raising=False)
    row = connected(alder, service, ends_in=None)
    with pytest.raises(ReconnectError):
        health.check(alder.organization.pk, row.pk)
    assert again(alder, row).status == "EXPIRED"
    assert service.calls == ["me", "refresh_token", "me"]
    with alder.scope():
        Integration.objects.update(status="ACTIVE")
    used = health.credentials_for_use(alder.organization.pk, row.pk)
    assert health.renew_refused(used) is None
    assert service.count("refresh_token") == 1


def test_an_outage_while_a_refused_token_is_renewed_breaks_nothing(
    alder: World, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = connected(alder, service)
    service.access.clear()
    monkeypatch.setattr(service, "on_token", lambda request, form: Answer("down", status=503), raising=False)
    with pytest.raises(TemporaryError):
        health.check(alder.organization.pk, row.pk)
    assert again(alder, row).status == "ACTIVE"


def test_a_call_that_failed_with_an_old_token_says_nothing_about_the_new_one(
    alder: World, service: Service
) -> None:
    row = connected(alder, service, ends_in=timedelta(minutes=10))
    old = health.credentials_for_use(alder.organization.pk, row.pk)
    health.renew_ahead(alder.organization.pk, row.pk, timedelta(minutes=15))
    assert not health.mark_broken(alder.organization.pk, row.pk, ReconnectError("refused"), used=old)
    assert again(alder, row).status == "ACTIVE"
    new = health.credentials_for_use(alder.organization.pk, row.pk)
    assert health.mark_broken(alder.organization.pk, row.pk, ReconnectError("refused"), used=new)


def test_a_token_that_cannot_be_renewed_is_used_until_it_ends(alder: World, service: Service) -> None:
    row = connected(alder, service, ends_in=timedelta(minutes=2))
    with alder.scope():
        credentials.write(row, {"auth": "oauth2", "access_token": "canary-access-0"})
        row.save()
    assert use(alder, row) == "canary-access-0"
    assert service.calls == []


@pytest.mark.parametrize("status", ["EXPIRED", "ERROR", "DISABLED"])
def test_a_broken_account_is_not_used_and_says_why(alder: World, service: Service, status: str) -> None:
    row = connected(alder, service, status=status)
    with pytest.raises(health.NotUsable) as refused:
        use(alder, row)
    assert isinstance(refused.value, ReconnectError)
    assert "“Team”" in str(refused.value)
    assert service.calls == []


def test_a_switched_off_account_is_not_broken_by_what_it_was_doing(alder: World, service: Service) -> None:
    row = connected(alder, service, status="DISABLED")
    assert not health.mark_broken(alder.organization.pk, row.pk, ReconnectError("dead"))
    assert again(alder, row).status == "DISABLED"


def test_an_event_loop_can_ask_too(committed: World, service: Service) -> None:
    row = connected(committed, service, ends_in=timedelta(minutes=-1))
    usable = asyncio.run(health.acredentials_for_use(committed.organization.pk, row.pk))
    assert usable.credentials["access_token"] == "canary-access-1"
    assert "canary" not in repr(usable)


def test_the_jobs_find_what_is_due_and_nothing_else(alder: World, birch: World, service: Service) -> None:
    now = timezone.now()
    soon = connected(alder, service, ends_in=timedelta(minutes=10), checked_at=now, name="soon")
    connected(birch, service, ends_in=timedelta(hours=2), checked_at=now, name="later")
    stale = connected(birch, service, checked_at=now - timedelta(days=1), name="stale")
    sick = connected(birch, service, checked_at=now - timedelta(hours=1), status="ERROR", name="sick")
    connected(birch, service, checked_at=now - timedelta(days=3), status="EXPIRED", name="gone")
    tasks.renew_due()
    tasks.renew_due()
    tasks.check_due()
    jobs = ProcrastinateJob.objects.filter(task_name__startswith="integrations.")
    found = sorted((job.task_name, job.args["integration_id"]) for job in jobs)
    assert found == sorted(
        [
            ("integrations.renew", str(soon.pk)),
            ("integrations.check", str(stale.pk)),
            ("integrations.check", str(sick.pk)),
        ]
    )
    tasks.renew(organization_id=str(alder.organization.pk), integration_id=str(soon.pk))
    assert service.count("refresh_token") == 1


def test_uses_are_written_together(alder: World, service: Service) -> None:
    rows = [connected(alder, service, name=f"Team {number}") for number in range(3)]
    for row in rows:
        use(alder, row)
        use(alder, row)
    assert again(alder, rows[0]).last_used_at is None
    with connection.execute_wrapper(counting := Counter()):
        assert usage.flush_uses() == 3
    assert counting.updates == 1
    assert all(again(alder, row).last_used_at is not None for row in rows)
    assert usage.flush_uses() == 0


class Counter:
    """Counts the UPDATE statements that pass."""

    updates = 0

    def __call__(self, execute: Any, statement: str, *rest: Any) -> Any:
        self.updates += statement.startswith("UPDATE")
        return execute(statement, *rest)


def test_what_depends_on_an_account_comes_from_those_who_know(
    alder: World, service: Service, monkeypatch: pytest.MonkeyPatch, client: Any
) -> None:
    row = connected(alder, service)
    found = usage.Usage(
        workflows=[usage.Dependent("Morning report", "/workflows/1/", "active")],
        held=[usage.Dependent("Run of 9:00", "/runs/1/")],
        held_count=7,
    )
    monkeypatch.setattr(usage, "_sources", [lambda integration: found])
    client.force_login(alder.owner)
    page = client.get(f"/integrations/{row.pk}/").content.decode()
    for words in ("Morning report", "7 runs wait for it", "Run of 9:00"):
        assert words in page
    question = client.get(f"/integrations/{row.pk}/disconnect/").content.decode()
    for words in ("Morning report", "7 runs wait for it"):
        assert words in question


def test_the_wait_is_for_the_services_answer_and_not_for_a_lock(committed: World, service: Service) -> None:
    """While a token is renewed, others read the row and nothing is locked."""
    row = connected(committed, service, ends_in=timedelta(minutes=2))
    service.answer_after = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(lambda: (use(committed, row), connections.close_all()))
        while service.count("refresh_token") == 0:
            threading.Event().wait(0.01)
        with system_scope("look for locks"), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
            cursor.execute("SELECT id FROM integrations_integration WHERE id = %s FOR UPDATE", [row.pk])
            assert cursor.fetchone() is not None
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state = 'idle in transaction'"
            )
            assert cursor.fetchone() == (0,)
        service.answer_after.set()
        renewing.result(20)
