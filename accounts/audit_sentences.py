"""The audit trail in plain words: one sentence for each kind of event."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.models import AuditEvent, User

# action -> what the person did. %(target)s: what it was done to; %(before_x)s, %(after_x)s: the changed values.
SENTENCES: dict[str, Any] = {
    "organization.created": _("created the organization"),
    "organization.changed": _("changed the settings of the organization"),
    "organization.changed_by_staff": _("changed the organization for you, as Steward's support"),
    "organization.exported": _("exported everything the organization owns"),
    "organization.ownership_transferred": _("made %(target)s an owner"),
    "member.role_changed": _("changed the role of %(target)s from %(before_role)s to %(after_role)s"),
    "member.removed": _("removed %(target)s (%(before_email)s) from the team"),
    "member.left": _("left the team"),
    "invitation.sent": _("invited %(after_email)s as %(after_role)s"),
    "invitation.resent": _("sent the invitation of %(target)s again"),
    "invitation.revoked": _("revoked the invitation of %(target)s"),
    "invitation.restored": _("restored the invitation of %(target)s"),
    "invitation.accepted": _("joined the team as %(after_role)s"),
    "key.created": _("created the API key %(target)s"),
    "key.revoked": _("revoked the API key %(target)s"),
    "security.password_changed": _("changed their password"),
    "security.email_changed": _("changed their e-mail address from %(before_email)s to %(after_email)s"),
    "security.factor_added": _("added a second factor (%(after_kind)s)"),
    "security.factor_removed": _("removed a second factor (%(before_kind)s)"),
    "security.factor_reset": _("made new recovery codes"),
    "security.account_connected": _("connected a %(after_provider)s account for signing in"),
    "security.account_disconnected": _("disconnected a %(before_provider)s account"),
    "security.sessions_ended": _("signed out on other devices"),
    "audit.exported": _("exported the audit trail"),
    "workflow.created": _("created the workflow %(target)s"),
    "workflow.changed": _("changed the settings of the workflow %(target)s"),
    "workflow.published": _("published the workflow %(target)s"),
    "workflow.published_anyway": _(
        "published the workflow %(target)s although tests failed: %(after_failed_tests)s"
    ),
    "workflow.test_saved": _("saved a run as the test %(target)s"),
    "workflow.test_changed": _("changed the test %(target)s"),
    "workflow.test_switched": _("switched the test %(target)s on or off"),
    "workflow.test_deleted": _("deleted the test %(target)s"),
    "workflow.test_restored": _("brought the test %(target)s back"),
    "workflow.restored": _("restored an earlier version of the workflow %(target)s"),
    "workflow.activated": _("switched the workflow %(target)s on"),
    "workflow.resumed": _("switched the workflow %(target)s on"),
    "workflow.paused": _("paused the workflow %(target)s"),
    "workflow.paused_by_staff": _("paused the workflow %(target)s, as Steward's support"),
    "workflow.archived": _("archived the workflow %(target)s"),
    "workflow.unarchived": _("took the workflow %(target)s out of the archive"),
    "workflow.assigned": _("changed who works with the workflow %(target)s"),
    "workflow.deleted": _("deleted the workflow %(target)s"),
    "workflow.installed": _("installed the workflow %(target)s from a template"),
    "workflow.updated_from_template": _("brought the workflow %(target)s to its template's newest version"),
    "run.cancelled": _("cancelled %(target)s"),
    "run.resumed": _("went on with a run as %(target)s"),
    "run.restarted": _("repeated a run as %(target)s"),
    "run.forked": _("branched a run off as %(target)s"),
    "run.bulk_cancel": _("cancelled runs in one go: %(after_runs)s"),
    "run.bulk_resume": _("went on with runs in one go: %(after_runs)s"),
    "run.bulk_restart": _("repeated runs in one go: %(after_runs)s"),
    "run.bulk_restart_newest": _("repeated runs with the newest version in one go: %(after_runs)s"),
    "run.bulk_stopped": _("stopped an action on many runs: %(target)s"),
    "approval.answered": _("answered %(target)s"),
    "integration.connected": _("connected the integration %(target)s"),
    "integration.reconnected": _("reconnected the integration %(target)s"),
    "integration.changed": _("changed the integration %(target)s"),
    "integration.disabled": _("switched the integration %(target)s off"),
    "integration.enabled": _("switched the integration %(target)s on"),
    "integration.tested": _("tested the integration %(target)s"),
    "integration.deleted": _("removed the integration %(target)s"),
    "integration.removed": _("removed the integration %(target)s"),
    "plan.changed": _("changed the plan from %(before_plan)s to %(after_plan)s"),
    "plan.granted": _("gave you the plan %(after_plan)s until %(after_until)s, as Steward's support"),
    "subscription.started": _("subscribed to the plan %(after_plan)s"),
    "subscription.changed": _("changed the subscription"),
}
# The first word of an action -> the group a filter offers.
GROUPS: dict[str, Any] = {
    "organization": _("Organization"),
    "member": _("Team members"),
    "invitation": _("Invitations"),
    "key": _("API keys"),
    "security": _("Sign-in and security"),
    "workflow": _("Workflows"),
    "run": _("Runs"),
    "approval": _("Approvals"),
    "integration": _("Integrations"),
    "template": _("Templates"),
    "plan": _("Plan"),
    "subscription": _("Subscription"),
    "audit": _("Audit trail"),
}
ICONS = {
    "organization": "building-2",
    "member": "users",
    "invitation": "mail",
    "key": "key-round",
    "security": "shield-check",
    "workflow": "workflow",
    "run": "activity",
    "approval": "inbox",
    "integration": "plug",
    "template": "shapes",
    "plan": "credit-card",
    "subscription": "credit-card",
    "audit": "scroll-text",
}


def sentence(event: AuditEvent) -> str:
    """Return what happened, to be read after the name of who did it. An unknown kind is named by its parts."""
    words: defaultdict[str, Any] = defaultdict(lambda: "–", target=event.target_label or "–")
    for side, values in (("before", event.before), ("after", event.after)):
        words |= {f"{side}_{name}": _shown(value) for name, value in (values or {}).items()}
    if event.action in SENTENCES:
        return str(SENTENCES[event.action] % words)
    noun, _dot, verb = event.action.partition(".")
    return _now("%(verb)s %(noun)s %(target)s") % {
        "verb": verb.replace("_", " "),
        "noun": str(GROUPS.get(noun, noun)).lower(),
        "target": event.target_label,
    }


def details(event: AuditEvent) -> list[tuple[str, str, str]]:
    """Return (what, before, after) for each changed value, for those who want it exactly."""
    before, after = event.before or {}, event.after or {}
    names = sorted({*before, *after})
    return [(name.replace("_", " "), _shown(before.get(name)), _shown(after.get(name))) for name in names]


def icon_of(event: AuditEvent) -> str:
    """Return the icon of an event's kind."""
    return ICONS.get(event.action.partition(".")[0], "circle-dot")


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if value in User.Role.values:
        return str(User.Role(value).label)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
