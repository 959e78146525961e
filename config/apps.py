"""What belongs to no domain: database set-up, operations, page furniture."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """The project itself."""

    name = "config"
