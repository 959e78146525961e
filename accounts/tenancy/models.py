"""The base of every model whose rows belong to one organization."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models

from accounts.tenancy.ids import uuid7
from accounts.tenancy.scope import current_scope


class OrganizationQuerySet(models.QuerySet[Any]):
    """Rows of the organization in scope."""

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> Any:
        objs = list(objs)
        for instance in objs:
            fill_organization(instance)
        return super().bulk_create(objs, *args, **kwargs)

    def newest_first(self) -> Self:
        """UUIDv7 keys are time-ordered, so the key is the order of creation."""
        return self.order_by("-id")


class OrganizationManager(models.Manager.from_queryset(OrganizationQuerySet)):  # type: ignore[misc]
    """Filters by the organization in scope, and raises NoOrganizationScope outside of one."""

    def get_queryset(self) -> OrganizationQuerySet:
        scope = current_scope()
        rows = super().get_queryset()
        return rows if scope.organization_id is None else rows.filter(organization_id=scope.organization_id)


class OrganizationOwned(models.Model):
    """A row of one organization: UUIDv7 key, organization, manager that refuses to work without a scope."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.CASCADE, db_index=False, related_name="+"
    )

    objects: ClassVar[Any] = OrganizationManager()

    class Meta:
        abstract = True
        # Related managers and cascades pass through the loud manager as well.
        base_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        fill_organization(self)
        super().save(*args, **kwargs)


def fill_organization(instance: models.Model) -> None:
    """Give a new row the organization in scope; a row of another organization is refused by PostgreSQL."""
    if getattr(instance, "organization_id", None) is None and (identifier := current_scope().organization_id):
        instance.organization_id = identifier  # type: ignore[attr-defined]
