"""Money in templates."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

register = template.Library()

INVOICE_STATUS = {
    "open": _("Open"),
    "paid": _("Paid"),
    "void": _("Void"),
    "uncollectible": _("Not collected"),
}


@register.filter
def money(cents: int) -> str:
    """Return US cents as dollars: $49, $49.50, −$3.20."""
    sign = "−" if cents < 0 else ""
    whole = cents % 100 == 0
    return f"{sign}${number_format(abs(cents) / 100, 0 if whole else 2, force_grouping=True)}"


@register.filter
def invoice_status(status: str) -> str:
    """Return the status of an invoice in words."""
    return str(INVOICE_STATUS.get(status, status))
