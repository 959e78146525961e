"""The integrations app."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Connectors and an organization's accounts at them."""

    name = "integrations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from integrations import credentials  # noqa: F401  (registers the checks of the key)
