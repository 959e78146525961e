"""The connect form, made from what a connector asks for, and the small forms of an integration's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from integrations.framework import Connector, Field
from integrations.framework.auth import Auth
from integrations.framework.inputs import prepare_inputs
from integrations.models import Integration

OWN_NAME = "connection_name"  # a connector may ask for a "name" of its own


class ConnectForm(forms.Form):
    """What one way to connect asks for. A secret is never shown again, also not after a mistake."""

    def __init__(
        self,
        connector: Connector,
        auth: Auth,
        *args: Any,
        integration: Integration | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.connector, self.auth = connector, auth
        self.asked = _asked(connector, auth)
        self.account_keys = {entry.key for entry in connector.account} | set(
            getattr(auth, "account_keys", ())
        )
        if integration is None:
            self.fields[OWN_NAME] = forms.CharField(
                label=_("Name"),
                max_length=80,
                required=False,
                help_text=_(
                    "How your team tells this account from others. Without one it is named after the account."
                ),
            )
        for entry in self.asked:
            self.fields[entry.key] = form_field(entry)
            if integration is not None and entry.key in self.account_keys and entry.kind != "secret":
                self.fields[entry.key].initial = integration.settings.get(entry.key)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        given = {entry.key: cleaned.get(entry.key) for entry in self.asked}
        self.values, problems = prepare_inputs(self.asked, given)
        for key, problem in problems.items():
            if key not in self.errors:
                self.add_error(key, problem)
        return cleaned

    @property
    def name(self) -> str:
        return str(self.cleaned_data.get(OWN_NAME) or "").strip()

    @property
    def account(self) -> dict[str, Any]:
        """The account variables that were given."""
        return {key: value for key, value in self.values.items() if key in self.account_keys}

    @property
    def credentials(self) -> dict[str, Any]:
        """The secrets that were given; in the hands of the caller only until they are encrypted."""
        return {key: value for key, value in self.values.items() if key not in self.account_keys}

    @property
    def usual(self) -> list[forms.BoundField]:
        """The fields that everybody sees."""
        advanced = {entry.key for entry in self.asked if entry.advanced}
        return [self[name] for name in self.fields if name not in advanced]

    @property
    def advanced(self) -> list[forms.BoundField]:
        return [self[entry.key] for entry in self.asked if entry.advanced]


class NameForm(forms.Form):
    """Another name for a connection."""

    name = forms.CharField(label=_("Name"), max_length=80)


class WebhookSecretForm(forms.Form):
    """The key with which a service signs its deliveries, copied from its own pages."""

    secret = forms.CharField(
        label=_("Signing secret"),
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_(
            "The service shows it where you entered the address. It is stored encrypted and not shown again."
        ),
    )


def form_field(entry: Field) -> forms.Field:
    """Return the form field of a connector's field; its kind is checked by the framework afterwards."""
    options: dict[str, Any] = {
        "label": entry.title,
        "help_text": entry.help,
        "required": entry.required and entry.default is None,
        "initial": entry.default,
    }
    placeholder = (
        {} if entry.example is None or entry.kind in ("secret", "boolean") else {"placeholder": entry.example}
    )
    if entry.kind == "boolean":
        return forms.BooleanField(**{**options, "required": False})
    if entry.choices:
        choices = [(str(value), label) for value, label in entry.choice_pairs]
        if not options["required"] and entry.default is None:
            choices.insert(0, ("", "–"))
        return forms.ChoiceField(choices=choices, **options)
    if entry.kind == "secret":
        attrs = {"autocomplete": "off", "spellcheck": "false"}
        return forms.CharField(
            widget=forms.PasswordInput(render_value=False, attrs=attrs), max_length=10_000, **options
        )
    if entry.kind in ("long_text", "json"):
        return forms.CharField(
            widget=forms.Textarea(attrs={"rows": 4, **placeholder}), max_length=20_000, **options
        )
    widget = {
        "email": forms.EmailInput,
        "url": forms.URLInput,
        "integer": forms.NumberInput,
    }.get(entry.kind, forms.TextInput)
    return forms.CharField(widget=widget(attrs=placeholder), max_length=2_000, **options)


def _asked(connector: Connector, auth: Auth) -> Sequence[Field]:
    seen: dict[str, Field] = {}
    for entry in (*connector.account, *auth.fields):
        seen.setdefault(entry.key, entry)
    return tuple(seen.values())
