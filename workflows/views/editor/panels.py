"""The forms of the side panel: look at a step, a trigger or the settings, and save what was typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.vary import vary_on_headers

from accounts.permissions import Permission, requires
from workflows import access, draft_text, step_trials
from workflows.drafting import conditions, forms, history, outline, places, previews, samples
from workflows.drafting.fields import Field, dumped
from workflows.drafting.forms import SETTINGS, STEP, TRIGGER, Sending, Subject
from workflows.drafting.operations import destination
from workflows.drafting.trigger_forms import DAYS, MODES, shown_schedule
from workflows.models import Trigger, Workflow
from workflows.queries import triggers as trigger_cards
from workflows.triggers import schedule
from workflows.views.editor import page
from workflows.views.editor.page import Draft, Panel
from workflows.views.editor.trial import capture_of
from workflows.views.parts import wants_part


@vary_on_headers("HX-Request")
@requires(Permission.EDIT_WORKFLOW)
def step(request: HttpRequest, workflow_id: UUID, step_id: str) -> HttpResponse:
    """Show and save the form of a step."""
    return _panel(request, workflow_id, Subject(STEP, step_id))


@vary_on_headers("HX-Request")
@requires(Permission.EDIT_WORKFLOW)
def trigger(request: HttpRequest, workflow_id: UUID, key: str) -> HttpResponse:
    """Show and save the form of a trigger."""
    return _panel(request, workflow_id, Subject(TRIGGER, key))


@vary_on_headers("HX-Request")
@requires(Permission.EDIT_WORKFLOW)
def settings(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Show and save what holds for the whole workflow."""
    return _panel(request, workflow_id, Subject(SETTINGS))


def _panel(request: HttpRequest, workflow_id: UUID, subject: Subject) -> HttpResponse:
    workflow = access.workflow_for(request, workflow_id, with_definition=True)
    try:
        if request.method == "POST":
            return _save(request, workflow, subject)
        return _show(request, workflow, subject)
    except places.NotThere as gone:
        messages.error(request, str(gone))
    except places.Refused:
        return redirect("workflows:edit-text", workflow.pk)
    return redirect("workflows:edit", workflow.pk)


def _show(
    request: HttpRequest,
    workflow: Workflow,
    subject: Subject,
    sending: Sending | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    draft = page.open_draft(workflow)
    return page.show(request, workflow, panel_of(draft, subject, sending), status=status, draft=draft)


def panel_of(draft: Draft, subject: Subject, sending: Sending | None = None) -> Panel:
    """Return the panel of a step, a trigger or the settings. Raises NotThere."""
    own = forms.own_of(draft.document, subject)
    fields = sending.fields if sending else forms.fields_of(own, subject, draft.document)
    fields = _with_problems(draft, subject, fields)
    titles = {card.id: card.title for card in draft.outline.cards()}
    sample = cache(lambda: samples.sample_of(draft.workflow, draft.document, subject))
    fields = previews.with_previews(fields, sample, titles)
    context: dict[str, Any] = {
        "subject": subject,
        "values_url": _values_address(draft.workflow, subject),
        "own": own,
        "base": dumped(own),
        "fields": [each for each in fields if not each.is_advanced],
        "advanced": [each for each in fields if each.is_advanced],
        "advanced_open": any(
            each.is_advanced and (each.errors or each.in_conflict or each.extra.get("is_open"))
            for each in fields
        ),
        "advanced_used": sum(
            1 for each in fields if each.is_advanced and each.has_value and each.key != "id"
        ),
        "sending": sending,
        "conflicts": sending.conflicts if sending else [],
        "form_errors": sending.errors if sending else {},
    }
    if subject.kind == STEP:
        card = draft.outline.card(subject.key)
        spot = places.find(draft.document, subject.key)
        moves = {each: can_move(draft, subject.key, each) for each in ("up", "down", "into", "out")}
        context |= {
            "card": card,
            "copied": json.dumps(draft_text.ordered(spot.step), indent=2, ensure_ascii=False),
            "moves": moves,
            **_about_trial(sample, spot.step),
            "lanes": isinstance(spot.step.get("branches"), list),
        }
        return Panel("step", selected=subject.key, context=context)
    if subject.kind == TRIGGER:
        card = next(each for each in draft.outline.triggers if each.id == subject.key)
        context |= {"card": card, **_about_trigger(draft.workflow, subject.key, own)}
        return Panel("trigger", selected_trigger=subject.key, context=context)
    return Panel("settings", context=context)


def _about_trial(sample: Callable[[], samples.Sample], step: places.Step) -> dict[str, Any]:
    if not step_trials.can_be_tried(step):
        return {}
    return {
        "can_be_tried": True,
        "may_send": step.get("type") in step_trials.SENDS,
        "trial_source": lambda: sample().started.words,  # asked for by the page, not by each pause in typing
    }


def can_move(draft: Draft, step_id: str, direction: str) -> bool:
    """Return whether a step can move by one place in a direction."""
    return destination(draft.document, step_id, direction) is not None


def _save(request: HttpRequest, workflow: Workflow, subject: Subject) -> HttpResponse:
    person = access.person(request)
    kept: dict[str, Any] = {}
    act, name, path = ([*request.POST.get("shape", "").split("|"), "", ""])[:3]
    sent = conditions.without(request.POST, name, path) if act == "remove" else request.POST

    def change(document: places.Document) -> places.Document:
        sending = kept["sending"] = forms.receive(document, subject, sent)
        kept["key"] = subject.key
        if sending.own is None:
            return document
        wished = str(sent.get("f:id", "")).strip() if subject.kind == STEP else ""
        new_id = wished if wished != subject.key else ""
        try:
            document, kept["key"] = forms.store(document, subject, sending.own, new_id)
        except places.Refused as refused:
            where = (
                "id"
                if new_id and sending.own.get("on_error") == forms.own_of(document, subject).get("on_error")
                else "on_error"
            )
            _refuse(sending, where, str(refused))
        return document

    stored = history.apply(
        workflow,
        person,
        _("Form changed"),
        change,
        seen=page.number(request, "revision"),
        subject=subject.name,
    )
    sending: Sending = kept["sending"]
    subject = Subject(subject.kind, kept["key"])
    if sending.conflicts:
        return _show(request, stored.workflow, subject, sending, status=422)
    if act and not sending.errors:
        return _reshaped(request, stored.workflow, subject, act, name, path)
    if (
        wants_part(request)
        and "done" not in sent
        and "save" not in sent
        and not sending.is_reshaped
        and kept["key"] == sent.get("key", kept["key"])
    ):
        return _saved_part(request, stored.workflow, subject, sending)
    if sending.errors:
        return _show(request, stored.workflow, subject, sending, status=422)
    page.tell(request, stored)
    if "done" in sent:
        return redirect("workflows:edit", workflow.pk)
    if not wants_part(request):
        messages.success(request, _("Saved as a draft."))
        return redirect(_address(workflow, subject))
    response = _show(request, stored.workflow, subject)
    response.headers["HX-Replace-Url"] = _address(workflow, subject)
    return response


def _reshaped(
    request: HttpRequest, workflow: Workflow, subject: Subject, act: str, name: str, path: str
) -> HttpResponse:
    """Show the form with a row or group of a condition less, or with an empty group more."""
    draft = page.open_draft(workflow)
    own = forms.own_of(draft.document, subject)
    fields = [
        replace(
            each,
            typed=conditions.with_new_group(each.shown, path) if act == "group" else None,
            extra={**each.extra, "is_open": True},
        )
        if each.name == name and each.kind == "condition"
        else each
        for each in forms.fields_of(own, subject, draft.document)
    ]
    panel = panel_of(draft, subject, Sending(own, fields))
    return page.show(request, workflow, panel, draft=draft)


def _refuse(sending: Sending, key: str, sentence: str) -> None:
    sending.errors[key] = sentence
    sending.fields = [
        replace(each, errors=(sentence,)) if each.key == key else each for each in sending.fields
    ]


def _address(workflow: Workflow, subject: Subject) -> str:
    if subject.kind == SETTINGS:
        return reverse("workflows:edit-settings", args=[workflow.pk])
    name = "workflows:edit-step" if subject.kind == STEP else "workflows:edit-trigger"
    return reverse(name, args=[workflow.pk, subject.key])


def _values_address(workflow: Workflow, subject: Subject) -> str:
    if subject.kind == SETTINGS:
        return reverse("workflows:edit-values-settings", args=[workflow.pk])
    return reverse("workflows:edit-values", args=[workflow.pk, subject.kind, subject.key])


def _saved_part(request: HttpRequest, workflow: Workflow, subject: Subject, sending: Sending) -> HttpResponse:
    """Answer a pause in typing: the list, the sentences beside the fields and the state, but not the fields."""
    draft = page.open_draft(workflow)
    panel = panel_of(draft, subject, sending)
    undo, redo = history.reach(workflow, access.person(request))
    context = {
        "workflow": workflow,
        "draft": draft,
        "outline": draft.outline,
        "panel": panel,
        "undo": undo,
        "redo": redo,
        "errors": [problem for problem in draft.problems if problem.severity == "error"],
        "is_part": True,
        "state": "partly" if sending.errors else "saved",
        **panel.context,
    }
    response = render(request, "workflows/editor/saved.html", context)
    response.headers["HX-Trigger"] = "steward:saved"
    return response


def _with_problems(draft: Draft, subject: Subject, fields: list[Field]) -> list[Field]:
    """Put each problem of the draft to its field; the rest stays with the card."""
    found: dict[str, list[str]] = {}
    for problem in draft.problems:
        owner = outline.owner_of(draft.document, problem)
        if owner is None or problem.severity != "error":
            is_ours = subject.kind == SETTINGS and problem.location[:1] in (("settings",), ("output",))
            key = ".".join(str(part) for part in problem.location) if is_ours else ""
        else:
            key = owner[2] if (owner[0], owner[1]) == (subject.kind, subject.key) else ""
        target = next((each.key for each in fields if key and forms.is_about(key, each.key)), "")
        if target:
            found.setdefault(target, []).append(outline.field_words(problem))
    return [
        replace(each, errors=tuple(dict.fromkeys((*each.errors, *found.get(each.key, ())))))
        if each.key in found and not each.errors
        else each
        for each in fields
    ]


def _about_trigger(workflow: Workflow, key: str, own: dict[str, Any]) -> dict[str, Any]:
    about: dict[str, Any] = {}
    if own.get("type") in ("webhook", "form"):
        row = Trigger.objects.filter(workflow=workflow, key=key).first()
        about["address"] = next(
            (card.url for card in trigger_cards.cards_of(workflow) if row and card.trigger.pk == row.pk), ""
        )
        if row is not None and row.kind == Trigger.Kind.WEBHOOK:
            about["capture"] = capture_of(workflow, row)
    if own.get("type") == "schedule":
        about |= {"schedule": shown_schedule(own), "modes": MODES, "days": DAYS}
        try:
            about["fires"] = schedule.preview(
                own, 5, after=timezone.now(), timezone=workflow.organization.timezone
            )
        except schedule.ScheduleInvalid as invalid:
            about["fires_error"] = str(invalid)
    return about
