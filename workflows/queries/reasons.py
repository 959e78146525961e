"""Why a run failed or waits, in a sentence with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from workflows.models import Approval, Execution
from workflows.queries.timeline import step_words


@dataclass(frozen=True, slots=True)
class Reason:
    """A title, a sentence, and the page that helps, if any."""

    title: str
    text: str
    url: str = ""
    action: str = ""
    tone: str = "danger"
    detail: str = ""
    path: str = ""  # of the step it is about


def why_ended(execution: Execution) -> Reason | None:
    """Return why a run failed, was cancelled or timed out; None for one that is fine."""
    error = execution.error if isinstance(execution.error, dict) else {}
    message = str(error.get("message") or "")
    step, detail = str(error.get("step") or ""), str(error.get("detail") or "")
    match execution.status:
        case Execution.Status.TIMEOUT:
            title = _("It took longer than it may")
            advice = _(
                "Resume it to go on where it stopped, or raise the timeout in the workflow's settings."
            )
            return Reason(title, f"{message} {advice}".strip(), detail=detail)
        case Execution.Status.CANCELLED:
            return Reason(
                _("Cancelled"),
                message or _("Somebody stopped this run. What was done stays done."),
                tone="info",
            )
        case Execution.Status.FAILED:
            title = (
                _("Step “%(step)s” failed") % {"step": step_words(execution, step)}
                if step
                else _("The run failed")
            )
            url, action = _help_page(error)
            return Reason(title, f"{message} {_advice(error)}".strip(), url, action, detail=detail, path=step)
        case _:
            return None


def remedies(execution: Execution) -> list[str]:
    """Return what helps a failed run at its step, best first: "reconnect", "fix" (in the editor), "resume"."""
    if execution.status not in (Execution.Status.FAILED, Execution.Status.TIMEOUT):
        return []
    error = execution.error if isinstance(execution.error, dict) else {}
    return {
        "reconnect": ["reconnect", "resume"],
        "permanent": ["fix"],
    }.get(str(error.get("class") or ""), ["resume", "fix"])


def why_waiting(execution: Execution) -> list[Reason]:
    """Return what a waiting run waits for."""
    if execution.status != Execution.Status.WAITING:
        return []
    conditions = execution.waiting_for if isinstance(execution.waiting_for, list) else []
    found = [
        replace(_condition(execution, each), path=str(each.get("path") or ""))
        for each in conditions
        if isinstance(each, dict)
    ]
    return found[:10] or [Reason(_("Waiting"), _("It goes on by itself."), tone="info")]


def _condition(execution: Execution, condition: dict[str, Any]) -> Reason:
    kind, key = condition.get("kind"), str(condition.get("key") or "")
    match kind:
        case "approval" | "uncertain_effect":
            title = _("Somebody must decide")
            if kind == "uncertain_effect":
                title = _("Somebody must say whether a call happened")
            url = _approval_url(execution, condition, key)
            return Reason(
                title,
                _("It goes on as soon as the question is answered."),
                url,
                _("Open the question"),
                "warning",
            )
        case "held_integration":
            text = _("A connection must be renewed. Nothing is lost: it goes on by itself afterwards.")
            return Reason(
                _("A service needs attention"),
                text,
                _page("integrations:gallery"),
                _("Open integrations"),
                "warning",
            )
        case "plan_limit":
            text = _("The plan's limit was reached. It starts by itself when there is room again.")
            return Reason(
                _("Held by the plan"), text, _page("billing:overview"), _("See the plan"), "warning"
            )
        case "overlap":
            return Reason(
                _("Waiting for its turn"),
                _("The run before is still going; this one starts after it."),
                tone="info",
            )
        case "child":
            return Reason(
                _("Another workflow works on it"), _("It goes on when that run is done."), tone="info"
            )
        case "wait":
            return Reason(
                _("Waiting for another system"),
                _("It goes on when its one-time address is called."),
                tone="info",
            )
        case _:
            text = _("It goes on by itself.")
            if execution.wake_at:
                moment = date_format(localtime(execution.wake_at), "DATETIME_FORMAT")
                text = _("It goes on by itself on %(moment)s.") % {"moment": moment}
            return Reason(_("Waiting"), text, tone="info")


def _approval_url(execution: Execution, condition: dict[str, Any], key: str) -> str:
    asked = (
        Approval.objects.pending()
        .filter(execution=execution, path=condition.get("path") or "")
        .only("pk", "organization_id")
    )
    approval = asked.first()
    return reverse("workflows:approval", args=[approval.pk]) if approval else reverse("workflows:approvals")


def _advice(error: dict[str, Any]) -> str:
    return {
        "temporary": _("This often passes by itself: resume the run to try this step again."),
        "permanent": _("Correct the step or the data, publish, then restart with the newest version."),
        "reconnect": _("Renew the connection, then resume the run."),
        "platform": _("That was our fault, not yours. Resume the run; the finished steps are kept."),
        "timeout": _("Resume it to try again, or give the step more time."),
    }.get(str(error.get("class") or ""), "")


def _help_page(error: dict[str, Any]) -> tuple[str, str]:
    if error.get("class") == "reconnect":
        return _page("integrations:gallery"), _("Open integrations")
    return "", ""


def _page(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:  # an installation may leave an app's pages out
        return ""
