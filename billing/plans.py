"""What each plan costs and allows, as data: the pages, the limits and Stripe's prices all come from here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Organization

CURRENCY = "usd"


class Limit(Enum):
    """Something a plan bounds. The value is the attribute of Plan that holds the figure (None: no bound)."""

    ACTIVE_WORKFLOWS = "active_workflows"
    INTEGRATIONS = "integrations"
    MONTHLY_RUNS = "monthly_runs"
    MEMBERS = "members"
    MONTHLY_AI_CENTS = "monthly_ai_cents"
    CONCURRENT_RUNS = "concurrent_runs"

    @property
    def noun(self) -> str:
        """Return the thing counted, for messages."""
        return str(LIMIT_NOUNS[self])


LIMIT_NOUNS = {
    Limit.ACTIVE_WORKFLOWS: _("active workflows"),
    Limit.INTEGRATIONS: _("integrations"),
    Limit.MONTHLY_RUNS: _("runs a month"),
    Limit.MEMBERS: _("people"),
    Limit.MONTHLY_AI_CENTS: _("of AI a month"),
    Limit.CONCURRENT_RUNS: _("runs at the same time"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """One row of the price list.

    monthly_cents, yearly_cents: US cents for a month and for a year paid at once. is_from: prices start there.
    retention_days: how long completed runs are kept at the most. Figures of None are unlimited.
    """

    code: str
    name: Any  # lazily translated texts
    tagline: Any
    monthly_cents: int
    yearly_cents: int
    is_from: bool
    active_workflows: int | None
    integrations: int | None
    monthly_runs: int | None
    members: int | None
    monthly_ai_cents: int | None
    concurrent_runs: int
    retention_days: int
    features: tuple[Any, ...]

    def allows(self, limit: Limit) -> int | None:
        """Return the figure of a limit, None for no bound."""
        figure = getattr(self, limit.value)
        return None if figure is None else int(figure)


PLANS: dict[str, Plan] = {
    Organization.Plan.STARTER: Plan(
        code=Organization.Plan.STARTER,
        name=_("Starter"),
        tagline=_("For one person who wants routine work off the desk."),
        monthly_cents=4_900,
        yearly_cents=49_000,
        is_from=False,
        active_workflows=5,
        integrations=3,
        monthly_runs=5_000,
        members=3,
        monthly_ai_cents=1_000,
        concurrent_runs=20,
        retention_days=90,
        features=(_("Every step type and template"), _("Approvals by e-mail"), _("Unlimited versions")),
    ),
    Organization.Plan.PROFESSIONAL: Plan(
        code=Organization.Plan.PROFESSIONAL,
        name=_("Professional"),
        tagline=_("For a team that runs its day on Steward."),
        monthly_cents=9_900,
        yearly_cents=99_000,
        is_from=False,
        active_workflows=25,
        integrations=10,
        monthly_runs=50_000,
        members=15,
        monthly_ai_cents=5_000,
        concurrent_runs=100,
        retention_days=180,
        features=(_("Everything in Starter"), _("Runs kept for half a year")),
    ),
    Organization.Plan.ENTERPRISE: Plan(
        code=Organization.Plan.ENTERPRISE,
        name=_("Enterprise"),
        tagline=_("For many teams, or more than anybody counts."),
        monthly_cents=29_900,
        yearly_cents=299_000,
        is_from=True,
        active_workflows=None,
        integrations=None,
        monthly_runs=None,
        members=None,
        monthly_ai_cents=None,
        concurrent_runs=500,
        retention_days=730,
        features=(
            _("Everything in Professional"),
            _("Runs kept for two years"),
            _("No limits on anything you build"),
        ),
    ),
}


def plan_of(organization: Organization) -> Plan:
    """Return the plan in force."""
    return PLANS[organization.plan]
