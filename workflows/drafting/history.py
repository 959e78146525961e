"""The database side of the editor: a change of the draft under its lock, and taking changes back and forth again.

Changes are made to the draft as it is now, by step id, so two people at different steps never meet. Undo merges the
difference that a change made backwards into the present draft: what others did since stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from workflows import draft_text, publishing
from workflows.definition.merge import three_way_merge
from workflows.definition.parts import same_json
from workflows.drafting.places import Document, NotThere, Refused, fault
from workflows.drafting.references import Broken, newly_broken
from workflows.models import DraftChange, Workflow

KEPT = 40  # changes per workflow
TYPING = timedelta(minutes=5)  # changes of the same form within it are one


@dataclass(frozen=True, slots=True)
class Stored:
    """What a change did. change: None when it changed nothing. others: somebody else saved since the page was made."""

    workflow: Workflow
    document: Document
    change: DraftChange | None
    broken: list[Broken]
    others: bool = False


def apply(
    workflow: Workflow,
    user: User,
    sentence: str,
    change: Callable[[Document], Document],
    *,
    seen: int = 0,
    subject: str = "",
) -> Stored:
    """Change the draft and keep the way back. Raises NotThere and Refused from `change`: then nothing is saved.

    sentence: what was done, for the undo list. seen: the revision on the person's page. subject: names a form, so that
    what is typed into it in one go is one change.
    """
    locked = Workflow.objects.select_for_update(of=("self",)).get(pk=workflow.pk)
    before = draft_text.document_of(locked)
    if problem := fault(before):
        raise Refused(problem)
    after = change(before)
    others = bool(seen) and seen != locked.revision
    if same_json(before, after):
        return Stored(locked, before, None, [], others)
    saved = _save(locked, after, user)
    made = remember(saved, user, sentence, before, subject=subject)
    return Stored(saved, draft_text.document_of(saved), made, newly_broken(before, after), others)


def remember(
    workflow: Workflow, user: User, sentence: str, before: Document, *, subject: str = ""
) -> DraftChange:
    """Keep what a saved change did, for undo. What was taken back before can no longer be repeated."""
    after = draft_text.document_of(workflow)
    mine = DraftChange.objects.filter(workflow=workflow, user=user)
    mine.filter(is_undone=True).delete()
    last = mine.order_by("-id").first() if subject else None
    if (
        last is not None
        and last.subject == subject
        and same_json(last.after, before)
        and timezone.now() - last.created_at < TYPING
    ):
        last.after = after
        last.save(update_fields=["after"])
        return last
    made: DraftChange = DraftChange.objects.create(
        workflow=workflow,
        user=user,
        sentence=sentence[:200],
        subject=subject[:80],
        before=before,
        after=after,
    )
    rows = DraftChange.objects.filter(workflow=workflow).order_by("-id")
    DraftChange.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[KEPT : KEPT + 100])).delete()
    return made


def undo(workflow: Workflow, user: User, change_id: UUID | None = None) -> DraftChange:
    """Take back the person's last change, or a certain one. Raises NotThere, Refused when others built on it."""
    rows = DraftChange.objects.filter(workflow=workflow, user=user, is_undone=False)
    found = (rows.filter(pk=change_id) if change_id else rows).order_by("-id").first()
    if found is None:
        raise NotThere(_("There is nothing to undo."))
    _replay(workflow, user, found, found.after, found.before)
    found.is_undone = True
    found.save(update_fields=["is_undone"])
    return found


def redo(workflow: Workflow, user: User) -> DraftChange:
    """Repeat what the person took back last. Raises NotThere, Refused."""
    found = DraftChange.objects.filter(workflow=workflow, user=user, is_undone=True).order_by("id").first()
    if found is None:
        raise NotThere(_("There is nothing to repeat."))
    _replay(workflow, user, found, found.before, found.after)
    found.is_undone = False
    found.save(update_fields=["is_undone"])
    return found


def reach(workflow: Workflow, user: User) -> tuple[str, str]:
    """Return the sentences of what undo and redo would do, "" where there is nothing."""
    rows = DraftChange.objects.filter(workflow=workflow, user=user)
    back = rows.filter(is_undone=False).order_by("-id").values_list("sentence", flat=True).first()
    forth = rows.filter(is_undone=True).order_by("id").values_list("sentence", flat=True).first()
    return back or "", forth or ""


def _replay(workflow: Workflow, user: User, change: DraftChange, start: Document, goal: Document) -> None:
    locked = Workflow.objects.select_for_update(of=("self",)).get(pk=workflow.pk)
    now = draft_text.document_of(locked)
    if same_json(now, start):
        _save(locked, goal, user)
        return
    steps, conflicts = three_way_merge(
        _without_triggers(start), _without_triggers(goal), _without_triggers(now)
    )
    triggers = _three_way(start.get("triggers"), goal.get("triggers"), now.get("triggers"))
    if conflicts or triggers is None:
        raise Refused(
            _("“%(change)s” can no longer be taken back or repeated: the same place was changed again since.")
            % {"change": change.sentence}
        )
    _save(locked, {**steps, "triggers": triggers}, user)


def _three_way(start: Any, goal: Any, now: Any) -> Any:
    if same_json(now, start) or same_json(now, goal):
        return goal
    return now if same_json(start, goal) else None


def _without_triggers(document: Document) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "triggers"}


def _save(locked: Workflow, document: Document, user: User) -> Workflow:
    definition, triggers, schedule = draft_text.parts_of(document)
    return publishing.save_draft(
        locked, definition, triggers=triggers, schedule=schedule, revision=locked.revision, user=user
    ).workflow
