"""The way to Stripe: one client, keys for what may be sent twice, and errors in words a person can act on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from stripe import StripeClient

logger = structlog.get_logger(__name__)

SECONDS = 15  # what a person waits at most for one answer
RETRIES = 2  # by the library, with the same idempotency key


class PaymentRefused(Exception):
    """Stripe did not do what was asked; `str()` is a sentence for the person who asked."""


def is_configured() -> bool:
    """Return whether this installation takes payment at all."""
    return bool(settings.STRIPE_SECRET_KEY)


def client() -> StripeClient:
    """Return Stripe's client. Raises PaymentRefused where no key is set."""
    if not is_configured():
        raise PaymentRefused(_("Payment is not set up on this server."))
    return _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)


def idempotent(effect: str, parameters: Any) -> Any:
    """Return the options that make a request safe to repeat.

    effect: names the one thing that is to happen, such as `customer:<organization>`. The parameters are part of the
    key: Stripe refuses the same key for another request.
    """
    digest = hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).hexdigest()
    return {"idempotency_key": f"steward:{effect}:{digest[:24]}"[:255]}


@contextmanager
def in_plain_words() -> Iterator[None]:
    """Turn the library's errors into PaymentRefused; the details go to the log."""
    import stripe

    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        logger.warning("stripe does not answer", problem=type(error).__name__)
        raise PaymentRefused(
            _("Stripe does not answer at the moment. Nothing was changed; try again in a minute.")
        ) from error
    except stripe.CardError as error:
        raise PaymentRefused(
            error.user_message or _("The card was declined. Use another one, or ask your bank.")
        ) from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        logger.error("stripe refuses our key", problem=str(error))
        raise PaymentRefused(
            _("Payment is not set up correctly on this server. We have been told.")
        ) from error
    except stripe.StripeError as error:
        logger.error(
            "stripe refused a request", code=error.code, request=error.request_id, problem=str(error)
        )
        raise PaymentRefused(
            _("Stripe did not accept this. Nothing was changed; write to us if it happens again.")
        ) from error


@lru_cache(maxsize=4)
def _client(key: str, base: str) -> StripeClient:
    import stripe  # 30 MB that only paying needs

    addresses: Any = {"api": base} if base else {}
    return stripe.StripeClient(
        key,
        base_addresses=addresses,
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=SECONDS),
    )
