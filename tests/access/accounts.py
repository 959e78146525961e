"""Who may open the pages of the accounts app."""

from __future__ import annotations

from typing import Any

from accounts.models import ApiKey, Invitation
from tests.access import EVERYONE, MANAGERS, OWNERS, PUBLIC, Rule
from tests.worlds import World


def a_viewer(world: World) -> list[Any]:
    return [world.viewer.pk]


def an_invitation(world: World, **fields: Any) -> list[Any]:
    number = Invitation.objects.count()
    made = Invitation.objects.create(
        organization=world.organization,
        email=f"guest{number}@new.example",
        token_hash=f"{world.organization.pk}{number}"[:64],
        **fields,
    )
    return [made.pk]


def a_revoked_invitation(world: World) -> list[Any]:
    return an_invitation(world, revoked_at=world.organization.created_at)


def a_key(world: World) -> list[Any]:
    key, _secret = ApiKey.issue(organization=world.organization, name="Website", scopes=["workflows:read"])
    return [key.pk]


RULES: dict[str, Rule] = {
    "team": Rule(EVERYONE),
    "invite": Rule(MANAGERS, method="POST", data={"email": "guest@new.example", "role": "MEMBER"}),
    "leave": Rule(EVERYONE),
    "ownership": Rule(OWNERS),
    "member": Rule(MANAGERS, a_viewer),
    "role": Rule(MANAGERS, a_viewer, method="POST"),
    "removal": Rule(MANAGERS, a_viewer, method="POST"),
    "invitation-resend": Rule(MANAGERS, an_invitation, method="POST"),
    "invitation-revoke": Rule(MANAGERS, an_invitation, method="POST"),
    "invitation-restore": Rule(MANAGERS, a_revoked_invitation, method="POST"),
    "invitation": PUBLIC,  # by its own token
    "settings": Rule(EVERYONE),
    "security": Rule(EVERYONE),
    "sessions-end": Rule(EVERYONE, method="POST"),
    "organization": Rule(MANAGERS),
    "organization-export": Rule(OWNERS),
    "organization-deletion": Rule(OWNERS),
    "keys": Rule(MANAGERS),
    "key-create": Rule(MANAGERS, method="POST", data={"name": "Website", "scopes": ["workflows:read"]}),
    "key-revoke": Rule(MANAGERS, a_key, method="POST"),
    "audit": Rule(MANAGERS),
    "audit-export": Rule(MANAGERS),
}
