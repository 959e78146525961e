"""Forms of the workflow pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.forms.models import ModelChoiceIterator
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from workflows.models import Execution, Workflow, WorkflowVersion
from workflows.models.workflow import WorkflowCategory
from workflows.schema_forms import SchemaForm, SchemaFormError, form_for, initial_for

STARTS: dict[str, tuple[Any, list[dict[str, Any]]]] = {
    "manual": (_("A person presses Run"), [{"type": "manual"}]),
    "webhook": (_("Another system sends data (webhook)"), [{"type": "webhook"}]),
    "schedule": (_("At set times"), []),
    "later": (_("Something else; I choose it in the editor"), []),
}
MOST_OFFERED = 100
EVERY_MORNING = {"type": "schedule", "cron": "0 9 * * 1-5"}


class WorkflowForm(forms.ModelForm):
    """Name, description and category of a workflow."""

    class Meta:
        model = Workflow
        fields = ("name", "description", "category", "minutes_saved_per_run")
        labels = {"minutes_saved_per_run": _("Minutes saved by each run")}
        help_texts = {"minutes_saved_per_run": _("How long a person would take. The dashboard adds them up.")}
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    def clean_name(self) -> str:
        """Refuse a name that another workflow in use has; the database refuses it too, but cannot say it so well."""
        name = str(self.cleaned_data["name"]).strip()
        others = (
            Workflow.objects.filter(name=name)
            .exclude(status=Workflow.Status.ARCHIVED)
            .exclude(pk=self.instance.pk)
        )
        if others.exists():
            raise forms.ValidationError(_("Another workflow already has this name. Choose a different one."))
        return name


class NewWorkflowForm(WorkflowForm):
    """A new workflow, and what starts it."""

    start = forms.ChoiceField(
        label=_("What starts it?"),
        choices=[(key, label) for key, (label, _triggers) in STARTS.items()],
        initial="manual",
        widget=forms.RadioSelect,
        help_text=_("You can change this and add more later."),
    )

    class Meta(WorkflowForm.Meta):
        fields = ("name", "description", "category")  # type: ignore[assignment]  # one fewer than above

    def save(self, commit: bool = True) -> Workflow:
        """Return the new draft: the chosen trigger and no steps yet; the editor says what to do first."""
        self.instance.triggers = STARTS[self.cleaned_data["start"]][1]
        if self.cleaned_data["start"] == "schedule":
            self.instance.schedule = EVERY_MORNING
        return super().save(commit)


class ListFilter(forms.Form):
    """What the workflow list shows. Unknown values are left out, so that an old link still opens the list."""

    q = forms.CharField(required=False, max_length=200)
    status = forms.ChoiceField(
        required=False, choices=[("", _("All but archived")), *Workflow.Status.choices]
    )
    category = forms.ChoiceField(
        required=False, choices=[("", _("Every category")), *WorkflowCategory.choices]
    )

    def chosen(self, name: str) -> str:
        """Return a valid choice, else ""."""
        self.is_valid()
        return str(self.cleaned_data.get(name) or "")


class _OfferedWorkflows(ModelChoiceIterator):
    """At most MOST_OFFERED workflows and the chosen one: drawing thousands takes longer than all else on the page."""

    def __iter__(self) -> Iterator[Any]:
        yield "", self.field.empty_label
        rows = list(self.queryset[: MOST_OFFERED + 1])
        options = [self.choice(row) for row in rows[:MOST_OFFERED]]
        if len(rows) <= MOST_OFFERED:
            yield from options
            return
        chosen = self.field.bound_value  # type: ignore[attr-defined]
        if chosen is not None and chosen not in rows[:MOST_OFFERED]:
            yield self.choice(chosen)
        yield _("The first %(count)s by name; others from their own page") % {"count": MOST_OFFERED}, options


class WorkflowChoiceField(forms.ModelChoiceField):
    """A choice of any workflow of the queryset, that draws a list of bounded length."""

    iterator = _OfferedWorkflows
    bound_value: Workflow | None = None

    def clean(self, value: Any) -> Any:
        self.bound_value = super().clean(value)
        return self.bound_value


class RunFilter(forms.Form):
    """What the list of runs shows."""

    q = forms.CharField(
        label=_("Value"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Order number, e-mail, name…")}),
    )
    status = forms.ChoiceField(
        label=_("Status"), required=False, choices=[("", _("Every status")), *Execution.Status.choices]
    )
    workflow = WorkflowChoiceField(
        label=_("Workflow"), required=False, queryset=None, empty_label=_("Every workflow")
    )
    trigger = forms.ChoiceField(
        label=_("Started by"), required=False, choices=[("", _("Anything")), *Execution.TriggeredBy.choices]
    )
    since = forms.DateField(label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Workflow.objects.visible_to(user).only("id", "name", "organization_id").order_by("name")
        self.fields["workflow"].queryset = rows  # type: ignore[attr-defined]


class PublicationForm(forms.ModelForm):
    """A note for the list of versions."""

    class Meta:
        model = WorkflowVersion
        fields = ("note",)
        labels = {"note": _("What changed?")}
        help_texts = {"note": _("A sentence for whoever reads the list of versions.")}
        widgets = {"note": forms.TextInput(attrs={"maxlength": 300})}


def input_form(schema: Mapping[str, Any] | None, data: Any = None) -> SchemaForm:
    """Return the form that asks for what a JSON Schema describes, bound to `data`; without fields for no schema."""
    try:
        return form_for(schema or {}, prefix="input")(data, initial=initial_for(schema or {}))
    except SchemaFormError:  # publishing refuses such a schema, but a draft may hold one
        return form_for({}, prefix="input")(data)


class AssignmentForm(forms.Form):
    """Which members may see, edit and run a workflow."""

    people: forms.ModelMultipleChoiceField[User] = forms.ModelMultipleChoiceField(
        label=_("Members"), required=False, queryset=None, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = User.objects.filter(role=User.Role.MEMBER, is_active=True)
        self.fields["people"].queryset = members  # type: ignore[attr-defined]
