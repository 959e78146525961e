"""Addresses of the templates_lib app."""

from __future__ import annotations

from django.urls import path

from templates_lib.views import exchange, gallery, install

app_name = "templates_lib"
urlpatterns = [
    path("", gallery.gallery, name="gallery"),
    path("installed/<uuid:workflow_id>/", install.installed, name="installed"),
    path("installed/<uuid:workflow_id>/update/", install.update, name="update"),
    path("import/", exchange.bring_in, name="import"),
    path("export/<uuid:workflow_id>/", exchange.take_out, name="export"),
    path("<slug:slug>/", gallery.detail, name="detail"),
    path("<slug:slug>/install/", install.install, name="install"),
    path("<slug:slug>/rating/", gallery.rating, name="rating"),
]
