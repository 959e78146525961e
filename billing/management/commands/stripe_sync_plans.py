"""Makes our plans known to Stripe."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.prices import synchronise
from billing.stripe_client import PaymentRefused, is_configured


class Command(BaseCommand):
    help = "Make the products and prices of billing.plans at Stripe. Safe to repeat; subscribers keep their price."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be made")

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_configured():
            raise CommandError("STRIPE_SECRET_KEY is not set: see .env.example.")
        try:
            done = synchronise(dry_run=options["dry_run"])
        except PaymentRefused as problem:
            raise CommandError(f"{problem} ({problem.__cause__})") from None
        verb = "would make" if options["dry_run"] else "made"
        for sentence in done:
            self.stdout.write(f"{verb} {sentence}")
        self.stdout.write("Stripe has our price list." if not done else f"{len(done)} changes.")
