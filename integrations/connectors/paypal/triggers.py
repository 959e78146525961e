"""Events of a PayPal account that start a workflow."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.connectors.paypal.shapes import ORDER, PAYMENT, amounts
from integrations.framework import Field, NumberedPages, Output, Poll, Request, Trigger, dig

LOOK_BACK = timedelta(
    days=3
)  # transactions are listed up to three hours late; the rest is for our own downtime
MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def event(type_: str, kind: str, **resource: Any) -> dict[str, Any]:
    """Return a sample delivery in the shape of a PayPal event."""
    return {
        "id": "WH-58D329510W468432D-8HN650336L201105X",
        "create_time": "2026-11-22T09:30:00.000Z",
        "resource_type": kind,
        "event_type": type_,
        "event_version": "1.0",
        "resource_version": "2.0",
        "summary": "An event",
        "resource": resource,
        "links": [],
    }


def of_wanted_plan(event: Any, config: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    return not config.get("plan_id") or dig(event, "resource.plan_id") == config["plan_id"]


def recent_transactions(config: Mapping[str, Any], since: Any) -> Request:
    now = datetime.now(UTC)
    return Request(
        "GET",
        "/v1/reporting/transactions",
        query={
            "start_date": (now - LOOK_BACK).strftime(MOMENT),
            "end_date": now.strftime(MOMENT),
            "fields": "transaction_info,payer_info",
            "page_size": 500,
            "page": 1,
        },
    )


CAPTURE = {
    "id": "2GG279541U471931P",
    "status": "COMPLETED",
    "amount": {"currency_code": "EUR", "value": "49.00"},
    "invoice_id": "R-1042",
    "custom_id": "1042",
    "create_time": "2026-11-22T09:30:00Z",
}

TRIGGERS = (
    Trigger(
        key="payment_captured",
        label="A payment arrives",
        event="PAYMENT.CAPTURE.COMPLETED",
        root="resource",
        returns=PAYMENT,
        sample=event("PAYMENT.CAPTURE.COMPLETED", "capture", **CAPTURE),
    ),
    Trigger(
        key="order_approved",
        label="An order is approved by the buyer",
        description="Follow it with “Take the money of an order”.",
        event="CHECKOUT.ORDER.APPROVED",
        root="resource",
        returns=ORDER,
        sample=event(
            "CHECKOUT.ORDER.APPROVED",
            "checkout-order",
            id="5O190127TN364715T",
            status="APPROVED",
            intent="CAPTURE",
            payer={"email_address": "ada@example.com", "payer_id": "QYR5Z8XDVJNXQ"},
            purchase_units=[{"amount": {"currency_code": "EUR", "value": "49.00"}, "custom_id": "1042"}],
            create_time="2026-11-22T09:29:00Z",
        ),
    ),
    Trigger(
        key="invoice_paid",
        label="An invoice is paid",
        event="INVOICING.INVOICE.PAID",
        root="resource.invoice",
        returns={
            "id": "id",
            "status": "status",
            "invoice_number": "detail.invoice_number",
            "recipient_email": "primary_recipients.0.billing_info.email_address",
            **amounts("amount"),
        },
        sample=event(
            "INVOICING.INVOICE.PAID",
            "invoices",
            invoice={
                "id": "INV2-Z56S-5LLA-Q52L-CPZ5",
                "status": "PAID",
                "detail": {"invoice_number": "R-1042", "currency_code": "EUR"},
                "primary_recipients": [{"billing_info": {"email_address": "ada@example.com"}}],
                "amount": {"currency_code": "EUR", "value": "49.00"},
            },
        ),
    ),
    Trigger(
        key="subscription_cancelled",
        label="A subscription is cancelled",
        event="BILLING.SUBSCRIPTION.CANCELLED",
        root="resource",
        fields=(
            Field("plan_id", label="Only of this plan", options="list_plans", example="P-5ML4271244454362W"),
        ),
        accepts=of_wanted_plan,
        returns={
            "id": "id",
            "status": "status",
            "plan_id": "plan_id",
            "email": "subscriber.email_address",
            "reason": "status_change_note",
        },
        sample=event(
            "BILLING.SUBSCRIPTION.CANCELLED",
            "subscription",
            id="I-BW452GLLEP1G",
            status="CANCELLED",
            plan_id="P-5ML4271244454362W",
            subscriber={"email_address": "ada@example.com"},
            status_change_note="Moved away",
        ),
    ),
    Trigger(
        key="refunded",
        label="A payment is refunded",
        event="PAYMENT.CAPTURE.REFUNDED",
        root="resource",
        returns=PAYMENT,
        sample=event("PAYMENT.CAPTURE.REFUNDED", "refund", **{**CAPTURE, "id": "1JU08902781691411"}),
    ),
    Trigger(
        key="transactions_poll",
        label="New transaction (checked every few minutes)",
        description="Every movement of money, up to three hours late. Your app needs “Transaction search”.",
        kind="polling",
        poll=Poll(
            request=recent_transactions,
            items="transaction_details",
            id="transaction_info.transaction_id",
            # No stamp: one that is listed late is older than what was seen before it.
            order="oldest_first",
            pagination=NumberedPages(
                items="transaction_details", size=500, size_into="page_size", total_pages="total_pages"
            ),
        ),
        returns={
            "id": "transaction_info.transaction_id",
            "status": "transaction_info.transaction_status",
            "kind": Output("transaction_info.transaction_event_code", label="PayPal's code of the kind"),
            **amounts("transaction_info.transaction_amount"),
            "fee": "transaction_info.fee_amount.value",
            "invoice_id": "transaction_info.invoice_id",
            "custom_id": "transaction_info.custom_field",
            "payer_email": "payer_info.email_address",
            "happened_at": "transaction_info.transaction_initiation_date",
        },
        sample={
            "transaction_info": {
                "transaction_id": "5TY05013RG002845M",
                "transaction_event_code": "T0006",
                "transaction_initiation_date": "2026-11-22T09:30:00+0000",
                "transaction_status": "S",
                "transaction_amount": {"currency_code": "EUR", "value": "49.00"},
                "fee_amount": {"currency_code": "EUR", "value": "-1.57"},
                "invoice_id": "R-1042",
            },
            "payer_info": {"email_address": "ada@example.com"},
        },
    ),
)
