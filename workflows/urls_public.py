"""Addresses that the outside world calls: no sign-in, and no organization before the token is looked up."""

from __future__ import annotations

from django.urls import path

from workflows.views import approve_link, forms, hooks, resume, schema

urlpatterns = [
    path("hooks/<str:token>/", hooks.hook, name="hook"),
    path("hooks/<str:token>", hooks.hook),
    path("forms/<str:token>/", forms.form_page, name="public-form"),
    path("resume/<str:token>/", resume.resume, name="resume"),
    path("approve/<str:token>/", approve_link.approve_link, name="approve-link"),
    path("schemas/workflow-v1.json", schema.workflow_schema, name="workflow-schema"),
]
