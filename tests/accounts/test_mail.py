"""E-mail leaves after the commit, and in production by a worker that tries again."""

from __future__ import annotations

import smtplib
from typing import Any

import pytest
from django.core import mail as outgoing
from django.core.mail import EmailMessage
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import mail
from accounts.tasks import PATIENCE, deliver


def message() -> EmailMessage:
    return EmailMessage("Hello", "A text.", to=["ada@alder.example"])


def test_nothing_leaves_for_a_change_that_is_rolled_back(
    db: None, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        mail.send_message(message())
        transaction.set_rollback(True)
    assert outgoing.outbox == []
    with django_capture_on_commit_callbacks(execute=True):
        mail.send_message(message())
    assert len(outgoing.outbox) == 1


def test_a_mail_server_that_is_away_breaks_no_page(
    db: None, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Any, *args: Any) -> None:
        raise smtplib.SMTPServerDisconnected

    monkeypatch.setattr(EmailMessage, "send", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        mail.send_message(message())


def test_in_production_a_worker_sends_it(db: None, settings: Any) -> None:
    settings.MAIL_BY_WORKER = True
    mail.send_message(message())
    assert outgoing.outbox == []
    job = ProcrastinateJob.objects.get(task_name="accounts.deliver")
    assert job.args["to"] == ["ada@alder.example"]
    deliver(**job.args)
    assert [sent.subject for sent in outgoing.outbox] == ["Hello"]


def test_a_worker_tries_again_for_hours() -> None:
    attempts = PATIENCE.max_attempts or 0
    waits = [PATIENCE.wait + PATIENCE.exponential_wait ** (attempt + 1) for attempt in range(attempts)]
    assert waits[0] < 60
    assert sum(waits) > 2 * 3600


def test_a_message_of_ours_has_a_text_and_a_page(db: None, django_capture_on_commit_callbacks: Any) -> None:
    context = {
        "subject": "A line\nbreak",
        "organization": "Alder <Bakery>",
        "action_url": "https://steward.example/",
        "action_label": "Start again",
    }
    with django_capture_on_commit_callbacks(execute=True):
        mail.send("accounts/email/organization_erased", "ada@alder.example", context)
    sent = outgoing.outbox[0]
    assert sent.subject == "A line break"
    assert "https://steward.example/" in sent.body
    html = str(sent.alternatives[0][0])  # type: ignore[attr-defined]
    assert "<script" not in html
    assert 'href="https://steward.example/"' in html
