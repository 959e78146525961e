"""The billing app."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Plans, subscriptions and usage."""

    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"
