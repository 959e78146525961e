"""Addresses of the templates_lib app."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "templates_lib"
urlpatterns: list[URLPattern] = []
