"""The workflows app."""

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    """Workflows, versions and executions."""

    name = "workflows"
    default_auto_field = "django.db.models.BigAutoField"
