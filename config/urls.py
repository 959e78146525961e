"""Every address: one include per app."""

from __future__ import annotations

from django.conf import settings
from django.urls import include, path

from billing.views import stripe_webhook
from config import api
from config.admin import site
from config.views import cron, health, metrics
from workflows.views import help as help_pages

urlpatterns = [
    path("", include("workflows.urls")),
    path("", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("integrations/", include("integrations.urls")),
    path("templates/", include("templates_lib.urls")),
    path("billing/", include("billing.urls")),
    path("admin/", site.urls),
    path("api/cron/<slug:name>", cron.run_job, name="cron-job"),
    path("api/v1/", include((api.urlpatterns(), "api"))),
    path("help/", help_pages.help_page, name="help"),
    path("stripe/webhook/", stripe_webhook.receive, name="stripe-webhook"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", metrics.metrics, name="metrics"),
]

if settings.DEBUG:
    from config.views.styleguide import styleguide

    urlpatterns += [path("styleguide/", styleguide, name="styleguide")]

handler400 = "config.views.errors.bad_request"
handler403 = "config.views.errors.permission_denied"
handler404 = "config.views.errors.not_found"
handler500 = "config.views.errors.server_error"
