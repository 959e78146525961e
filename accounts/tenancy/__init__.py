"""Isolation of organizations: the only code that knows how it works."""

from accounts.tenancy.constraints import RowLevelSecurity, SameOrganization
from accounts.tenancy.ids import first_uuid7, uuid7, uuid7_moment
from accounts.tenancy.models import OrganizationManager, OrganizationOwned, OrganizationQuerySet
from accounts.tenancy.scope import (
    NoOrganizationScope,
    Scope,
    current_scope,
    organization_scope,
    system_scope,
    within,
)

__all__ = [
    "NoOrganizationScope",
    "OrganizationManager",
    "OrganizationOwned",
    "OrganizationQuerySet",
    "RowLevelSecurity",
    "SameOrganization",
    "Scope",
    "current_scope",
    "first_uuid7",
    "organization_scope",
    "system_scope",
    "uuid7",
    "uuid7_moment",
    "within",
]
