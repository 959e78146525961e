"""Running saved tests against a definition: in memory, within a time limit, without any call to the outside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from workflows import trial
from workflows.definition import waiting
from workflows.definition.problems import DefinitionInvalid
from workflows.definition.schema import Definition, parse_definition
from workflows.engine.compile import CompiledWorkflow
from workflows.engine.interface import RunInput
from workflows.models import SavedTest, Workflow
from workflows.queries.recipe import recipe_of
from workflows.runner.walks import seen_by_steps
from workflows.saved_tests.answers import RecordedAnswers, RecordedPrograms
from workflows.saved_tests.assertions import Finding, Titles, judge
from workflows.steps import compile_workflow
from workflows.trial import OutOfTime, Trial

SECONDS = 10.0  # for all tests of a workflow together


@dataclass(slots=True)
class Checked:
    """How one test went."""

    test: SavedTest
    findings: list[Finding] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return bool(self.findings) and all(finding.passed for finding in self.findings)

    @property
    def failures(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.passed]


@dataclass(slots=True)
class Subject:
    """A definition that tests are run against. problem: why it cannot run, or ""."""

    compiled: CompiledWorkflow | None
    titles: Titles
    workflow: Mapping[str, Any]
    organization: Mapping[str, Any]
    problem: str = ""


def check_all(workflow: Workflow, tests: Iterable[SavedTest], *, seconds: float = SECONDS) -> list[Checked]:
    """Run tests against the workflow's draft, remember how each went, and return that, in order."""
    subject = subject_of(workflow, workflow.definition)
    ends = time.monotonic() + seconds
    checked = []
    for test in tests:
        done = Checked(test, check(subject, test, seconds=ends - time.monotonic()))
        result = SavedTest.Result.PASSED if done.passed else SavedTest.Result.FAILED
        test.keep_result(result, [finding.as_json() for finding in done.findings])
        checked.append(done)
    return checked


def subject_of(workflow: Workflow, definition: Any) -> Subject:
    """Return a definition of the workflow ready to be run by tests."""
    names = {"id": str(workflow.pk), "name": workflow.name}
    owner = workflow.organization
    organization = {"id": str(owner.pk), "name": owner.name, "timezone": owner.timezone}
    try:
        parsed = parse_definition(definition)
        return Subject(compile_workflow(parsed), titles_of(parsed), names, organization)
    except DefinitionInvalid as invalid:
        return Subject(None, {}, names, organization, invalid.problems[0].message)


def titles_of(definition: Definition) -> dict[str, str]:
    """Return step id -> what people call the step."""
    return {step.id: step.title for top in recipe_of(definition) for step in top.walk()}


def check(subject: Subject, test: SavedTest, *, seconds: float) -> list[Finding]:
    """Return what running the test found: one finding per assertion, or why it could not be run."""
    if subject.compiled is None:
        return [Finding(_("The draft can be run"), False, _("a draft without faults"), subject.problem)]
    if seconds <= 0:
        return [_too_slow()]
    answers = RecordedAnswers(test.answers)
    try:
        done = rehearse(subject, test.input, test.started, answers, seconds=seconds)
    except OutOfTime:
        return [_too_slow()]
    if answers.unanswered:
        return [_unanswered(step, whom, subject.titles) for step, whom in dict.fromkeys(answers.unanswered)]
    if not test.assertions:
        return [Finding(_("The test demands something"), False, _("at least one check"), _("there is none"))]
    scope = scope_of(subject, test.input, test.started, done)
    return [judge(assertion, done, scope, subject.titles) for assertion in test.assertions]


def rehearse(
    subject: Subject, given: Any, started: Mapping[str, Any], answers: RecordedAnswers, *, seconds: float
) -> Trial:
    """Run a definition as the recorded run was started, against its answers. Raises OutOfTime."""
    return asyncio.run(_rehearse(_run_input(subject, given, started), answers, seconds))


async def _rehearse(run: RunInput, answers: RecordedAnswers, seconds: float) -> Trial:
    programs = RecordedPrograms(answers)
    try:
        return await trial.run_in_loop(run, answers, seconds=seconds, code=programs)
    finally:
        await programs.close()


def scope_of(subject: Subject, given: Any, started: Mapping[str, Any], done: Trial) -> dict[str, Any]:
    """Return the names that conditions of a test may use: those of the last step, and `output` and `status`."""
    trigger, inputs = seen_by_steps(str(started.get("by") or "MANUAL"), given)
    return {
        "trigger": trigger,
        "inputs": inputs,
        "steps": done.steps(),
        "output": done.output,
        "status": done.outcome,
        "workflow": subject.workflow,
        "organization": subject.organization,
        "now": _instant(started),
    }


def _run_input(subject: Subject, given: Any, started: Mapping[str, Any]) -> RunInput:
    by = str(started.get("by") or "MANUAL")
    trigger, inputs = seen_by_steps(by, given)
    at, identifier = _instant(started), str(started.get("run") or "test")
    execution = {
        "id": identifier,
        "started_at": at.isoformat(),
        "triggered_by": by,
        "mode": str(started.get("mode") or "LIVE"),
        waiting.NAME: waiting.example_addresses(subject.compiled.addresses if subject.compiled else ()),
    }
    return RunInput(
        identifier, subject.compiled, at, trigger=trigger, inputs=inputs, organization=subject.organization,
        workflow=subject.workflow, execution=execution,
    )  # fmt: skip


def _instant(started: Mapping[str, Any]) -> datetime:
    try:
        return datetime.fromisoformat(str(started.get("at")))
    except ValueError:
        return timezone.now()


def _unanswered(step: str, whom: str, titles: Titles) -> Finding:
    title = titles.get(step, step)
    return Finding(
        _("Every step finds the answer it needs"),
        False,
        _("an answer of %(whom)s") % {"whom": whom},
        _("Step “%(step)s” asked %(whom)s something this test has no answer for: record it again from a run.")
        % {"step": title, "whom": whom},
        step,
    )


def _too_slow() -> Finding:
    return Finding(
        _("The tests are done in time"),
        False,
        _("all tests within %(seconds)s seconds") % {"seconds": f"{SECONDS:g}"},
        _("It took too long and was stopped. Save a run with less data, or switch a test off."),
    )


def sentence_of(checked: Checked) -> str:
    """Return why a test failed: its name, the first thing that differs, what was expected and what came."""
    first = checked.failures
    if not first:
        return ""
    return _("Test “%(name)s”: %(title)s. Expected: %(expected)s. Found: %(actual)s") % {
        "name": checked.test.name,
        "title": first[0].title,
        "expected": first[0].expected,
        "actual": first[0].actual,
    }
