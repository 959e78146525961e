"""Brings the official templates into the gallery. Safe to repeat: ratings and popularity stay."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from templates_lib import official


class Command(BaseCommand):
    help = "Bring the official templates into the gallery. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = official.seed(official.read_all())
        except official.GalleryFileInvalid as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(
            f"Templates: {done.created} new, {done.updated} changed, {done.unchanged} as they were, "
            f"{done.withdrawn} taken out of the gallery."
        )
