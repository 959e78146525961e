"""The integrations app."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Connectors and an organization's accounts at them."""

    name = "integrations"
    default_auto_field = "django.db.models.BigAutoField"
