"""What the API answered to a request that carried an Idempotency-Key, so that the same request sent again gets it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from accounts.models.api_key import ApiKey
from accounts.tenancy import OrganizationOwned, RowLevelSecurity, SameOrganization


class IdempotentAnswer(OrganizationOwned):
    """One answered request. It is written in the transaction of the change itself, so it exists when the change does.

    fingerprint: SHA-256 of method, path and body in hex. answer: {"status", "body", "headers"}.
    """

    api_key = models.ForeignKey(
        ApiKey, on_delete=models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    answer = models.JSONField(default=dict)
    expires_at = models.DateTimeField()

    class Meta(OrganizationOwned.Meta):
        indexes = [models.Index(fields=["expires_at"], name="idempotent_answer_expiry")]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["organization", "api_key", "key"], name="idempotent_answer_once"),
            SameOrganization(
                name="idempotent_answer_key_same_org",
                column="api_key_id",
                to="accounts_apikey",
                on_delete="CASCADE",
            ),
            RowLevelSecurity(name="idempotent_answer_rls"),
        ]

    def __str__(self) -> str:
        return self.key
