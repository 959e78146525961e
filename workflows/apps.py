"""The workflows app."""

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    """Workflows, versions and executions."""

    name = "workflows"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let runs that are held for an account go on as soon as it works again; count the inbox in the sidebar."""
        from config.navigation import register_count
        from integrations.connecting import register_farewells, register_on_reconnected
        from integrations.health import register_on_healed
        from integrations.usage import register_usage
        from workflows import access
        from workflows.queries.account_usage import usage_of
        from workflows.runner.wake import integration_reconnected
        from workflows.triggers import subscriptions

        register_on_healed(integration_reconnected)
        register_on_healed(subscriptions.account_healed)
        register_on_reconnected(subscriptions.account_reconnected)
        register_farewells(subscriptions.farewells)
        register_usage(usage_of)
        register_count("workflows:approvals", access.waiting_for_me)
