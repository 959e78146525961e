"""Addresses of the editor, below `workflows/<id>/`."""

from __future__ import annotations

from django.urls import URLPattern, path

from workflows.views.editor import page, panels, picker, steps, text, trial, triggers, undo

BASE = "workflows/<uuid:workflow_id>/edit/"
urlpatterns: list[URLPattern] = [
    path(BASE, page.edit, name="edit"),
    path(f"{BASE}text/", text.edit, name="edit-text"),
    path("workflows/<uuid:workflow_id>/draft/", text.draft, name="draft"),
    path(f"{BASE}settings/", panels.settings, name="edit-settings"),
    path(f"{BASE}values/", picker.values, {"kind": "settings"}, name="edit-values-settings"),
    path(f"{BASE}values/<str:kind>/<str:key>/", picker.values, name="edit-values"),
    path(f"{BASE}choose/", steps.choose, name="edit-choose"),
    path(f"{BASE}steps/", steps.add, name="edit-add"),
    path(f"{BASE}paste/", steps.paste_panel, name="edit-paste-panel"),
    path(f"{BASE}pasted/", steps.paste, name="edit-paste"),
    path(f"{BASE}undo/", undo.undo, name="edit-undo"),
    path(f"{BASE}undo/<uuid:change_id>/", undo.undo, name="edit-undo-one"),
    path(f"{BASE}redo/", undo.redo, name="edit-redo"),
    path(f"{BASE}steps/<str:step_id>/", panels.step, name="edit-step"),
    path(f"{BASE}steps/<str:step_id>/move/", steps.move, name="edit-move"),
    path(f"{BASE}steps/<str:step_id>/copy/", steps.duplicate, name="edit-duplicate"),
    path(f"{BASE}steps/<str:step_id>/switch/", steps.switch, name="edit-switch"),
    path(f"{BASE}steps/<str:step_id>/removal/", steps.removal, name="edit-removal"),
    path(f"{BASE}steps/<str:step_id>/branches/", steps.branches, name="edit-branches"),
    path(f"{BASE}steps/<str:step_id>/trials/", trial.start, name="edit-trials"),
    path(f"{BASE}steps/<str:step_id>/trials/<uuid:execution_id>/", trial.show, name="edit-trial"),
    path(f"{BASE}triggers/choose/", triggers.choose, name="edit-choose-trigger"),
    path(f"{BASE}triggers/", triggers.add, name="edit-add-trigger"),
    path(f"{BASE}triggers/<str:key>/", panels.trigger, name="edit-trigger"),
    path(f"{BASE}triggers/<str:key>/capture/", trial.capture, name="edit-capture"),
    path(f"{BASE}triggers/<str:key>/switch/", triggers.switch, name="edit-switch-trigger"),
    path(f"{BASE}triggers/<str:key>/removal/", triggers.removal, name="edit-removal-trigger"),
]
