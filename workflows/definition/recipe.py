"""A workflow told in plain sentences, one line per step, for previews and for people who do not read JSON."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from workflows.definition.conditions import describe, plain_name
from workflows.definition.durations import format_duration, parse_duration
from workflows.definition.problems import Location
from workflows.definition.schema import Definition
from workflows.definition.shapes import is_template
from workflows.definition.steps import (
    ActionStep,
    AiStep,
    ApprovalStep,
    BranchStep,
    CodeStep,
    DelayStep,
    HttpStep,
    LoopStep,
    ParallelStep,
    RepeatStep,
    RespondStep,
    SetStep,
    StepBase,
    StopStep,
    TransformStep,
    WaitStep,
    WorkflowStep,
)  # fmt: skip
from workflows.definition.tree import child_lists
from workflows.definition.triggers import (
    FormTrigger,
    ProviderTrigger,
    ScheduleTrigger,
    TriggerBase,
    WebhookTrigger,
)  # fmt: skip
from workflows.definition.wording import gettext as _

OperationTitle = Callable[[str, str], str]
"""(provider, operation) -> words like "Post a message to Slack", or "" when unknown."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line. depth: how far to indent, from 0. step_id: "" for triggers and headings of branches."""

    text: str
    depth: int = 0
    step_id: str = ""
    location: Location = ()


def recipe(
    definition: Definition, triggers: Sequence[TriggerBase] = (), title_of: OperationTitle | None = None
) -> list[Line]:
    """Return the workflow as lines: first what starts it, then each step, branches with a heading of their own."""
    lines = [Line(_sentence(trigger_line(trigger, title_of)), location=("triggers", index))
             for index, trigger in enumerate(triggers) if not trigger.disabled]  # fmt: skip
    _steps(definition.steps, 0, ("steps",), title_of or _plain_title, lines)
    return lines


def step_line(step: StepBase, title_of: OperationTitle | None = None) -> str:
    """Return one step as a sentence: "When the score is at least 80: post a message to Slack"."""
    act = _act(step, title_of or _plain_title)
    if step.condition is not None:
        return _("When {condition}: {act}").format(condition=describe(step.condition), act=_low(act))
    return _sentence(act)


def trigger_line(trigger: TriggerBase, title_of: OperationTitle | None = None) -> str:
    """Return what starts the workflow as a sentence."""
    if isinstance(trigger, WebhookTrigger):
        text = _("When another system calls the webhook")
    elif isinstance(trigger, ScheduleTrigger):
        text = (
            _("Every {length}").format(length=_long(trigger.every))
            if trigger.every
            else _cron_words(trigger.cron or "")
        )
    elif isinstance(trigger, ProviderTrigger):
        known = title_of(trigger.provider, trigger.event) if title_of else ""
        # A title names its service itself: "Google Drive: New file".
        service, _colon, event = known.rpartition(": ")
        text = _("When in {service}: {event}").format(
            service=service or _service(trigger.provider),
            event=_low(event or trigger.event.replace("_", " ")),
        )
    elif isinstance(trigger, FormTrigger):
        text = _("When somebody sends the form “{title}”").format(title=trigger.title)
    else:
        text = _("When a person starts it") if trigger.type == "manual" else _("When a program starts it")  # type: ignore[attr-defined]
    condition = getattr(trigger, "filter", None)
    return f"{text}, {_('if')} {describe(condition)}" if condition is not None else text


def _steps(
    steps: Sequence[StepBase], depth: int, location: Location, title_of: OperationTitle, lines: list[Line]
) -> None:
    for index, step in enumerate(steps):
        here = (*location, index)
        text = step_line(step, title_of)
        lines.append(
            Line(
                _("(switched off) {text}").format(text=text) if step.disabled else text, depth, step.id, here
            )
        )
        for name, _suffix, children, inside in child_lists(step):
            heading = _heading(step, name)
            if heading:
                lines.append(Line(heading, depth + 1, "", (*here, *inside)))
            _steps(children, depth + (2 if heading else 1), (*here, *inside), title_of, lines)


def _heading(step: StepBase, name: str) -> str:
    if name == "on_error":
        return _("If it fails:")
    if isinstance(step, BranchStep):
        if name == "otherwise":
            return _("Otherwise:")
        branch = next(each for each in step.branches if each.name == name)
        return _("When {condition}:").format(condition=describe(branch.when))
    if isinstance(step, ParallelStep):
        lane = next(each for each in step.branches if each.name == name)
        return _("At the same time, {name}:").format(name=lane.title or name.replace("_", " "))
    return ""


def _act(step: StepBase, title_of: OperationTitle) -> str:
    return _ACTS[type(step)](step, title_of)


def _action(step: ActionStep, title_of: OperationTitle) -> str:
    return title_of(step.provider, step.operation) or _plain_title(step.provider, step.operation)


def _http(step: HttpStep, _title_of: OperationTitle) -> str:
    try:
        host = urlsplit(step.url).hostname or ""
    except ValueError:
        host = ""
    target = _("an address") if not host or "{" in host else host
    if step.method in {"GET", "HEAD", "OPTIONS"}:
        return _("Fetch data from {target}").format(target=target)
    return _("Send data to {target}").format(target=target)


def _ai(step: AiStep, _title_of: OperationTitle) -> str:
    if step.operation == "classify":
        return _("Let AI choose one of {labels}").format(labels=", ".join(step.labels[:6]))
    if step.operation == "extract":
        fields = ", ".join(list((step.output_schema or {}).get("properties") or {})[:6]).replace("_", " ")
        return _("Let AI find {fields}").format(fields=fields) if fields else _("Let AI find facts in a text")
    if step.operation == "agent":
        return _("Let an AI agent work with {count} tools").format(count=len(step.tools))
    if step.operation == "transcribe":
        return _("Let AI write down what is said")
    return _("Let AI summarize") if step.operation == "summarize" else _("Let AI write a text")


def _set(step: SetStep, _title_of: OperationTitle) -> str:
    return _("Keep {names}").format(names=", ".join(step.values).replace("_", " ") or _("nothing"))


def _transform(step: TransformStep, _title_of: OperationTitle) -> str:
    items = _name(step.items if step.items is not None else step.value)
    words = {
        "filter": _("Keep only some of {items}"), "map": _("Make something of each of {items}"),
        "sort": _("Sort {items}"), "limit": _("Take the first of {items}"), "unique": _("Remove doubles from {items}"),
        "aggregate": _("Count up {items}"), "group": _("Group {items}"), "flatten": _("Join the lists in {items}"),
        "merge": _("Put together {items}"), "chunk": _("Divide {items} into parts"), "split": _("Split {items}"),
        "join": _("Join {items} to one text"), "text": _("Change the text {items}"),
        "parse_csv": _("Read {items} as a table"), "to_csv": _("Write {items} as a table"),
        "parse_json": _("Read {items} as data"), "to_json": _("Write {items} as data"), "date": _("Work out a date"),
    }  # fmt: skip
    text = words[step.operation].format(items=items)
    return f"{text}: {describe(step.where)}" if step.where is not None else text


def _delay(step: DelayStep, _title_of: OperationTitle) -> str:
    if step.for_:
        return _("Wait {length}").format(length=_long(step.for_))
    if step.until:
        return _("Wait until {moment}").format(
            moment=_name(step.until) if is_template(step.until) else step.until
        )
    return _("Wait for business hours")


def _approval(step: ApprovalStep, _title_of: OperationTitle) -> str:
    who = ", ".join(
        each.role.lower() if each.role is not None else _name(each.user) for each in step.assignees
    )
    title = _name(step.title) if is_template(step.title) else step.title
    return _("Ask {who} to approve: {title}").format(who=who or _("the owner"), title=title)


def _stop(step: StopStep, _title_of: OperationTitle) -> str:
    return {"failure": _("Stop as failed"), "cancelled": _("Stop as cancelled")}.get(
        step.outcome, _("Stop here")
    )


_ACTS: dict[type[StepBase], Callable[[Any, OperationTitle], str]] = {
    ActionStep: _action, HttpStep: _http, AiStep: _ai, SetStep: _set, TransformStep: _transform, DelayStep: _delay,
    ApprovalStep: _approval, StopStep: _stop,
    CodeStep: lambda step, _t: _("Run a short program"),
    BranchStep: lambda step, _t: _("Choose a way"),
    ParallelStep: lambda step, _t: _("Do {count} things at the same time").format(count=len(step.branches)),
    LoopStep: lambda step, _t: _("For each of {items}").format(items=_name(step.items)),
    RepeatStep: lambda step, _t: _("Repeat until {condition}, {count} times at most").format(
        condition=describe(step.until), count=step.max_times),
    WaitStep: lambda step, _t: _("Wait until another system answers"),
    WorkflowStep: lambda step, _t: _("Run another workflow"),
    RespondStep: lambda step, _t: _("Answer the webhook with status {status}").format(status=_name(step.status)),
}  # fmt: skip


def _name(value: Any) -> str:
    if isinstance(value, str):
        return plain_name(value) if is_template(value) else value[:80]
    if isinstance(value, list):
        return _("{count} items").format(count=len(value))
    return str(value)[:80] if value is not None else _("a list")


def _plain_title(provider: str, operation: str) -> str:
    return _("{operation} in {service}").format(
        operation=operation.replace("_", " ").capitalize(), service=_service(provider)
    )


def _service(provider: str) -> str:
    return provider.replace("_", " ").title()


def _long(written: str) -> str:
    """Return a duration in words: "2h" gives "2 hours"."""
    if is_template(written):
        return plain_name(written)
    compact = format_duration(parse_duration(written))
    units = {"d": _("days"), "h": _("hours"), "m": _("minutes"), "s": _("seconds")}
    ones = {"d": _("1 day"), "h": _("1 hour"), "m": _("1 minute"), "s": _("1 second")}
    words, digits = [], ""
    for character in compact:
        if character in units:
            words.append(ones[character] if digits == "1" else f"{digits} {units[character]}")
            digits = ""
        else:
            digits += character
    return " ".join(words)


def _cron_words(expression: str) -> str:
    fields = expression.split()
    if len(fields) == 5 and fields[0].isdigit() and fields[1].isdigit() and fields[2:4] == ["*", "*"]:
        clock = f"{int(fields[1]):02d}:{int(fields[0]):02d}"
        if fields[4] == "*":
            return _("Every day at {clock}").format(clock=clock)
        if fields[4] in {"1-5", "MON-FRI", "mon-fri"}:
            return _("Every working day at {clock}").format(clock=clock)
        days = {"0": _("Sunday"), "1": _("Monday"), "2": _("Tuesday"), "3": _("Wednesday"), "4": _("Thursday"),
                "5": _("Friday"), "6": _("Saturday"), "7": _("Sunday")}  # fmt: skip
        if fields[4] in days:
            return _("Every {day} at {clock}").format(day=days[fields[4]], clock=clock)
    return _("By the schedule {cron}").format(cron=expression)


def _low(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
