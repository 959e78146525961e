"""Connecting by signing in at the service: what is kept while the person is away, and what comes back with them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from integrations import connecting
from integrations.calls import app_of, app_setting, app_variables, call
from integrations.credentials import key_ring
from integrations.framework import Connector, OAuth2, oauth, registry
from integrations.framework.auth import Auth
from integrations.framework.crypto import DecryptionFailed

SESSION_KEY = "oauth_flows"
SALT = "integrations.oauth"
SECONDS = (
    15 * 60
)  # as long as people take to sign in elsewhere, find a second factor, and read what they agree to
KEPT = 5  # tabs in which a person may be connecting at the same time


class FlowBroken(Exception):
    """The person came back with something we did not send them away with; `str()` says what to do."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One connecting that is under way. integration_id: the one that is reconnected, "" for a new one."""

    provider: str
    auth: str
    name: str
    account: Mapping[str, Any]
    integration_id: str
    verifier: str = field(repr=False)
    credentials: Mapping[str, Any] = field(repr=False, default_factory=dict)
    started_at: float = 0.0


def needs_sign_in(auth: Auth) -> bool:
    """Return whether the person is sent to the service to connect this way."""
    return isinstance(auth, OAuth2) and auth.grant == "authorization_code"


def missing_settings(connector: Connector, auth: Auth) -> list[tuple[str, ...]]:
    """Return the environment variables that must be set before anybody can sign in; each with its alternatives."""
    if not isinstance(auth, OAuth2) or not needs_sign_in(auth) or auth.own_app:
        return []
    return [
        app_variables(connector, name)
        for name in ("client_id", "client_secret")
        if not app_setting(connector, name)
    ]


def redirect_address() -> str:
    """Return the address that must be registered with our app at every service."""
    return settings.BASE_URL + reverse("integrations:oauth-callback")


def begin(
    request: HttpRequest,
    connector: Connector,
    auth: OAuth2,
    *,
    name: str,
    account: Mapping[str, Any],
    credentials: Mapping[str, Any],
    integration_id: str = "",
) -> str:
    """Return where to send the person, having kept what is needed when they come back.

    Raises ReconnectError when an account variable does not make a usable address.
    """
    nonce, verifier = secrets.token_urlsafe(24), oauth.new_verifier()
    state = signing.dumps(nonce, salt=SALT)
    address = oauth.authorization_url(
        auth,
        client_id=app_of(connector, auth, credentials)[0],
        redirect_uri=redirect_address(),
        state=state,
        verifier=verifier,
        account=account,
    )
    flow = Flow(connector.slug, auth.key, name, account, integration_id, verifier, credentials, time.time())
    flows = dict(request.session.get(SESSION_KEY, {}))
    # Encrypted, for sessions are ordinary rows and the verifier is half of a secret.
    flows[nonce] = key_ring().encrypt_json(asdict(flow), bound_to=_binding(request, nonce))
    request.session[SESSION_KEY] = dict(list(flows.items())[-KEPT:])
    return address


def take(request: HttpRequest) -> Flow:
    """Return the flow that the callback's state belongs to, which cannot be used again. Raises FlowBroken."""
    again = FlowBroken(_("This sign-in was not finished in time, or was finished already. Start again."))
    try:
        nonce = str(signing.loads(request.GET.get("state", ""), salt=SALT, max_age=SECONDS))
    except signing.BadSignature:
        raise again from None
    flows = dict(request.session.get(SESSION_KEY, {}))
    kept = flows.pop(nonce, None)
    # The session alone would let two callbacks at the same moment both find the flow.
    if kept is None or not cache.add(f"oauth-state/{nonce}", 1, SECONDS):
        raise again
    request.session[SESSION_KEY] = flows
    try:
        return Flow(**key_ring().decrypt_json(kept, bound_to=_binding(request, nonce)))
    except (DecryptionFailed, TypeError):
        raise again from None


def finish(flow: Flow, callback: Mapping[str, str]) -> connecting.Proved:
    """Turn what the service sent back into proved credentials. Calls the service: no scope.

    Raises ConnectorError, FlowBroken when the connector has changed meanwhile.
    """
    try:
        connector = registry.get(flow.provider)
    except KeyError:
        raise FlowBroken(_("This service can no longer be connected.")) from None
    auth = next((one for one in connector.auths if one.key == flow.auth), None)
    if not isinstance(auth, OAuth2):
        raise FlowBroken(_("This service is connected differently now. Start again."))
    client_id, client_secret = app_of(connector, auth, flow.credentials)
    tokens = call(
        lambda client: oauth.exchange(
            connector,
            auth,
            code=callback.get("code", ""),
            verifier=flow.verifier,
            redirect_uri=redirect_address(),
            client_id=client_id,
            client_secret=client_secret,
            account=flow.account,
            client=client,
            callback=callback,
        )
    )
    return connecting.prove(
        connector,
        auth,
        {**flow.credentials, **tokens.credentials},
        tokens.account,
        expires_at=tokens.expires_at,
    )


def _binding(request: HttpRequest, nonce: str) -> bytes:
    return f"oauth/{request.user.pk}/{nonce}".encode()
