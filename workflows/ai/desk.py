"""Who asks a model: the organization, the account, the run if there is one, and the caps that hold."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from psycopg import AsyncConnection

from integrations.framework.client import Client
from integrations.framework.errors import PermanentError
from integrations.health import Usable, acredentials_for_use
from workflows.ai.budget import Cap, Connections
from workflows.ai.marking import Marker
from workflows.definition.wording import gettext as _
from workflows.runner.connections import connect

AI_PROVIDERS = ("OPENAI", "ANTHROPIC", "GOOGLE_GEMINI", "COHERE")
ACCOUNT = """
SELECT id FROM integrations_integration
WHERE organization_id = %(organization)s AND provider = ANY(%(providers)s)
  AND (%(reference)s = '' OR id::text = %(reference)s OR name = %(reference)s)
ORDER BY status = 'ACTIVE' DESC, array_position(%(providers)s, provider::text), created_at LIMIT 1
"""
POLICY = "SELECT keep_content, redact FROM workflows_aipolicy WHERE organization_id = %s"


@dataclass(slots=True)
class Spent:
    """What one desk has used so far. micro: millionths of a US dollar."""

    input_tokens: int = 0
    output_tokens: int = 0
    micro: int = 0
    calls: int = 0

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens

    def as_cost(self) -> dict[str, Any]:
        """Return it as a step's cost."""
        return {
            "tokens": self.tokens,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "usd": self.micro / 1_000_000,
            "calls": self.calls,
        }


@dataclass(slots=True)
class Desk:
    """One step, or one request of a person, that asks models.

    connections: see workflows.ai.budget. key: the step's idempotency key; "" outside of a run, and then nothing is
    replayed. caps: besides the month's. max_tokens_left: how many tokens this desk may still use, None for no bound.
    is_charged False: what is asked costs the customer nothing (the price is recorded, no budget is touched).
    """

    organization_id: UUID
    connections: Connections
    client: Client
    account: Usable
    workflow_id: UUID | None = None
    execution_id: UUID | None = None
    path: str = ""
    key: str = ""
    attempt: int = 1
    caps: tuple[Cap, ...] = ()
    token_limit: int | None = None
    keep_content: bool = True
    redact: bool = False
    is_charged: bool = True
    timeout_seconds: float = 120.0
    turn: int = 0
    spent: Spent = field(default_factory=Spent)

    @property
    def marker(self) -> Marker:
        """Return the marker of this step: nobody can guess its nonce, and a replay has the same."""
        if not self.key:
            return Marker()
        text = f"ai-data:{self.key}:{self.attempt}".encode()
        return Marker(hmac.new(settings.SECRET_KEY.encode(), text, hashlib.sha256).hexdigest()[:16])


async def policy_of(connections: Connections, organization_id: UUID) -> tuple[bool, bool]:
    """Return (keep content, redact personal data) as the organization wants it."""
    async with connections() as connection:
        row = await (await connection.execute(POLICY, [organization_id])).fetchone()
    return (bool(row[0]), bool(row[1])) if row else (True, False)


async def ai_account(connections: Connections, organization_id: UUID, reference: str = "") -> Usable:
    """Return the AI account named by id or name, or the organization's first; opened for use.

    Raises PermanentError when there is none, NotUsable when a person has to act first.
    """
    parameters = {
        "organization": organization_id,
        "providers": list(AI_PROVIDERS),
        "reference": reference,
    }
    async with connections() as connection:
        row = await (await connection.execute(ACCOUNT, parameters)).fetchone()
    if row is None:
        raise PermanentError(
            _(
                "There is no AI account to work with. Connect OpenAI, Anthropic Claude, Google Gemini or Cohere under "
                "Integrations."
            )
        )
    return await acredentials_for_use(organization_id, row[0])


async def open_desk(
    organization_id: UUID,
    client: Client,
    *,
    reference: str = "",
    connections: Connections | None = None,
    **more: Any,
) -> Desk:
    """Return a desk outside of a run, for jobs; call it outside of any scope. more: other fields of Desk."""
    connections = connections or own_connection
    account = await ai_account(connections, organization_id, reference)
    keep, redact = await policy_of(connections, organization_id)
    return Desk(
        organization_id, connections, client, account, **{"keep_content": keep, "redact": redact, **more}
    )


@asynccontextmanager
async def own_connection() -> AsyncIterator[AsyncConnection[Any]]:
    """Give a connection that is closed afterwards: for work outside of the run worker."""
    connection = await connect()
    try:
        yield connection
    finally:
        await connection.close()
