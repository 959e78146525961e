"""The form of what holds for the whole workflow: limits, whom a failure tells, the result."""

from __future__ import annotations

from django.utils.translation import gettext as _

from workflows.drafting.fields import Field

TOP = ("settings", "output")


def settings_fields() -> list[Field]:
    """Return the fields of the settings without values."""
    budget = _("Where one run stops, whatever its steps want")
    return [
        Field(
            ("settings", "timeout"),
            _("Time limit of a run"),
            _("Waiting counts too."),
            "duration",
            example=_("1 hour"),
        ),
        Field(("settings", "concurrency"), _("Runs at the same time"), "", "integer", example="10"),
        Field(
            ("settings", "on_failure", "notify"),
            _("Tell about a failed run"),
            _("One a line: owner, admins, creator, or an e-mail address."),
            "lines",
            example="owner",
        ),
        Field(
            ("output",),
            _("Result of the run"),
            _("Empty: the result of the last step."),
            "value",
            is_templated=True,
        ),
        Field(
            ("settings", "budget", "tokens"), _("AI tokens"), "", "integer", group=budget, is_advanced=True
        ),
        Field(
            ("settings", "budget", "cost_cents"),
            _("AI cost, in cents"),
            "",
            "integer",
            group=budget,
            is_advanced=True,
        ),
        Field(
            ("settings", "budget", "steps"),
            _("Steps, rounds of loops counted"),
            "",
            "integer",
            group=budget,
            is_advanced=True,
        ),
    ]
