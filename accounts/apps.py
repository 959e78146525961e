"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Identity and tenancy."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import sign_in, sign_in_events  # noqa: F401  (connect their signal receivers)
        from accounts.tenancy import checks  # noqa: F401  (registers the system check)
