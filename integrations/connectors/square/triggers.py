"""Events of a seller's account that start a workflow."""

from collections.abc import Mapping
from typing import Any

from integrations.connectors.square.shapes import ANY_LOCATION, CUSTOMER, INVOICE, ORDER, PAYMENT, below
from integrations.framework import CursorPages, Field, FollowUp, Output, Poll, Request, Trigger, dig


def event(type_: str, kind: str, id_: str, **object_: Any) -> dict[str, Any]:
    """Return a sample delivery in the shape of a Square event."""
    return {
        "merchant_id": "6SSW7HV8K2ST5",
        "location_id": "L88917AVBK2S5",
        "type": type_,
        "event_id": "13b867cf-db3d-4b1c-90b6-2f32a9d78124",
        "created_at": "2026-11-22T09:30:00.000Z",
        "data": {"type": kind, "id": id_, "object": object_},
    }


PAYMENT_SAMPLE = {
    "id": "R2B3Z8WMVt3EAmzYWLZvz7Y69EbZY",
    "status": "COMPLETED",
    "amount_money": {"amount": 4900, "currency": "EUR"},
    "order_id": "CAISENgvlJ6jLWAzERDzjyHVybY",
    "customer_id": "JDKYHBWT1D4F8MFH63DBMEN8Y4",
    "buyer_email_address": "ada@example.com",
    "location_id": "L88917AVBK2S5",
    "receipt_url": "https://squareup.com/receipt/preview/R2B3Z8WMVt3EAmzYWLZvz7Y69EbZY",
    "created_at": "2026-11-22T09:29:00.000Z",
    "updated_at": "2026-11-22T09:30:00.000Z",
}


def wanted_payment(event: Any, config: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    payment = dig(event, "data.object.payment") or {}
    return all(
        not config.get(name) or payment.get(name) == config[name] for name in ("location_id", "status")
    )


def wanted_order(event: Any, config: Mapping[str, Any], account: Mapping[str, Any]) -> bool:
    place = dig(event, "data.object.order_created.location_id")
    return not config.get("location_id") or place == config["location_id"]


def order_of(event: Any, account: Mapping[str, Any]) -> Request | None:
    order = dig(event, "data.object.order_created.order_id")
    return Request("GET", "/v2/orders/{order_id}", at={"order_id": order}) if order else None


TRIGGERS = (
    Trigger(
        key="payment_created",
        label="New payment",
        description="Also payments that are only approved so far: look at the status.",
        event="payment.created",
        root="data.object.payment",
        fields=(ANY_LOCATION,),
        accepts=wanted_payment,
        returns=PAYMENT,
        sample=event("payment.created", "payment", PAYMENT_SAMPLE["id"], payment=PAYMENT_SAMPLE),
    ),
    Trigger(
        key="payment_updated",
        label="A payment is completed or changes",
        event="payment.updated",
        root="data.object.payment",
        fields=(
            ANY_LOCATION,
            Field(
                "status",
                label="Only with this status",
                kind="select",
                choices=("APPROVED", "COMPLETED", "CANCELED", "FAILED"),
                example="COMPLETED",
            ),
        ),
        accepts=wanted_payment,
        returns=PAYMENT,
        sample=event("payment.updated", "payment", PAYMENT_SAMPLE["id"], payment=PAYMENT_SAMPLE),
    ),
    Trigger(
        key="order_created",
        label="New order",
        event="order.created",
        fields=(ANY_LOCATION,),
        accepts=wanted_order,
        follow_up=FollowUp(order_of, into="order", read=lambda response: dig(response.json, "order")),
        returns={
            "order_id": "data.object.order_created.order_id",
            **{key: value for key, value in below("order", ORDER).items() if key != "id"},
            "state": "data.object.order_created.state",
            "version": Output("data.object.order_created.version", kind="integer"),
        },
        sample=event(
            "order.created",
            "order_created",
            "CAISENgvlJ6jLWAzERDzjyHVybY",
            order_created={
                "order_id": "CAISENgvlJ6jLWAzERDzjyHVybY",
                "location_id": "L88917AVBK2S5",
                "state": "OPEN",
                "version": 1,
                "created_at": "2026-11-22T09:30:00.000Z",
            },
        ),
    ),
    Trigger(
        key="customer_created",
        label="New customer",
        event="customer.created",
        root="data.object.customer",
        returns=CUSTOMER,
        sample=event(
            "customer.created",
            "customer",
            "JDKYHBWT1D4F8MFH63DBMEN8Y4",
            customer={
                "id": "JDKYHBWT1D4F8MFH63DBMEN8Y4",
                "email_address": "ada@example.com",
                "given_name": "Ada",
                "family_name": "Lovelace",
                "created_at": "2026-11-22T09:30:00.000Z",
                "version": 0,
            },
        ),
    ),
    Trigger(
        key="invoice_paid",
        label="A payment for an invoice arrives",
        description="The whole amount or a part of it: the status tells.",
        event="invoice.payment_made",
        root="data.object.invoice",
        returns=INVOICE,
        sample=event(
            "invoice.payment_made",
            "invoice",
            "inv:0-ChCHu2mZEabLeeHahQnXDjZQECY",
            invoice={
                "id": "inv:0-ChCHu2mZEabLeeHahQnXDjZQECY",
                "version": 2,
                "status": "PAID",
                "invoice_number": "000042",
                "order_id": "CAISENgvlJ6jLWAzERDzjyHVybY",
                "title": "Garden chairs",
                "public_url": "https://squareup.com/pay-invoice/invtmp:5e22a2c2",
            },
        ),
    ),
    Trigger(
        key="payments_poll",
        label="New or changed payment (checked every few minutes)",
        kind="polling",
        fields=(ANY_LOCATION,),
        poll=Poll(
            request=lambda config, since: Request(
                "GET",
                "/v2/payments",
                query={
                    "updated_at_begin_time": since,
                    "location_id": config.get("location_id") or None,
                    "sort_field": "UPDATED_AT",
                    "sort_order": "DESC",
                    "limit": 100,
                },
            ),
            items="payments",
            id=("id", "updated_at"),
            stamp="updated_at",
            pagination=CursorPages(items="payments", into="cursor", cursor="cursor"),
        ),
        returns=PAYMENT,
        sample=PAYMENT_SAMPLE,
    ),
)
