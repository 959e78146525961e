"""Addresses of the integrations app."""

from __future__ import annotations

from django.urls import path

from integrations.views import connect, editor, gallery, inbound, integration, oauth

app_name = "integrations"
urlpatterns = [
    path("", gallery.gallery, name="gallery"),
    path("services/<slug:provider>/", gallery.provider, name="provider"),
    path("services/<slug:provider>/connect/", connect.connect, name="connect"),
    path("oauth/callback/", oauth.callback, name="oauth-callback"),
    path(
        "options/<slug:provider>/<uuid:integration_id>/<slug:operation>/<str:field>/",
        editor.options,
        name="options",
    ),
    path("schemas/<slug:provider>/<slug:operation>/", editor.operation_schema, name="operation-schema"),
    path("inbound/<slug:provider>/", inbound.for_app, name="inbound"),
    path("inbound/<slug:provider>/<str:token>/", inbound.for_account, name="inbound-account"),
    path("<uuid:integration_id>/", integration.integration, name="integration"),
    path("<uuid:integration_id>/test/", integration.test, name="test"),
    path("<uuid:integration_id>/name/", integration.rename, name="rename"),
    path("<uuid:integration_id>/reconnect/", connect.reconnect, name="reconnect"),
    path("<uuid:integration_id>/disable/", integration.disable, name="disable"),
    path("<uuid:integration_id>/enable/", integration.enable, name="enable"),
    path("<uuid:integration_id>/disconnect/", integration.disconnect, name="disconnect"),
    path("<uuid:integration_id>/webhook-secret/", integration.webhook_secret, name="webhook-secret"),
]
