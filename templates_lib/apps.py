"""The templates_lib app."""

from django.apps import AppConfig


class TemplatesLibConfig(AppConfig):
    """The template gallery."""

    name = "templates_lib"
    default_auto_field = "django.db.models.BigAutoField"
