"""Saving a run as a test, with proposals for what it should demand."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from workflows.definition.schema import parse_definition
from workflows.definition.tree import places
from workflows.engine.interface import EffectCall, EffectClass, EffectKind
from workflows.models import Execution, SavedTest
from workflows.saved_tests.answers import RecordedAnswers
from workflows.saved_tests.assertions import step_of
from workflows.saved_tests.checking import SECONDS, check_all, rehearse, subject_of
from workflows.saved_tests.freeze import Frozen, NotFreezable, freeze
from workflows.saved_tests.secrecy import without_secrets
from workflows.trial import OutOfTime, Trial, sent_by

OUTWARD = {EffectKind.ACTION, EffectKind.HTTP, EffectKind.WORKFLOW, EffectKind.AI}
MAX_EFFECTS = 20  # steps whose calls are proposed as checks
FIELDS_PER_EFFECT = 3
SHORT = 200  # characters of a value that is proposed as a check
MAX_TESTS = 50  # of one workflow: publishing runs them all


def save_run(execution: Execution, user: User | None) -> SavedTest:
    """Make a test of a finished run and run it once against the draft; in the organization's scope.

    Raises NotFreezable.
    """
    present = SavedTest.objects.present().filter(workflow_id=execution.workflow_id)
    if present.count() >= MAX_TESTS:
        raise NotFreezable(
            _("A workflow may have %(count)s tests. Delete one that is no longer needed first.")
            % {"count": MAX_TESTS}
        )
    frozen = freeze(execution)
    test = SavedTest.objects.create(
        workflow=execution.workflow,
        name=_free_name(present),
        input=frozen.input,
        started=frozen.started,
        answers=frozen.answers,
        assertions=propose(execution, frozen),
        from_execution_id=execution.pk,
        created_by=user,
    )
    check_all(execution.workflow, [test])
    return test


def propose(execution: Execution, frozen: Frozen) -> list[dict[str, Any]]:
    """Return checks that the recorded definition itself passes: how it ends, its result, what it does outside."""
    subject = subject_of(execution.workflow, frozen.definition)
    answers = RecordedAnswers(frozen.answers)
    try:
        done = rehearse(subject, frozen.input, frozen.started, answers, seconds=SECONDS)
    except OutOfTime:
        raise NotFreezable(
            _("Repeating this run takes too long for a test. Save one with less data.")
        ) from None
    if answers.unanswered:
        raise NotFreezable(_("Parts of this run's answers are gone. Run it once more and save that run."))
    proposals: list[dict[str, Any]] = [{"about": "status", "is": done.outcome}]
    if done.outcome == "COMPLETED":
        proposals += _about_output(without_secrets(done.output))
    return proposals + _about_effects(frozen.definition, done)


def _about_output(output: Any) -> list[dict[str, Any]]:
    if output is None:
        return []
    if not isinstance(output, dict):
        return [_equals("{{ output }}", output)] if _is_short(output) else []
    short = {key: value for key, value in output.items() if _is_short(value) and key.isidentifier()}
    return [_equals(f"{{{{ output.{key} }}}}", value) for key, value in list(short.items())[:5]]


def _about_effects(definition: dict[str, Any], done: Trial) -> list[dict[str, Any]]:
    calls: dict[str, list[EffectCall]] = {}
    for call in done.calls:
        if call.kind in OUTWARD and call.effect_class is not EffectClass.READ:
            calls.setdefault(call.step_id, []).append(call)
    proposals: list[dict[str, Any]] = []
    for step, made in list(calls.items())[:MAX_EFFECTS]:
        paths = {call.path for call in made}
        proposals.append({"about": "calls", "step": step, "times": len(paths)})
        if len(paths) == 1:
            proposals += [
                {"about": "sent", "step": step, "field": field, "is": "equals", "to": value}
                for field, value in _told(made[0])[:FIELDS_PER_EFFECT]
            ]
    reached = {step_of(path) for path in done.records} | set(calls)
    not_reached = [place.step.id for place in places(parse_definition(definition)) if _acts(place.step)]
    proposals += [
        {"about": "calls", "step": step, "times": 0} for step in not_reached if step not in reached
    ][:MAX_EFFECTS]
    return proposals


def _told(call: EffectCall) -> list[tuple[str, Any]]:
    """Return (field, value) of what tells this call from another: a service's fields, an address and its data."""
    sent = without_secrets(sent_by(call))
    if not isinstance(sent, dict):
        return []
    if call.kind is EffectKind.HTTP:
        body = sent.get("json") if isinstance(sent.get("json"), dict) else sent.get("form")
        inner = [
            (f"{'json' if 'json' in sent else 'form'}.{key}", value) for key, value in (body or {}).items()
        ]
        pairs = [("url", sent.get("url")), *inner]
    else:
        pairs = list(sent.items())
    return [(key, value) for key, value in pairs if value not in ("", None) and _is_short(value)]


def _acts(step: Any) -> bool:
    return getattr(step, "type", "") in ("action", "http", "workflow") and not step.disabled


def _is_short(value: Any) -> bool:
    return not isinstance(value, dict | list) and len(str(value)) <= SHORT and "{{" not in str(value)


def _equals(template: str, value: Any) -> dict[str, Any]:
    return {"about": "value", "condition": {"value": template, "is": "equals", "to": value}}


def _free_name(present: Any) -> str:
    taken = set(present.values_list("name", flat=True))
    number = len(taken) + 1
    while (name := _("Test %(number)s") % {"number": number}) in taken:
        number += 1
    return name
