"""Background jobs of the accounts app."""

from __future__ import annotations

from uuid import UUID

from django.core.mail import EmailMultiAlternatives
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

# After 12 s at first, then ever later, for more than two hours: longer than a mail server is usually away.
PATIENCE = RetryStrategy(max_attempts=12, exponential_wait=2, wait=10)


@app.task(name="accounts.deliver", queue="mail", retry=PATIENCE)
def deliver(to: list[str], subject: str, text: str, html: str) -> None:
    """Send one message. html: may be empty."""
    message = EmailMultiAlternatives(subject, text, to=to)
    if html:
        message.attach_alternative(html, "text/html")
    message.send()


@app.task(name="accounts.erase_organization", queue="maintenance", retry=PATIENCE)
def erase_organization(organization_id: str) -> None:
    """Erase an organization that its owner has deleted; all or nothing, so it may be tried again."""
    from accounts.erasure import erase  # it sends e-mail, which needs this module

    erase(UUID(organization_id))
