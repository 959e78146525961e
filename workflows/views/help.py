"""The help page: what Steward promises, how things are done, and the workflow language with an example of each step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from workflows.definition.steps import STEP_MODELS, StepBase
from workflows.definition.triggers import TRIGGER_MODELS, TriggerBase
from workflows.queries.recipe import LOOK

# Printed here and on the front page; each is held by tests.
PROMISES = (
    (
        "database",
        _("Accepted means saved"),
        _("An accepted trigger is on disk before we answer it. A 2xx means committed."),
    ),
    (
        "list-checks",
        _("Done is done"),
        _("A committed step never runs again. A run resumes at the step where it stopped."),
    ),
    (
        "shield-check",
        _("Nothing twice"),
        _(
            "An external call that may have happened is never repeated silently: it is resent only with the same "
            "idempotency key, or looked up, or a person is asked."
        ),
    ),
    ("timer", _("Nothing hangs"), _("No run stays unfinished past its deadline. Cancel always works.")),
    (
        "heart-handshake",
        _("Our faults are ours"),
        _("A fault of ours never disables your workflow and never rewrites a finished run."),
    ),
    (
        "users",
        _("Your data is yours"),
        _("One organization never sees another's data: the manager refuses, and PostgreSQL refuses again."),
    ),
    (
        "lock",
        _("Secrets stay secret"),
        _(
            "Credentials are encrypted (AES-256-GCM) and never leave the worker: not in logs, pages, exports, "
            "AI prompts."
        ),
    ),
    (
        "archive",
        _("One place, one backup"),
        _("Everything is in one PostgreSQL and one backup file, and the backup is proved by restoring it."),
    ),
)
EXAMPLES = json.loads((Path(__file__).parent / "help_examples.json").read_text(encoding="utf-8"))


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Show the help page; everybody may read it."""
    is_member = getattr(request.user, "organization_id", None) is not None
    context = {
        "layout": "base.html" if is_member else "base_signed_out.html",
        "promises": PROMISES,
        "steps": [_entry(name, model, StepBase, EXAMPLES["steps"]) for name, model in STEP_MODELS.items()],
        "triggers": [
            _entry(name, model, TriggerBase, EXAMPLES["triggers"]) for name, model in TRIGGER_MODELS.items()
        ],
        "common": _fields(StepBase, None),
        "expression": "Hi {{ trigger.body.name | capitalize | default: 'there' }}",
    }
    return render(request, "workflows/help.html", context)


def _entry(name: str, model: Any, base: Any, examples: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "icon": LOOK.get(name, ("zap", ""))[0],
        "about": (model.__doc__ or "").strip(),
        "fields": _fields(model, base),
        "example": json.dumps(examples[name], indent=2, ensure_ascii=False),
    }


def _fields(model: Any, base: Any) -> list[dict[str, Any]]:
    """Return the keys of a model that its base does not have: name, description and whether it must be given."""
    known = set(base.model_fields) if base else set()
    return [
        {"name": field.alias or name, "about": field.description or "", "required": field.is_required()}
        for name, field in model.model_fields.items()
        if name not in known and name != "type"
    ]
