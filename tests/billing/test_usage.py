"""Usage: entries add up to records, records and late entries to the month, and nobody sees another's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.tenancy import system_scope
from billing import usage
from billing.entitlements import Limit, LimitReached, claim
from billing.metering import meter
from billing.models import UsageEntry, UsageMetric, UsageRecord
from billing.rollup import roll_up
from tests.worlds import World

RUNS = UsageMetric.WORKFLOW_EXECUTIONS
NOON = datetime.now(UTC).replace(day=15, hour=12, minute=0, second=0, microsecond=0)


def used(world: World, quantity: int, at: datetime, metric: UsageMetric = RUNS, cost: str = "0") -> None:
    with world.scope():
        entry = meter(metric, quantity, cost_usd=Decimal(cost))
        UsageEntry.objects.filter(pk=entry.pk).update(at=at)


def counted(world: World, now: datetime) -> int:
    with world.scope():
        return usage.used_this_month(world.organization, RUNS, now)


def test_the_month_is_the_sum_of_its_entries_before_and_after_the_roll_up(alder: World, birch: World) -> None:
    used(alder, 3, NOON - timedelta(days=3))
    used(alder, 2, NOON)
    used(birch, 40, NOON)
    assert counted(alder, NOON) == 5
    roll_up(NOON)
    assert counted(alder, NOON) == 5
    used(alder, 1, NOON + timedelta(minutes=1))
    assert counted(alder, NOON + timedelta(hours=1)) == 6
    roll_up(NOON + timedelta(days=1))
    assert counted(alder, NOON + timedelta(days=1)) == 6
    assert counted(birch, NOON + timedelta(days=1)) == 40


def test_an_entry_that_comes_late_is_counted_once(alder: World) -> None:
    midnight = NOON.replace(hour=0)
    used(alder, 5, midnight - timedelta(minutes=10))
    roll_up(midnight + timedelta(minutes=4))
    used(alder, 7, midnight - timedelta(seconds=1))  # its transaction had begun before midnight
    assert counted(alder, midnight + timedelta(minutes=5)) == 12
    roll_up(midnight + timedelta(hours=1, minutes=4))
    assert counted(alder, midnight + timedelta(hours=2)) == 12


def test_rolling_up_twice_changes_nothing(alder: World) -> None:
    used(alder, 3, NOON, cost="0.25")
    roll_up(NOON)
    assert roll_up(NOON) == "wrote 0 usage records"
    with alder.scope():
        day, month = UsageRecord.objects.order_by("period_end")
        assert (day.quantity, day.cost, month.quantity) == (3, Decimal("0.25"), 3)


def test_every_record_equals_a_recount_of_its_entries(alder: World, birch: World) -> None:
    for world, hours in ((alder, (1, 5, 30, 60)), (birch, (2, 26))):
        for number, ago in enumerate(hours, start=1):
            used(world, number, NOON - timedelta(hours=ago), cost="0.001")
    for day in range(3, -1, -1):
        roll_up(NOON - timedelta(days=day))
    with system_scope("recount"):
        records = list(UsageRecord.objects.all())
        assert len(records) >= 6
        for record in records:
            entries = UsageEntry.objects.filter(
                organization_id=record.organization_id,
                metric=record.metric,
                at__gte=record.period_start,
                at__lt=record.period_end,
            )
            assert record.quantity == sum(entries.values_list("quantity", flat=True))


@pytest.mark.parametrize("metric", list(UsageMetric))
def test_the_page_and_the_csv_show_ones_own_usage(
    client: Client, alder: World, birch: World, metric: UsageMetric
) -> None:
    used(alder, 4321, datetime.now(UTC), metric)
    used(birch, 9876, datetime.now(UTC), metric)
    roll_up()
    client.force_login(alder.owner)
    csv = b"".join(client.get(reverse("billing:usage-csv")).streaming_content).decode()
    assert f"{metric},".encode() in csv.encode()
    assert "4321" in csv
    assert "9876" not in csv
    assert client.get(reverse("billing:overview")).status_code == 200


def test_a_limit_counts_what_is_there_while_nobody_else_can_add(alder: World) -> None:
    with alder.scope():
        claim(alder.organization.pk, Limit.ACTIVE_WORKFLOWS, lambda: 24)
        with pytest.raises(LimitReached, match="Professional plan allows 25 active workflows"):
            claim(alder.organization.pk, Limit.ACTIVE_WORKFLOWS, lambda: 25)


def test_payment_says_what_is_missing_to_the_owner_and_who_may_to_an_admin(
    client: Client, alder: World
) -> None:
    client.force_login(alder.owner)
    assert "STRIPE_SECRET_KEY" in client.get(reverse("billing:overview")).content.decode()
    client.force_login(alder.admin)
    page = client.get(reverse("billing:overview")).content.decode()
    assert "STRIPE_SECRET_KEY" not in page
    assert "The owner of your organization can change the plan." in page


def test_the_page_asks_as_much_for_many_entries_as_for_few(client: Client, alder: World) -> None:
    from django.test.utils import CaptureQueriesContext

    client.force_login(alder.owner)
    client.get(reverse("billing:overview"))
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("billing:overview"))
    for hour in range(40):
        used(alder, 1, datetime.now(UTC) - timedelta(hours=hour))
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("billing:overview"))
    assert len(many) == len(few)
