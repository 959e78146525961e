"""Identity and tenancy: organizations, their people, invitations, API keys and the audit trail."""

from accounts.models.api_key import ApiKey
from accounts.models.audit import AuditEvent
from accounts.models.idempotent_answer import IdempotentAnswer
from accounts.models.invitation import Invitation
from accounts.models.organization import Organization
from accounts.models.user import User

__all__ = ["ApiKey", "AuditEvent", "IdempotentAnswer", "Invitation", "Organization", "User"]
