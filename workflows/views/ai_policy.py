"""What an organization wants of its AI steps, and what is spent and reserved this month."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import audit
from accounts.permissions import Permission, requires
from billing.plans import plan_of
from workflows import access
from workflows.ai.budget import MICRO_PER_CENT, money, month_key
from workflows.models import AiAllowance, AiPolicy

FIELDS = ("keep_content", "redact", "month_cents")


class AiPolicyForm(forms.ModelForm):
    """What is kept, what is taken out, and how much may be spent; the amount in dollars."""

    month_dollars = forms.DecimalField(
        label=gettext_lazy("Most to spend on AI in a month, in dollars"),
        required=False,
        min_value=0,
        max_digits=9,
        decimal_places=2,
        help_text=gettext_lazy("Empty: what your plan allows. Steps that would pass it stop and say so."),
    )

    class Meta:
        model = AiPolicy
        fields = ("keep_content", "redact")
        help_texts = {
            "keep_content": gettext_lazy(
                "They are shown with each step and let a stopped run go on without asking again. Without them only "
                "tokens and prices are kept."
            ),
            "redact": gettext_lazy("For every AI step. A step can also ask for it by itself."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.month_cents is not None:
            self.fields["month_dollars"].initial = self.instance.month_cents / 100

    def save(self, commit: bool = True) -> AiPolicy:
        dollars = self.cleaned_data["month_dollars"]
        self.instance.month_cents = None if dollars is None else int(dollars * 100)
        return super().save(commit)


@requires(Permission.MANAGE_ORGANIZATION)
def ai_policy(request: HttpRequest) -> HttpResponse:
    """Show and change the organization's policy."""
    person = access.person(request)
    organization = person.organization
    assert organization is not None  # noqa: S101 - requires() lets members of one through, nobody else
    policy = AiPolicy.objects.first() or AiPolicy(organization=organization)
    before = {name: getattr(policy, name) for name in FIELDS}
    form = AiPolicyForm(request.POST or None, instance=policy)
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        after = {name: getattr(saved, name) for name in FIELDS}
        audit.record(
            "ai_policy.changed", actor=person, target=saved, before=before, after=after, request=request
        )
        messages.success(request, _("Saved. It holds from the next AI step on."))
        return redirect("workflows:ai-policy")
    row = AiAllowance.objects.filter(scope=AiAllowance.Scope.MONTH, key=month_key()).first()
    spent, reserved = (row.spent, row.reserved) if row else (0, 0)
    limits = [plan_of(organization).monthly_ai_cents, before["month_cents"]]
    allowed = min((each for each in limits if each is not None), default=None)
    context = {
        "form": form,
        "tab": "ai",
        "used": spent + reserved,
        "maximum": None if allowed is None else allowed * MICRO_PER_CENT,
        "spent_text": money(spent),
        "reserved_text": money(reserved) if reserved else "",
        "allowed_text": "" if allowed is None else money(allowed * MICRO_PER_CENT),
    }
    return render(request, "workflows/ai_policy.html", context, status=422 if form.errors else 200)
