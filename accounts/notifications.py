"""What Steward writes to a person about, and what they chose."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class Notification(models.TextChoices):
    """Something a person may want an e-mail about."""

    RUN_FAILED = "run_failed", _("A run of a workflow failed")
    APPROVAL_ASKED = "approval_asked", _("A run waits for my answer")
    INTEGRATION_BROKEN = "integration_broken", _("An integration has to be reconnected")
    USAGE_HIGH = "usage_high", _("The plan's allowance is nearly used up")


def wants(person: User, notification: Notification) -> bool:
    """Return whether a person wants to be written to; everything until they say no."""
    return notification not in person.preferences.get("muted", [])


def choose(person: User, wanted: list[str]) -> None:
    """Remember what a person wants to be written to about; the caller saves `preferences`."""
    muted = [notification.value for notification in Notification if notification not in wanted]
    person.preferences = {**person.preferences, "muted": muted}
