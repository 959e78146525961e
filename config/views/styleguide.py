"""The living page of every component, in development only."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def styleguide(request: HttpRequest) -> HttpResponse:
    """Show every component in all its states."""
    return render(request, "styleguide/index.html")
