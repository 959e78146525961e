"""Forms of the template pages: how to install one, and what one thinks of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from integrations.models import Integration
from templates_lib.models import Template, TemplateRating
from templates_lib.requirements import label_of
from workflows.models import Workflow
from workflows.schema_forms import SchemaForm, form_for, initial_for

NO_FIELDS: dict[str, Any] = {"type": "object", "properties": {}}


class InstallForm(forms.Form):
    """The name of the new workflow, and which account to use where the organization has several."""

    name = forms.CharField(label=_("Name of the workflow"), max_length=120, strip=True)

    def __init__(self, *args: Any, template: Template, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].initial = free_name(template.name)
        self.providers: list[str] = []
        self.only: dict[str, str] = {}
        providers = [*template.required_integrations, *template.optional_integrations]
        by_provider: dict[str, list[Integration]] = {}
        rows = Integration.objects.active().filter(provider__in=providers).only("id", "name", "provider")
        for integration in rows.order_by("name"):
            by_provider.setdefault(integration.provider, []).append(integration)
        for provider, found in by_provider.items():
            if len(found) == 1:
                self.only[provider] = str(found[0].pk)
                continue
            self.providers.append(provider)
            self.fields[f"account_{provider}"] = forms.ChoiceField(
                label=_("Account at %(service)s") % {"service": label_of(provider)},
                choices=[(str(each.pk), each.name) for each in found],
            )

    def clean_name(self) -> str:
        """Refuse a name that another workflow in use has."""
        name = str(self.cleaned_data["name"])
        if _in_use().filter(name=name).exists():
            raise forms.ValidationError(_("Another workflow already has this name. Choose a different one."))
        return name

    def chooser_ids(self) -> dict[str, str]:
        """Return provider -> HTML id of the field that chooses among several accounts."""
        return {provider: self[f"account_{provider}"].auto_id for provider in self.providers}

    def accounts(self) -> dict[str, str]:
        """Return provider -> id of the account to use, once the form is valid."""
        chosen = {provider: self.cleaned_data[f"account_{provider}"] for provider in self.providers}
        return {**self.only, **chosen}


class RatingForm(forms.ModelForm):
    """Stars and a few words."""

    class Meta:
        model = TemplateRating
        fields = ("stars", "comment")
        labels = {"stars": _("Your rating"), "comment": _("What should others know?")}

    stars = forms.TypedChoiceField(
        label=_("Your rating"),
        coerce=int,
        choices=[
            (5, _("5, excellent")),
            (4, _("4, good")),
            (3, _("3, all right")),
            (2, _("2, poor")),
            (1, _("1, bad")),
        ],
    )


def configuration_form(
    template: Template, data: Any = None, values: dict[str, Any] | None = None
) -> SchemaForm:
    """Return the form of a template's configuration; empty when it asks for nothing."""
    schema = dict(template.configuration_schema or NO_FIELDS)
    asked = schema.get("properties") or {}
    order = [name for name in schema.get("x-order") or [] if name in asked]
    schema["properties"] = {
        name: asked[name] for name in [*order, *(name for name in asked if name not in order)]
    }
    return form_for(schema, prefix="config")(data, initial=initial_for(schema, values))


def free_name(name: str) -> str:
    """Return `name`, with a number when another workflow in use has it."""
    taken = set(_in_use().filter(name__startswith=name[:110]).values_list("name", flat=True))
    found, number = name, 2
    while found in taken:
        found, number = f"{name[:110]} ({number})", number + 1
    return found


def _in_use() -> Any:
    return Workflow.objects.exclude(status=Workflow.Status.ARCHIVED)
