"""The living page of every component, in development only."""

from __future__ import annotations

import datetime

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from config.templatetags.components import STATUSES

DAYS = [f"{day} Nov" for day in range(9, 23)]
RUNS = [
    {
        "name": "Succeeded",
        "values": [42, 51, 48, 66, 71, 18, 12, 58, 63, 70, 74, 81, 22, 9],
        "tone": "accent",
    },
    {"name": "Failed", "values": [3, 1, 4, 2, 6, 0, 0, 2, 1, 5, 2, 3, 1, 0], "tone": "danger"},
]
SUCCESS_RATE = [
    {"name": "Success rate", "values": [93, 98, 92, 97, 92, 100, 100, 97, 98, 93, 97, 96, 96, 100]}
]


class SampleForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(label="Name", max_length=80, initial="Answer new leads")
    email = forms.EmailField(label="E-mail address", help_text="We write here when a run fails.")
    category = forms.ChoiceField(label="Category", choices=[("SALES", "Sales"), ("MARKETING", "Marketing")])
    note = forms.CharField(label="Note", required=False, widget=forms.Textarea(attrs={"rows": 3}))
    notify = forms.MultipleChoiceField(
        label="Tell",
        choices=[("owner", "The owner"), ("creator", "Its creator")],
        widget=forms.CheckboxSelectMultiple,
    )
    pace = forms.ChoiceField(
        label="Pace",
        choices=[("now", "At once"), ("daily", "Once a day")],
        widget=forms.RadioSelect,
        required=False,
    )
    agree = forms.BooleanField(label="Start it right after publishing", required=False)


def styleguide(request: HttpRequest) -> HttpResponse:
    """Show every component in all its states, light beside dark."""
    columns = []
    for theme in ("light", "dark"):
        wrong = SampleForm({"name": "", "email": "not an address"}, auto_id=f"{theme}-wrong-%s")
        wrong.full_clean()
        columns.append({"theme": theme, "form": SampleForm(auto_id=f"{theme}-%s"), "wrong": wrong})
    return render(
        request,
        "styleguide/index.html",
        {
            "columns": columns,
            "statuses": STATUSES,
            "days": DAYS,
            "runs": RUNS,
            "success_rate": SUCCESS_RATE,
            "trend": RUNS[0]["values"],
            "earlier": timezone.now() - datetime.timedelta(minutes=12),
            "sample_json": '{\n  "customer": "Alder Bakery",\n  "total": 48.5,\n  "items": ["rye", "spelt"]\n}',
        },
    )
