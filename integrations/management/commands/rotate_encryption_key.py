"""Encrypts every stored credential anew with the first key of ENCRYPTION_KEY."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from accounts.tenancy import system_scope
from integrations import credentials
from integrations.framework.crypto import DecryptionFailed, KeyRing
from integrations.models import EncryptionCanary, Integration


class Command(BaseCommand):
    """Works in small batches beside the running application. Stopped half-way, it goes on where it was."""

    help = (
        "Encrypts credentials anew with the first key of ENCRYPTION_KEY. Put the new key in front of the old one,"
        " restart everything, run this, and then take the old key out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=200, help="rows in one transaction")

    def handle(self, *args: Any, **options: Any) -> None:
        batch: int = options["batch"]
        current = credentials.key_ring().current
        credentials.ensure_canary()
        done, unreadable = self.rotate_integrations(current, batch)
        self.stdout.write(f"integrations: {done} encrypted anew with the key {current!r}")
        for name, rotate_some in credentials.other_rotations().items():
            count = 0
            while changed := self.rotate_others(rotate_some, batch):
                count += changed
            self.stdout.write(f"{name}: {count} encrypted anew")
        if unreadable:
            raise CommandError(
                "These integrations could not be read with any key and have to be reconnected: "
                + ", ".join(str(key) for key in unreadable)
            )
        EncryptionCanary.objects.exclude(pk=current).delete()
        self.stdout.write(f"Nothing needs another key than {current!r} any more.")

    def rotate_others(self, rotate_some: Callable[[KeyRing, int], int], batch: int) -> int:
        """Rotate one batch of another app's values; return how many."""
        with system_scope("rotate the encryption key"):
            return rotate_some(credentials.key_ring(), batch)

    def rotate_integrations(self, current: str, batch: int) -> tuple[int, list[UUID]]:
        """Return how many rows were encrypted anew, and the keys of those that no key opens."""
        done, unreadable = 0, list[UUID]()
        old = Q()
        for name in ("credentials", "webhook_state"):
            old |= ~Q(**{name: ""}) & ~Q(**{f"{name}__startswith": f"{current}:"})
        after: UUID | None = None
        while True:
            with system_scope("rotate the encryption key"):
                rows = Integration.objects.select_for_update(of=("self",)).filter(old).order_by("pk")
                if after is not None:
                    rows = rows.filter(pk__gt=after)
                found = list(rows[:batch])
                for row in found:
                    try:
                        credentials.rotate(row)
                    except DecryptionFailed:
                        unreadable.append(row.pk)
                        continue
                    # Not updated_at: nothing about the account has changed.
                    Integration.objects.filter(pk=row.pk).update(
                        credentials=row.credentials, webhook_state=row.webhook_state
                    )
                    done += 1
            if not found:
                return done, unreadable
            after = found[-1].pk
