"""Sending e-mail: rendered inside the transaction, sent once it is committed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string

from accounts.tasks import deliver


def send(template: str, to: str, context: dict[str, Any]) -> None:
    """Send `<template>.txt` and `<template>.html` to one address.

    context: must hold `subject`; `action_url` and `action_label` make the button.
    """
    message = EmailMultiAlternatives(
        " ".join(str(context["subject"]).split()), render_to_string(f"{template}.txt", context), to=[to]
    )
    message.attach_alternative(render_to_string(f"{template}.html", context), "text/html")
    send_message(message)


def send_message(message: EmailMessage) -> None:
    """Hand a message over: nothing leaves for a change that is rolled back, and no request waits for a mail server.

    A worker sends it and tries again while the mail server is away. A development server sends it by itself, so that
    a sign-up can be finished without a worker: its messages are printed.
    """
    if not settings.MAIL_BY_WORKER:
        transaction.on_commit(message.send, robust=True)
        return
    html = next((str(body) for body, kind in getattr(message, "alternatives", []) if kind == "text/html"), "")
    deliver.defer(to=list(message.to), subject=str(message.subject), text=str(message.body), html=html)
