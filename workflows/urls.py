"""Addresses of the workflows app."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "workflows"
urlpatterns: list[URLPattern] = []
