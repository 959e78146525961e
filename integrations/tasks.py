"""Background jobs: tokens renewed in time, accounts tried now and then, breaks told of, deliveries passed on."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from accounts import mail
from accounts.models import User
from accounts.notifications import Notification, wants
from accounts.tenancy import organization_scope, system_scope
from integrations import health, inbound, usage
from integrations.framework import ConnectorError
from integrations.models import InboundDelivery, InboundKey, Integration

RENEW_BEFORE = timedelta(
    minutes=15
)  # the job looks every five minutes, so that a use hardly ever has to renew
CHECK_EVERY = timedelta(hours=20)
CHECK_BROKEN_EVERY = timedelta(minutes=50)
BATCH = 500
KEPT_DAYS = 7  # services send a delivery again for three days at most
HAND_OVER = RetryStrategy(max_attempts=12, exponential_wait=3)
Status = Integration.Status


# --- Found by the maintenance list --------------------------------------------------------------------------


def renew_due() -> str:
    """Queue the renewal of tokens that end soon."""
    with system_scope("find tokens that end soon"):
        due = Integration.objects.filter(
            status__in=[Status.ACTIVE, Status.ERROR], expires_at__lt=timezone.now() + RENEW_BEFORE
        )
        keys = list(due.order_by("expires_at").values_list("organization_id", "pk")[:BATCH])
    return f"queued {_queue(renew, 'renew', keys)} renewals"


def check_due() -> str:
    """Queue the cheap call for accounts that were not tried for a day, or an hour when they have a problem."""
    now = timezone.now()
    with system_scope("find accounts to try"):
        due = Integration.objects.filter(
            Q(status=Status.ACTIVE, checked_at__lt=now - CHECK_EVERY)
            | Q(status=Status.ERROR, checked_at__lt=now - CHECK_BROKEN_EVERY)
            | Q(status__in=[Status.ACTIVE, Status.ERROR], checked_at=None, created_at__lt=now - CHECK_EVERY)
        )
        keys = list(due.order_by("checked_at").values_list("organization_id", "pk")[:BATCH])
    return f"queued {_queue(check, 'check', keys)} checks"


def clear_deliveries() -> str:
    """Remove what services sent to us and is past its time."""
    usage.flush_uses()
    limit = timezone.now() - timedelta(days=KEPT_DAYS)
    removed = 0
    for model, column in ((InboundDelivery, "received_at"), (InboundKey, "seen_at")):
        while True:
            with system_scope("remove old deliveries"), connection.cursor() as cursor:
                table = model._meta.db_table
                cursor.execute(
                    f"DELETE FROM {table} WHERE id IN"  # noqa: S608 - names of our own models
                    f" (SELECT id FROM {table} WHERE {column} < %s LIMIT {BATCH})",
                    [limit],
                )
                count = cursor.rowcount
            removed += count
            if count < BATCH:
                break
    return f"removed {removed} deliveries and keys"


def _queue(task: object, name: str, keys: list[tuple[UUID, UUID]]) -> int:
    queued = 0
    for organization_id, integration_id in keys:
        job = task.configure(queueing_lock=f"integration.{name}/{integration_id}")  # type: ignore[attr-defined]
        try:
            with transaction.atomic():  # a refused job would otherwise spoil a transaction around this one
                job.defer(organization_id=str(organization_id), integration_id=str(integration_id))
        except AlreadyEnqueued:
            continue
        queued += 1
    return queued


# --- Jobs ---------------------------------------------------------------------------------------------------


@app.task(name="integrations.renew", queue="integrations")
def renew(organization_id: str, integration_id: str) -> None:
    """Renew one token ahead of its end."""
    try:
        health.renew_ahead(UUID(organization_id), UUID(integration_id), RENEW_BEFORE)
    except (ConnectorError, Integration.DoesNotExist):
        return  # recorded already, or tried again in five minutes


@app.task(name="integrations.check", queue="integrations")
def check(organization_id: str, integration_id: str) -> None:
    """Try one account with its connector's cheap call."""
    try:
        health.check(UUID(organization_id), UUID(integration_id))
    except (ConnectorError, Integration.DoesNotExist):
        return  # recorded already


@app.task(
    name="integrations.tell_of_break", queue="mail", retry=RetryStrategy(max_attempts=12, exponential_wait=4)
)
def tell_of_break(organization_id: str, integration_id: str) -> None:
    """Tell those who can reconnect an account, once for each time it breaks."""
    with organization_scope(organization_id):
        integration = Integration.objects.select_for_update(of=("self",)).filter(pk=integration_id).first()
        if integration is None or integration.owner_notified_at is not None:
            return
        if integration.status not in (Status.EXPIRED, Status.ERROR):
            return
        integration.owner_notified_at = timezone.now()
        integration.save(update_fields=["owner_notified_at"])
        held = usage.usage_of(integration).held_count
        people = User.objects.filter(
            organization_id=organization_id, role__in=[User.Role.OWNER, User.Role.ADMIN], is_active=True
        )
        for person in people:
            if wants(person, Notification.INTEGRATION_BROKEN):
                _tell(person, integration, held)


@app.task(name="integrations.hand_over", queue="integrations", retry=HAND_OVER)
def hand_over(organization_id: str, delivery_id: str) -> None:
    """Pass the events of one stored delivery on to what listens to them."""
    inbound.hand_over(UUID(organization_id), UUID(delivery_id))


def _tell(person: User, integration: Integration, held: int) -> None:
    with translation.override(person.language or settings.LANGUAGE_CODE):
        context = {
            "subject": _("“%(name)s” has to be reconnected") % {"name": integration.name}
            if integration.status == Status.EXPIRED
            else _("“%(name)s” has a problem") % {"name": integration.name},
            "integration": integration,
            "held": held,
            "action_url": settings.BASE_URL + reverse("integrations:integration", args=[integration.pk]),
            "action_label": _("Open the connection"),
        }
        mail.send("emails/integrations/broken", person.email, context)
