"""Addresses of the billing app."""

from __future__ import annotations

from django.urls import path

from billing.views import overview

app_name = "billing"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("usage.csv", overview.usage_csv, name="usage-csv"),
]
