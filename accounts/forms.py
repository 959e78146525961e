"""Forms of signing up, the team and the settings."""

from __future__ import annotations

import zoneinfo
from datetime import datetime, time, timedelta
from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.models.api_key import Scope
from accounts.notifications import Notification
from accounts.team import ASSIGNABLE, people

ROLE_MEANS = {
    User.Role.ADMIN: _("Everything but billing and ownership."),
    User.Role.MEMBER: _("Sees, edits and runs the workflows assigned to them."),
    User.Role.VIEWER: _("Reads everything, changes nothing."),
}
ROLE_CHOICES = [(role, format_lazy("{}: {}", role.label, ROLE_MEANS[role])) for role in ASSIGNABLE]
LIFETIMES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("1 year")), ("", _("No expiry"))]


def time_zones() -> list[tuple[str, str]]:
    """Return the time zones people live in, as choices; the old aliases and technical zones are left out."""
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name)
    kept = [name for name in names if not name.startswith(("Etc/", "SystemV/", "US/", "posix/", "right/"))]
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in kept)]


class SignupForm(forms.Form):
    """What sign-up asks beyond e-mail and password: the adapter makes the organization from it."""

    name = forms.CharField(
        label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    organization_name = forms.CharField(
        label=_("Name of your business"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )

    field_order = ["name", "organization_name", "email", "password1"]

    def signup(self, request: HttpRequest, user: Any) -> None:
        """allauth calls this after the account exists; the adapter has done everything before."""


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    role = forms.ChoiceField(
        label=_("Role"), choices=ROLE_CHOICES, initial=User.Role.MEMBER, widget=forms.RadioSelect
    )


class RoleForm(forms.Form):
    """The role of a member."""

    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES, widget=forms.RadioSelect)


class AcceptForm(forms.Form):
    """What a new member says of themselves."""

    name = forms.CharField(
        label=_("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        self.fields["password"].help_text = password_validators_help_text_html()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if password := cleaned.get("password"):
            try:
                validate_password(password, User(email=self.email, name=cleaned.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class ConfirmedForm(forms.Form):
    """A change that asks for the password once more. People who sign in with Google or Microsoft alone have none:
    they are asked for their second factor, if they have one.
    """

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.person = cast(User, request.user)
        if not self.person.has_usable_password():
            del self.fields["password"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:  # a wrong guess is counted only when all the rest is right
            return cleaned
        if "password" in self.fields:
            # Counts towards the limit of failed sign-ins; raises once that is reached.
            if not get_adapter().reauthenticate(self.person, cleaned["password"]):
                self.add_error("password", _("This is not your password."))
        else:
            # Leads to the page that asks for a second factor, and back here; AccountMiddleware does.
            raise_if_reauthentication_required(self.request, app="allauth.account")
        return cleaned


class OwnershipForm(ConfirmedForm):
    """Who becomes an owner."""

    heir: Any = forms.ModelChoiceField(label=_("New owner"), queryset=None, empty_label=_("Choose a person"))
    stays_owner = forms.BooleanField(label=_("I stay an owner as well"), required=False)

    field_order = ["heir", "stays_owner", "password"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["heir"]
        field.queryset = people().exclude(pk=self.person.pk).exclude(role=User.Role.OWNER)
        field.label_from_instance = lambda person: (
            f"{person.name} ({person.email})" if person.name else person.email
        )


class LeaveForm(ConfirmedForm):
    """Leaving the organization oneself."""


class DeletionForm(ConfirmedForm):
    """Deleting the organization: its name typed, and the password."""

    name = forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off"}))

    field_order = ["name", "password"]

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        self.fields["name"].label = _("To be sure, type its name: %(name)s") % {"name": organization.name}

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if name.strip() != self.organization.name.strip():
            raise ValidationError(_("This is not its name. Nothing was deleted."))
        return name


class PersonalForm(forms.ModelForm):
    """A person's own settings."""

    timezone = forms.ChoiceField(label=_("Time zone"), required=False)
    language = forms.ChoiceField(label=_("Language"), required=False)
    notifications = forms.MultipleChoiceField(
        label=_("Write to me when"),
        choices=Notification.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = User
        fields = ["name", "language", "timezone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        organization = self.instance.organization
        zone = organization.timezone if organization else "UTC"
        choices: Any = self.fields["timezone"]
        choices.choices = [("", _("The organization's (%(zone)s)") % {"zone": zone}), *time_zones()]
        languages: Any = self.fields["language"]
        languages.choices = [("", _("As my browser asks")), *settings.LANGUAGES]


class OrganizationForm(forms.ModelForm):
    """Name, time zone and how long history is kept, within what the plan allows."""

    timezone = forms.ChoiceField(label=_("Time zone"))

    class Meta:
        model = Organization
        fields = [
            "name",
            "timezone",
            "log_retention_days",
            "completed_retention_days",
            "failed_retention_days",
        ]
        labels = {
            "log_retention_days": _("Keep log lines for (days)"),
            "completed_retention_days": _("Keep completed runs for (days)"),
            "failed_retention_days": _("Keep failed runs for (days)"),
        }

    def __init__(self, *args: Any, longest: dict[str, int], usual: dict[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones: Any = self.fields["timezone"]
        zones.choices = time_zones()
        if self.instance.timezone not in dict(zones.choices):
            zones.choices = [(self.instance.timezone, self.instance.timezone), *zones.choices]
        for name, days in longest.items():
            field: Any = self.fields[name]
            self.fields[name] = forms.IntegerField(
                label=field.label,
                required=False,
                min_value=1,
                max_value=days,
                help_text=_("At most %(longest)s in your plan. Empty: %(usual)s.")
                % {"longest": days, "usual": usual[name]},
            )


class ApiKeyForm(forms.Form):
    """What a new key is called, may do, and when it ends."""

    name = forms.CharField(
        label=_("Name"), max_length=80, help_text=_("What will use it, such as “Website contact form”.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may"), choices=Scope.choices, widget=forms.CheckboxSelectMultiple
    )
    lifetime = forms.ChoiceField(label=_("Expires after"), choices=LIFETIMES, initial="90", required=False)

    def expires_at(self) -> datetime | None:
        """Return when the key ends, None for never."""
        days = self.cleaned_data["lifetime"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class AuditFilter(forms.Form):
    """Which events of the audit trail to show."""

    action = forms.ChoiceField(label=_("What"), required=False)
    person = forms.CharField(
        label=_("Who"), required=False, max_length=254, widget=forms.TextInput(attrs={"type": "search"})
    )
    since = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, actions: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["action"]
        field.choices = [("", _("Everything")), *actions]

    def chosen(self) -> dict[str, Any]:
        """Return what was chosen and could be read; what could not is left out, as in an edited address."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    @staticmethod
    def moment(day: Any) -> datetime:
        """Return the first instant of a day in the person's time zone."""
        return timezone.make_aware(datetime.combine(day, time.min))
