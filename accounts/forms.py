"""Forms of signing up and of the team's pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


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
