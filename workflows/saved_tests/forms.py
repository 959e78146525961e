"""The form of a saved test: its name, its input, and each check as one line that reads like a sentence."""

from __future__ import annotations

import json
import re
from typing import Any

from django import forms
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workflows.definition.conditions import words
from workflows.definition.shapes import OPERATORS, UNARY_OPERATORS
from workflows.models import SavedTest
from workflows.saved_tests.assertions import STATUSES, NotAnAssertion, check, in_words, status_words
from workflows.saved_tests.secrecy import without_secrets

MAX_CHECKS = 60
BLANK_LINES = 2
STATUS, CONDITION, OUTPUT = "status", "condition", "output"
ENDS, ONCE, NEVER, TIMES = "ends", "once", "never", "times"
_SIMPLE = re.compile(r"\{\{\s*(output|steps\.(?P<step>[a-z0-9_]+)\.output)(?:\.(?P<field>[\w.\-]+))?\s*\}\}")


class ReadableJSONField(forms.JSONField):
    """JSON that people read and change: indented, with letters of every language."""

    def prepare_value(self, value: Any) -> Any:
        """Return what stands in the text area; a text that is no JSON stays as it was typed."""
        if value is None or isinstance(value, InvalidJSONInput):
            return value
        return json.dumps(value, indent=2, ensure_ascii=False)


class SavedTestForm(forms.ModelForm):
    """Name, whether publishing asks it, and what starts it."""

    input = ReadableJSONField(
        label=gettext_lazy("What starts the run"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "class": "mono"}),
        help_text=gettext_lazy(
            "The data the run was started with, as JSON. Change it to try another case; what services answered stays "
            "as it was recorded."
        ),
    )

    class Meta:
        model = SavedTest
        fields = ("name", "is_enabled", "input")
        labels = {"is_enabled": gettext_lazy("Must pass before the workflow is published")}

    def clean_input(self) -> Any:
        """Hide what looks like a secret here as well."""
        return without_secrets(self.cleaned_data["input"])


class CheckForm(forms.Form):
    """One check: look at something, and say what must hold."""

    subject = forms.ChoiceField(label=gettext_lazy("Look at"), required=False)
    field = forms.CharField(
        label=gettext_lazy("Part (optional)"),
        required=False,
        max_length=300,
        widget=forms.TextInput(attrs={"placeholder": "customer.email", "autocapitalize": "off"}),
    )
    relation = forms.ChoiceField(label=gettext_lazy("It"), required=False)
    value = forms.CharField(
        label=gettext_lazy("Value"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 1}),
    )
    remove = forms.BooleanField(label=gettext_lazy("Remove"), required=False)

    def __init__(self, *args: Any, titles: dict[str, str], acting: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.titles = titles
        self.fields["subject"].choices = _subjects(titles, acting, self.initial.get("subject", ""))  # type: ignore[attr-defined]
        self.fields["relation"].choices = _relations()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Make the line an assertion, kept as `assertion`; None for an empty or removed line."""
        data = super().clean() or {}
        data["assertion"] = None
        if data.get("remove") or not data.get("subject"):
            return data
        try:
            assertion = self._assertion(data)
            check(assertion)
        except NotAnAssertion as wrong:
            raise forms.ValidationError(str(wrong)) from None
        data["assertion"] = assertion
        return data

    def _assertion(self, data: dict[str, Any]) -> dict[str, Any]:
        kind, _separator, step = data["subject"].partition(":")
        relation, value = data.get("relation") or "", _value(data.get("value") or "")
        if kind == STATUS:
            if not relation.startswith(f"{ENDS}:"):
                raise NotAnAssertion(_("Choose one of the endings, such as “ends as Completed”."))
            return {"about": "status", "is": relation.partition(":")[2]}
        if kind == "calls":
            return {"about": "calls", "step": step, "times": _times(relation, value)}
        if kind == CONDITION:
            if not isinstance(value, dict):
                raise NotAnAssertion(_("Write the condition as JSON, as in a step's “if”."))
            return {"about": "value", "condition": value}
        if relation not in OPERATORS:
            raise NotAnAssertion(_("Choose a comparison, such as “is” or “contains”."))
        compared = {"is": relation} | ({} if relation in UNARY_OPERATORS else {"to": value})
        field = (data.get("field") or "").strip().strip(".")
        if kind == "sent":
            return {"about": "sent", "step": step, "field": field, **compared}
        subject = OUTPUT if kind == OUTPUT else f"steps.{step}.output"
        template = f"{{{{ {subject}.{field} }}}}" if field else f"{{{{ {subject} }}}}"
        return {"about": "value", "condition": {"value": template, **compared}}


CheckFormSet: Any = forms.formset_factory(
    CheckForm, extra=BLANK_LINES, max_num=MAX_CHECKS, absolute_max=MAX_CHECKS + BLANK_LINES
)


def checks_form(test: SavedTest, titles: dict[str, str], acting: list[str], data: Any = None) -> Any:
    """Return the lines of a test's checks, each form with `sentence`, plus blank ones. acting: steps that call out."""
    found = CheckFormSet(
        data,
        prefix="checks",
        initial=[line_of(each) for each in test.assertions],
        form_kwargs={"titles": titles, "acting": acting},
    )
    for form, assertion in zip(found.forms, test.assertions, strict=False):
        try:
            check(assertion)
            form.sentence = in_words(assertion, titles)
        except NotAnAssertion:
            form.sentence = ""
    return found


def line_of(assertion: dict[str, Any]) -> dict[str, Any]:
    """Return an assertion as the initial values of its line."""
    step = assertion.get("step", "")
    match assertion.get("about"):
        case "status":
            return {"subject": STATUS, "relation": f"{ENDS}:{assertion.get('is')}"}
        case "calls":
            times = assertion.get("times")
            relation = {0: NEVER, 1: ONCE}.get(times, TIMES) if isinstance(times, int) else ONCE
            return {
                "subject": f"calls:{step}",
                "relation": relation,
                "value": times if relation == TIMES else "",
            }
        case "sent":
            return {"subject": f"sent:{step}", "field": assertion.get("field"), **_compared(assertion)}
    found = assertion.get("condition")
    condition: dict[str, Any] = found if isinstance(found, dict) else {}
    simple = _SIMPLE.fullmatch(str(condition.get("value", "")))
    if simple is None or set(condition) - {"value", "is", "to"} or "{{" in str(condition.get("to")):
        return {"subject": CONDITION, "value": json.dumps(found, ensure_ascii=False)}
    inside = simple.group("step")
    return {
        "subject": f"step:{inside}" if inside else OUTPUT,
        "field": simple.group("field") or "",
        **_compared(condition),
    }


def _compared(data: dict[str, Any]) -> dict[str, Any]:
    return {"relation": data.get("is"), "value": _text(data.get("to"))}


def _text(value: Any) -> str:
    """Return a value as it stands in the form: text as it is, unless it would be read as something else."""
    if value is None:
        return ""
    if isinstance(value, str) and _value(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _value(text: str) -> Any:
    """Return what was typed: numbers, true, false, lists and objects as such, everything else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _times(relation: str, value: Any) -> int:
    if relation in (ONCE, NEVER):
        return 1 if relation == ONCE else 0
    if relation == TIMES and isinstance(value, int) and not isinstance(value, bool):
        return value
    raise NotAnAssertion(_("Say how often: once, not at all, or so many times with a number."))


def _subjects(titles: dict[str, str], acting: list[str], chosen: str) -> list[Any]:
    kind, _separator, step = chosen.partition(":")
    gone = [(chosen, f"{step} ({_('no longer in the draft')})")] if step and step not in titles else []
    acting = (
        [*acting, step] if kind in ("calls", "sent") and step in titles and step not in acting else acting
    )
    named = [(name, titles[name]) for name in acting]
    return [
        ("", _("Choose…")),
        (
            _("The run"),
            [
                (STATUS, _("How the run ends")),
                (OUTPUT, _("The result of the run")),
                (CONDITION, _("A condition (JSON)")),
            ],
        ),
        (_("How often a step acts"), [(f"calls:{name}", title) for name, title in named]),
        (_("What a step sends"), [(f"sent:{name}", title) for name, title in named]),
        (_("The result of a step"), [(f"step:{name}", title) for name, title in titles.items()]),
        *gone,
    ]


def _relations() -> list[Any]:
    return [
        ("", "–"),
        (
            _("How it ends"),
            [
                (f"{ENDS}:{each}", _("ends as %(status)s") % {"status": status_words(each)})
                for each in STATUSES
            ],
        ),
        (
            _("How often"),
            [(ONCE, _("happens once")), (NEVER, _("does not happen")), (TIMES, _("happens so many times"))],
        ),
        (_("Comparison"), [(each, words(each)) for each in OPERATORS]),
    ]
