"""Keeping accounts alive: tokens renewed ahead of time by one of many, and one clear message when an account breaks.

No call to a service happens in a transaction. A renewal is claimed under the row's lock, done, and recorded under the
row's lock again; meanwhile the others go on with the token that is still good, or wait for the new one.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import close_old_connections
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from accounts import audit
from accounts.tenancy import organization_scope
from billing.entitlements import UsageMetric
from billing.metering import meter
from integrations import credentials as store
from integrations import usage
from integrations.calls import Answer, app_of, call
from integrations.framework import (
    Connector,
    ConnectorError,
    OAuth2,
    PermanentError,
    ReconnectError,
    TemporaryError,
    oauth,
    registry,
)
from integrations.framework.client import TOTAL_SECONDS, Client
from integrations.framework.crypto import DecryptionFailed
from integrations.framework.execute import Tested, test_connection
from integrations.models import Integration

log = logging.getLogger("integrations.health")

AHEAD = timedelta(minutes=5)  # a token that ends sooner is renewed before it is used
LEASE = timedelta(seconds=TOTAL_SECONDS + 30)  # longer than the slowest call: then its owner is dead
WAIT_SECONDS = TOTAL_SECONDS + 35
LOOK_SECONDS = 0.1
RENEWED_AT = "renewed_at"
JUST_RENEWED = timedelta(minutes=1)  # refused with a token this young, the account itself is refused
Status = Integration.Status
# What a healthy call can mend by itself; the other states need a person.
MENDABLE = (Status.ACTIVE, Status.ERROR)

_on_healed: list[Callable[[UUID, UUID], Any]] = []


@dataclass(frozen=True, slots=True)
class Usable:
    """An account ready for a call. account: what addresses need. credentials never leave the process."""

    id: UUID
    organization_id: UUID
    provider: str
    name: str
    account: Mapping[str, Any]
    credentials: Mapping[str, Any] = field(repr=False)


class NotUsable(ReconnectError):
    """The account needs a person: what needs it waits. integration_id says for which."""

    def __init__(self, message: str, *, integration_id: UUID) -> None:
        super().__init__(message)
        self.integration_id = integration_id


def register_on_healed(hook: Callable[[UUID, UUID], Any]) -> None:
    """Call hook(organization_id, integration_id) when a broken account works again: in its scope and transaction."""
    if hook not in _on_healed:
        _on_healed.append(hook)


# --- Using --------------------------------------------------------------------------------------------------


def credentials_for_use(organization_id: UUID, integration_id: UUID) -> Usable:
    """Return the account with a token that lasts for the call, renewing it first when it ends soon.

    Call it outside of a scope: it may call the service. Raises NotUsable when a person has to act, TemporaryError
    when the renewal failed for now and the old token has ended, Integration.DoesNotExist.
    """
    usable = _fresh(organization_id, integration_id)
    if usage.note_use(integration_id):
        usage.flush_uses()
    return usable


def renew_ahead(organization_id: UUID, integration_id: UUID, ahead: timedelta) -> None:
    """Renew the token when it ends within `ahead`. Raises as credentials_for_use() does; outside of a scope."""
    _fresh(organization_id, integration_id, ahead=ahead, heals=True)


async def acredentials_for_use(organization_id: UUID, integration_id: UUID) -> Usable:
    """The same for code in an event loop; the database work and the renewal happen in a thread."""

    def work() -> Usable:
        try:
            return credentials_for_use(organization_id, integration_id)
        finally:
            close_old_connections()

    return await asyncio.to_thread(work)


def renew_refused(usable: Usable) -> Usable | None:
    """After a service refused the account: return it with a newer token, None when only a person can help.

    Tokens end early, and some services never say when: so the first refusal asks for a new one. A call that was
    refused this way did nothing, and may be made once more. Outside of a scope; raises TemporaryError.
    """
    refused = str(usable.credentials.get("access_token") or "")
    renewed_at = parse_datetime(str(usable.credentials.get(RENEWED_AT, "")))
    if not refused or (renewed_at is not None and timezone.now() - renewed_at < JUST_RENEWED):
        return None
    try:
        fresh = _fresh(usable.organization_id, usable.id, refused=refused, heals=True)
    except TemporaryError:
        raise
    except ConnectorError:
        return None  # recorded already
    return fresh if fresh.credentials.get("access_token") != refused else None


async def arenew_refused(usable: Usable) -> Usable | None:
    """The same for code in an event loop."""

    def work() -> Usable | None:
        try:
            return renew_refused(usable)
        finally:
            close_old_connections()

    return await asyncio.to_thread(work)


def call_with(usable: Usable, make: Callable[[Usable, Client], Coroutine[Any, Any, Answer]]) -> Answer:
    """Make one call with an account, once more with a new token when the service refuses the old one.

    Its requests are metered. Opens scopes of its own: call it outside of one. Raises ConnectorError; when it is a
    ReconnectError, the account is marked and its managers are told.
    """
    sent: list[str] = []

    def noted(provider: str, status: int, seconds: float) -> None:
        sent.append(provider)

    try:
        try:
            return call(lambda client: make(usable, client), on_call=noted)
        except ReconnectError as error:
            fresh = renew_refused(usable)
            if fresh is None:
                mark_broken(usable.organization_id, usable.id, error, used=usable)
                raise
        try:
            return call(lambda client: make(fresh, client), on_call=noted)
        except ReconnectError as error:
            mark_broken(usable.organization_id, usable.id, error, used=fresh)
            raise
    finally:
        if sent:
            with organization_scope(usable.organization_id):
                meter(UsageMetric.API_CALLS_MADE, len(sent))


def check(organization_id: UUID, integration_id: UUID) -> Tested:
    """Prove that the account works with the connector's cheap call, and record the outcome, good or bad.

    Raises ConnectorError with a sentence for the person; the integration's state has been set by then.
    """
    try:
        usable = _fresh(organization_id, integration_id, heals=True)
        connector = registry.get(usable.provider)
        tested = call_with(
            usable,
            lambda account, client: test_connection(
                connector, account.credentials, account.account, client=client, pace_key=str(account.id)
            ),
        )
    except NotUsable:
        raise
    except PermanentError as error:
        mark_broken(organization_id, integration_id, error)
        raise
    mark_working(organization_id, integration_id, label=tested.label)
    return tested


# --- States -------------------------------------------------------------------------------------------------


def mark_broken(
    organization_id: UUID, integration_id: UUID, error: ConnectorError, *, used: Usable | None = None
) -> bool:
    """Record that the service refuses the account, and let its managers be told; return whether it is news.

    EXPIRED when a person must reconnect it, ERROR for everything else. Opens its own scope.
    used: what the failed call was made with: when there are newer credentials, its failure says nothing about them.
    """
    status = Status.EXPIRED if isinstance(error, ReconnectError) else Status.ERROR
    with organization_scope(organization_id):
        integration = _locked(integration_id)
        if integration is None or integration.status not in MENDABLE:
            return False
        if used is not None and _is_newer(integration, used):
            return False
        before = integration.status
        set_status(integration, status, error.message)
        integration.checked_at = timezone.now()
        integration.save(
            update_fields=["status", "status_reason", "status_changed_at", "checked_at", "updated_at"]
        )
        if before == status:
            return False
        audit.record(
            "integration.broken",
            actor=None,
            target=integration,
            before={"status": before},
            after={"status": status},
        )
        from integrations.tasks import tell_of_break  # it calls this module

        tell_of_break.defer(organization_id=str(organization_id), integration_id=str(integration_id))
    log.warning(
        "integration broken provider=%s integration=%s status=%s error=%s",
        integration.provider, integration_id, status, error.code or type(error).__name__,
    )  # fmt: skip
    return True


def mark_working(organization_id: UUID, integration_id: UUID, *, label: str = "") -> None:
    """Record a call that worked; an account in ERROR is healed by it. Opens its own scope."""
    with organization_scope(organization_id):
        integration = _locked(integration_id)
        if integration is None:
            return
        integration.checked_at = timezone.now()
        integration.account_label = label[:200] or integration.account_label
        fields = ["checked_at", "account_label"]
        if integration.status == Status.ERROR:
            heal(integration)
            fields += HEALED_FIELDS
        integration.save(update_fields=fields)


HEALED_FIELDS = ["status", "status_reason", "status_changed_at", "owner_notified_at", "updated_at"]


def heal(integration: Integration) -> None:
    """Make a row ACTIVE again and let what waited for it go on. In its scope; the caller saves HEALED_FIELDS."""
    set_status(integration, Status.ACTIVE, "")
    integration.owner_notified_at = None
    for hook in _on_healed:
        hook(integration.organization_id, integration.pk)


def set_status(integration: Integration, status: str, reason: str) -> None:
    """Set status and reason, and since when. The caller saves."""
    if integration.status != status:
        integration.status_changed_at = timezone.now()
    integration.status, integration.status_reason = status, reason[:300]


# --- Renewing -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Claim:
    usable: Usable
    lease: str
    connector: Connector
    auth: OAuth2
    is_good: bool  # the old token can still be used


def _fresh(
    organization_id: UUID,
    integration_id: UUID,
    *,
    ahead: timedelta = AHEAD,
    heals: bool = False,
    refused: str = "",
) -> Usable:
    give_up_at = time.monotonic() + WAIT_SECONDS
    while True:
        found = _read_or_claim(organization_id, integration_id, ahead, heals=heals, refused=refused)
        if isinstance(found, Usable):
            return found
        if isinstance(found, _Claim):
            return _renew(found)
        if time.monotonic() > give_up_at:
            raise TemporaryError(_("The connection is being renewed. We will try again."))
        time.sleep(LOOK_SECONDS)  # another worker is renewing a token that has ended


def _read_or_claim(
    organization_id: UUID, integration_id: UUID, ahead: timedelta, *, heals: bool, refused: str
) -> Usable | _Claim | None:
    """Return the account, or the right to renew its token; None while another worker renews one that has ended."""
    with organization_scope(organization_id):
        integration = Integration.objects.get(pk=integration_id)
        _refuse_broken(integration, heals=heals)
        usable = opened(integration)
        if not _is_due(integration, usable, ahead, refused):
            return usable
        connector = registry.get(integration.provider)
        auth = connector.auth_for(usable.credentials)
        if not isinstance(auth, OAuth2):
            return usable
        is_renewable = auth.grant == "client_credentials" or usable.credentials.get("refresh_token")
        if not is_renewable and not _has_ended(integration):
            return usable  # it lasts until it ends, and then a person is asked
        # Only now the lock: the usual call neither waits nor makes others wait.
        locked = _locked(integration_id)
        if locked is None:
            raise Integration.DoesNotExist
        _refuse_broken(locked, heals=heals)
        usable = opened(locked)
        now = timezone.now()
        if not _is_due(locked, usable, ahead, refused):
            return usable
        if locked.refresh_until and locked.refresh_until > now:
            return None if refused or _has_ended(locked) else usable
        locked.refresh_lease, locked.refresh_until = secrets.token_hex(16), now + LEASE
        locked.save(update_fields=["refresh_lease", "refresh_until"])
        is_good = not refused and not _has_ended(locked)
        return _Claim(usable, locked.refresh_lease, connector, auth, is_good)


def _renew(claim: _Claim) -> Usable:
    usable = claim.usable
    client_id, client_secret = app_of(claim.connector, claim.auth, usable.credentials)
    try:
        tokens = call(
            lambda client: oauth.refresh(
                claim.connector,
                claim.auth,
                credentials=usable.credentials,
                client_id=client_id,
                client_secret=client_secret,
                account=usable.account,
                client=client,
            )
        )
    except TemporaryError:
        _release(claim)
        if claim.is_good:
            return usable  # the next use tries again
        raise
    except ConnectorError as error:
        _release(claim)
        mark_broken(usable.organization_id, usable.id, error)
        raise NotUsable(error.message, integration_id=usable.id) from None
    except BaseException:
        _release(claim)
        raise
    with organization_scope(usable.organization_id):
        integration = _locked(usable.id)
        if integration is None:
            raise Integration.DoesNotExist
        if integration.refresh_lease != claim.lease:
            # It was reconnected, or taken over, meanwhile: what is stored is newer than ours.
            return opened(integration)
        store.write(integration, {**tokens.credentials, RENEWED_AT: timezone.now().isoformat()})
        integration.settings = {**integration.settings, **tokens.account}
        integration.expires_at = tokens.expires_at
        integration.refresh_lease, integration.refresh_until = "", None
        fields = ["credentials", "settings", "expires_at", "refresh_lease", "refresh_until", "updated_at"]
        if integration.status == Status.ERROR:
            heal(integration)
            fields = sorted({*fields, *HEALED_FIELDS})
        integration.save(update_fields=fields)
        return opened(integration)


def _is_newer(integration: Integration, used: Usable) -> bool:
    try:
        return store.read(integration) != dict(used.credentials)
    except DecryptionFailed:
        return False


def _release(claim: _Claim) -> None:
    with organization_scope(claim.usable.organization_id):
        Integration.objects.filter(pk=claim.usable.id, refresh_lease=claim.lease).update(
            refresh_lease="", refresh_until=None
        )


def _is_due(integration: Integration, usable: Usable, ahead: timedelta, refused: str) -> bool:
    if refused:
        return usable.credentials.get("access_token") == refused
    return integration.expires_at is not None and integration.expires_at - timezone.now() < ahead


def _has_ended(integration: Integration) -> bool:
    return integration.expires_at is not None and integration.expires_at <= timezone.now()


def _refuse_broken(integration: Integration, *, heals: bool) -> None:
    if integration.status == Status.ACTIVE or (heals and integration.status == Status.ERROR):
        return
    if integration.status == Status.DISABLED:
        message = _("The connection “%(name)s” is switched off. Switch it on, and what waits for it goes on.")
    elif integration.status == Status.EXPIRED:
        message = _("The connection “%(name)s” no longer works. Reconnect it, and what waits for it goes on.")
    else:
        message = _("The connection “%(name)s” has a problem. Test it under Integrations.")
    raise NotUsable(message % {"name": integration.name}, integration_id=integration.pk)


def opened(integration: Integration) -> Usable:
    """Return an account as it is stored, renewed or not; in its scope. Raises PermanentError when it cannot be read."""
    try:
        credentials = store.read(integration)
    except DecryptionFailed as failed:
        log.error("credentials cannot be read integration=%s: %s", integration.pk, failed)
        raise PermanentError(
            _("The stored credentials of “%(name)s” cannot be read. Reconnect it.")
            % {"name": integration.name},
            detail=str(failed),
        ) from None
    return Usable(
        integration.pk,
        integration.organization_id,
        integration.provider,
        integration.name,
        integration.settings or {},
        credentials,
    )


def _locked(integration_id: UUID) -> Integration | None:
    return Integration.objects.select_for_update(of=("self",)).filter(pk=integration_id).first()
