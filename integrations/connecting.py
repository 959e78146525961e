"""What people do with an integration: connect, reconnect, rename, switch off and on, disconnect."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit
from accounts.models import User
from billing.entitlements import Limit, claim
from integrations import credentials as store
from integrations import health, inbound
from integrations.calls import app_of, call
from integrations.framework import (
    Connector,
    ConnectorError,
    OAuth2,
    ReconnectError,
    TemporaryError,
    oauth,
    registry,
)
from integrations.framework.auth import Auth
from integrations.framework.execute import test_connection
from integrations.models import Integration

log = logging.getLogger("integrations.connecting")
Status = Integration.Status


_on_reconnected: list[Callable[[UUID, UUID], Any]] = []
_farewells: list[Callable[[Integration], Iterable[Callable[[], None]]]] = []


def register_on_reconnected(hook: Callable[[UUID, UUID], Any]) -> None:
    """Call hook(organization_id, integration_id) when an account got new credentials: in its scope and transaction."""
    if hook not in _on_reconnected:
        _on_reconnected.append(hook)


def register_farewells(source: Callable[[Integration], Iterable[Callable[[], None]]]) -> None:
    """Let an app say what a service must be told when an account is disconnected.

    source(integration) is called in the scope that forgets it; what it returns is called afterwards, outside of it.
    """
    if source not in _farewells:
        _farewells.append(source)


class NameTaken(Exception):
    """Another connection to this service has the name."""


@dataclass(frozen=True, slots=True)
class Proved:
    """Credentials that a service has accepted. label: what it calls the account."""

    connector: Connector
    account: Mapping[str, Any]
    credentials: Mapping[str, Any] = field(repr=False)
    expires_at: datetime | None = None
    label: str = ""


def prove(
    connector: Connector,
    auth: Auth,
    credentials: Mapping[str, Any],
    account: Mapping[str, Any],
    *,
    expires_at: datetime | None = None,
) -> Proved:
    """Try credentials with the connector's cheap call and return what was learned. Calls the service: no scope.

    Raises ConnectorError; explain() turns it into a sentence for the person who connects.
    """
    credentials = {"auth": auth.key, **credentials}
    if isinstance(auth, OAuth2) and auth.grant == "client_credentials":
        tokens = call(
            lambda client: oauth.request_token(
                connector, auth, credentials=credentials, account=account, client=client
            )
        )
        credentials, expires_at = dict(tokens.credentials), tokens.expires_at
        account = {**account, **tokens.account}
    tested = call(lambda client: test_connection(connector, credentials, account, client=client))
    return Proved(connector, {**account, **tested.account}, credentials, expires_at, tested.label)


def explain(connector: Connector, error: ConnectorError) -> str:
    """Return what a person who is connecting should do about a failure."""
    if connector.transport is not None:
        return error.message  # they say which of server, port, encryption and password it is
    if isinstance(error, TemporaryError):
        return _("%(service)s could not be reached just now. Try again in a moment.") % {
            "service": connector.name
        }
    if isinstance(error, ReconnectError):
        return _(
            "%(service)s did not accept this. Check what you entered, and that it has not been withdrawn."
        ) % {"service": connector.name}
    return error.message


# --- In the organization's scope ----------------------------------------------------------------------------


def connect(proved: Proved, name: str, *, actor: User, request: HttpRequest) -> Integration:
    """Add an account. Raises LimitReached, or NameTaken for a name somebody chose; without one it gets a free name."""
    claim(actor.organization_id, Limit.INTEGRATIONS, counted)
    integration = Integration(
        organization=actor.organization,
        provider=proved.connector.provider,
        name=name or free_name(proved.connector, proved.label),
        created_by=actor,
    )
    _take(integration, proved)
    webhooks = inbound.webhooks_for_accounts(proved.connector)
    if webhooks is not None:
        inbound.address_of(integration)
    _save(integration, force_insert=True)
    audit.record(
        "integration.connected",
        actor=actor,
        target=integration,
        after={"provider": integration.provider, "account": integration.account_label},
        request=request,
    )
    return integration


def reconnect(integration: Integration, proved: Proved, *, actor: User, request: HttpRequest) -> bool:
    """Give an account new credentials and let what waited for it go on; return whether it is the same account."""
    row = _locked(integration)
    before, label = row.status, row.account_label
    account = {**row.settings, **proved.account}
    is_same = all(row.settings.get(key, value) == value for key, value in proved.account.items()) and (
        not label or not proved.label or label == proved.label
    )
    _take(row, proved)
    row.settings = account
    if is_same:
        inbound.expect_new_subscriptions(row)  # a secret that a person has entered at the service stays good
    else:
        row.webhook_state = ""
    row.refresh_lease, row.refresh_until = "", None
    health.heal(row)
    row.save()
    for hook in _on_reconnected:
        hook(row.organization_id, row.pk)
    audit.record(
        "integration.reconnected",
        actor=actor,
        target=row,
        before={"status": before, "account": label},
        after={"status": row.status, "account": row.account_label},
        request=request,
    )
    return is_same


def rename(integration: Integration, name: str, *, actor: User, request: HttpRequest) -> None:
    """Give it another name. Raises NameTaken."""
    before = integration.name
    integration.name = name
    _save(integration, update_fields=["name", "updated_at"])
    audit.record(
        "integration.renamed",
        actor=actor,
        target=integration,
        before={"name": before},
        after={"name": name},
        request=request,
    )


def disable(integration: Integration, *, actor: User, request: HttpRequest) -> None:
    """Switch it off: what needs it waits."""
    row = _locked(integration)
    if row.status == Status.DISABLED:
        return
    before = row.status
    health.set_status(
        row, Status.DISABLED, _("%(person)s switched it off.") % {"person": actor.name or actor.email}
    )
    row.save(update_fields=["status", "status_reason", "status_changed_at", "updated_at"])
    audit.record(
        "integration.disabled",
        actor=actor,
        target=row,
        before={"status": before},
        after={"status": row.status},
        request=request,
    )


def enable(integration: Integration, *, actor: User, request: HttpRequest) -> None:
    """Switch it on again, and let what waited for it go on. Raises LimitReached."""
    row = _locked(integration)
    if row.status != Status.DISABLED:
        return
    claim(actor.organization_id, Limit.INTEGRATIONS, counted)
    health.heal(row)
    row.save(update_fields=health.HEALED_FIELDS)
    audit.record(
        "integration.enabled",
        actor=actor,
        target=row,
        before={"status": Status.DISABLED},
        after={"status": row.status},
        request=request,
    )


def disconnect(integration: Integration, *, actor: User, request: HttpRequest) -> Revocation | None:
    """Forget the account and its credentials; return what to tell the service afterwards, outside of the scope."""
    revocation = _revocation(integration)
    audit.record(
        "integration.disconnected",
        actor=actor,
        target=integration,
        before={"provider": integration.provider, "account": integration.account_label},
        request=request,
    )
    integration.delete()
    return revocation


def counted() -> int:
    """Return how many integrations count against the plan: all but those that are switched off."""
    return int(Integration.objects.exclude(status=Status.DISABLED).count())


def free_name(connector: Connector, label: str) -> str:
    """Return a name that no other connection to this service has."""
    wanted = (label or connector.name)[:70]
    taken = set(Integration.objects.filter(provider=connector.provider).values_list("name", flat=True))
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted} {number}"
    return name


# --- Outside of a scope -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Revocation:
    """What is needed to tell a service to forget us. farewells: take back our addresses; auth: None without tokens."""

    connector: Connector
    auth: OAuth2 | None
    account: Mapping[str, Any]
    credentials: Mapping[str, Any] = field(repr=False)
    farewells: tuple[Callable[[], None], ...] = ()


def revoke(revocation: Revocation) -> bool:
    """Tell the service; return False when it was not reached: then the tokens end by themselves."""
    connector, auth = revocation.connector, revocation.auth
    for farewell in revocation.farewells:
        try:
            farewell()
        except ConnectorError as error:
            log.info("a subscription was left behind provider=%s error=%s", connector.provider, error.status)
    if auth is None:
        return True
    client_id, client_secret = app_of(connector, auth, revocation.credentials)
    try:
        return call(
            lambda client: oauth.revoke(
                connector,
                auth,
                credentials=revocation.credentials,
                client_id=client_id,
                client_secret=client_secret,
                account=revocation.account,
                client=client,
            )
        )
    except ConnectorError:
        return False


# --- Inner --------------------------------------------------------------------------------------------------


def _take(integration: Integration, proved: Proved) -> None:
    store.write(integration, proved.credentials)
    integration.settings = dict(proved.account)
    integration.account_label = proved.label[:200]
    integration.expires_at = proved.expires_at
    integration.checked_at = timezone.now()


def _save(integration: Integration, **options: Any) -> None:
    try:
        with transaction.atomic():
            integration.save(**options)
    except IntegrityError as error:
        if "integration_name_once" in str(error):
            raise NameTaken from None
        raise


def _locked(integration: Integration) -> Integration:
    row: Integration = Integration.objects.select_for_update(of=("self",)).get(pk=integration.pk)
    return row


def _revocation(integration: Integration) -> Revocation | None:
    try:
        connector = registry.get(integration.provider)
        credentials = store.read(integration)
    except (KeyError, store.DecryptionFailed):
        return None
    auth = connector.auth_for(credentials)
    farewells = tuple(farewell for source in _farewells for farewell in source(integration))
    revoked = auth if isinstance(auth, OAuth2) and auth.revoke_url else None
    if revoked is None and not farewells:
        return None
    return Revocation(connector, revoked, dict(integration.settings), credentials, farewells)
