"""Addresses of the billing app."""

from __future__ import annotations

from django.urls import path

from billing.views import overview, payment

app_name = "billing"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("usage.csv", overview.usage_csv, name="usage-csv"),
    path("payment/checkout/", payment.checkout, name="checkout"),
    path("payment/done/", payment.done, name="checkout-done"),
    path("payment/portal/", payment.portal, name="portal"),
    path("payment/change/", payment.change, name="change"),
    path("payment/cancellation/", payment.cancellation, name="cancellation"),
    path("payment/resumption/", payment.resumption, name="resumption"),
    path("payment/invoices/", payment.invoices, name="invoices"),
]
