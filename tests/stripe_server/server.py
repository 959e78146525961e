"""The HTTP side: the vendor's addresses, pages for people, and signed deliveries."""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import re
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.stripe_server import forms
from tests.stripe_server.state import Account, Object, Refused, item_of

KEY = "sk_test_standin"
SECRET = "whsec_standin"


class StripeServer:
    """A running stand-in.

    account: its state. requests: (method, path, values) of every call. webhook_url: where events are sent as they
    happen; empty: tests take them from `account.events` and send them by `signed()`. is_down: answers 503.
    """

    def __init__(self) -> None:
        self.account = Account()
        self.requests: list[tuple[str, str, Object]] = []
        self.webhook_url = ""
        self.is_down = False
        self.replies: dict[str, tuple[str, int, Object]] = {}
        self.lock = threading.RLock()
        self._sent = 0
        handler = type("Handler", (_Handler,), {"stripe": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def signed(self, event: Object, *, secret: str = SECRET, age: int = 0) -> tuple[bytes, str]:
        """Return the body and the Stripe-Signature of a delivery."""
        body, at = json.dumps(event).encode(), int(time.time()) - age
        digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        return body, f"t={at},v1={digest}"

    def deliver_new(self) -> None:
        """Send every event that has not been sent to webhook_url, in the order in which they happened."""
        while self.webhook_url and self._sent < len(self.account.events):
            body, signature = self.signed(self.account.events[self._sent])
            self._sent += 1
            headers = {"Stripe-Signature": signature, "Content-Type": "application/json"}
            request = urllib.request.Request(self.webhook_url, body, headers)
            urllib.request.urlopen(request, timeout=20).close()

    def subscription(self) -> Object:
        """Return the newest subscription."""
        return list(self.account.subscriptions.values())[-1]

    def complete_checkout(self, session_id: str, *, card_works: bool = True) -> str:
        """Do what a person does on the checkout page; return where it leads."""
        account, session = self.account, self.account.sessions[session_id]
        if session["status"] != "open":
            raise Refused(400, "The session is not open.")
        (account.good_card.add if card_works else account.good_card.discard)(session["customer"])
        line = session["line_items"][0]
        made = account.subscribe(session["customer"], line["price"], session.get("subscription_data", {}))
        session |= {"status": "complete", "payment_status": "paid", "subscription": made["id"]}
        account.tell("checkout.session.completed", session)
        return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session_id)

    # --- The API --------------------------------------------------------------------------------------------

    def answer(self, method: str, path: str, values: Object) -> Object:
        """Return the answer to a call. Raises Refused."""
        for (wanted, pattern), work in ROUTES.items():
            if wanted == method and (match := re.fullmatch(pattern, path)):
                return work(self, values, *match.groups())
        raise Refused(404, f"Unrecognized request URL ({method}: {path}).")


def _listed(rows: list[Object], values: Object) -> Object:
    """Return a page of rows, newest first."""
    rows.reverse()
    if after := values.get("starting_after"):
        rows = rows[[row["id"] for row in rows].index(after) + 1 :]
    limit = int(values.get("limit", 10))
    return {"object": "list", "data": rows[:limit], "has_more": len(rows) > limit, "url": "/v1"}


def _make_customer(server: StripeServer, values: Object) -> Object:
    key = server.account.new_id("cus")
    server.account.customers[key] = {"object": "customer", **values, "id": key}
    return server.account.customers[key]


def _list_prices(server: StripeServer, values: Object) -> Object:
    wanted = values.get("lookup_keys")
    return _listed(
        [p for p in server.account.prices.values() if not wanted or p["lookup_key"] in wanted], values
    )


def _make_session(server: StripeServer, values: Object) -> Object:
    key = server.account.new_id("cs")
    session: Object = {
        "object": "checkout.session",
        **values,
        "id": key,
        "status": "open",
        "payment_status": "unpaid",
        "url": f"{server.url}/pay/{key}",
        "subscription": None,
    }
    server.account.sessions[key] = session
    return session


def _session(server: StripeServer, values: Object, key: str) -> Object:
    return _found(server.account.sessions, key)


def _make_portal(server: StripeServer, values: Object) -> Object:
    key = server.account.new_id("bps")
    server.account.sessions[key] = {"object": "billing_portal.session", **values, "id": key}
    return {**server.account.sessions[key], "url": f"{server.url}/portal/{key}"}


def _list_subscriptions(server: StripeServer, values: Object) -> Object:
    rows = [
        row
        for row in server.account.subscriptions.values()
        if values.get("customer") in (None, row["customer"])
        and (values.get("status") == "all" or row["status"] != "canceled")
    ]
    page = _listed(rows, values)
    if "data.latest_invoice" in values.get("expand", []):
        page["data"] = [
            {
                **row,
                "latest_invoice": _public(server, server.account.invoices.get(row["latest_invoice"] or "")),
            }
            for row in page["data"]
        ]
    return page


def _change_subscription(server: StripeServer, values: Object, key: str) -> Object:
    return server.account.change(_found(server.account.subscriptions, key), values)


def _cancel_subscription(server: StripeServer, values: Object, key: str) -> Object:
    return server.account.cancel(_found(server.account.subscriptions, key))


def _preview(server: StripeServer, values: Object) -> Object:
    subscription = _found(server.account.subscriptions, values["subscription"])
    wanted = values["subscription_details"]["items"][0]
    if wanted["id"] != item_of(subscription)["id"]:
        raise Refused(400, "No such subscription item.", "resource_missing")
    lines, total, _end = server.account.proration(subscription, wanted["price"])
    data = [{"object": "line_item", "description": text, "amount": cents} for text, cents in lines]
    return {
        "object": "invoice",
        "id": "upcoming_in_1",
        "total": total,
        "amount_due": max(0, total),
        "lines": {"object": "list", "data": data, "has_more": False},
    }


def _list_invoices(server: StripeServer, values: Object) -> Object:
    rows = [row for row in server.account.invoices.values() if row["customer"] == values.get("customer")]
    page = _listed(rows, values)
    page["data"] = [_public(server, row) for row in page["data"]]
    return page


def _public(server: StripeServer, invoice: Object | None) -> Object | None:
    return invoice and {**invoice, "hosted_invoice_url": f"{server.url}{invoice['hosted_invoice_url']}"}


def _found(rows: dict[str, Object], key: str) -> Object:
    if key not in rows:
        raise Refused(404, f"No such object: {key}", "resource_missing")
    return rows[key]


ROUTES: dict[tuple[str, str], Any] = {
    ("POST", "/v1/customers"): _make_customer,
    ("POST", "/v1/products"): lambda server, values: server.account.make_product(values),
    ("POST", "/v1/prices"): lambda server, values: server.account.make_price(values),
    ("GET", "/v1/prices"): _list_prices,
    ("POST", "/v1/checkout/sessions"): _make_session,
    ("GET", "/v1/checkout/sessions/([^/]+)"): _session,
    ("POST", "/v1/billing_portal/sessions"): _make_portal,
    ("GET", "/v1/subscriptions"): _list_subscriptions,
    ("POST", "/v1/subscriptions/([^/]+)"): _change_subscription,
    ("DELETE", "/v1/subscriptions/([^/]+)"): _cancel_subscription,
    ("POST", "/v1/invoices/create_preview"): _preview,
    ("GET", "/v1/invoices"): _list_invoices,
}


class _Handler(BaseHTTPRequestHandler):
    """One request. stripe: the server it belongs to."""

    stripe: StripeServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.startswith("/v1/"):
            self._api("GET", url.path, url.query, "query")
        else:
            self._page(url.path)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        url = urlsplit(self.path)
        if url.path.startswith("/v1/"):
            self._api("POST", url.path, body, "body")
        else:
            self._act(url.path, forms.unfold(body))

    def do_DELETE(self) -> None:
        url = urlsplit(self.path)
        self._api("DELETE", url.path, url.query, "query")

    def _api(self, method: str, path: str, text: str, place: str) -> None:
        stripe, values = self.stripe, forms.unfold(text)
        if stripe.is_down:
            return self._send(503, {"error": {"type": "api_error", "message": "down for maintenance"}})
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return self._send(401, {"error": {"type": "invalid_request_error", "message": "Invalid API Key"}})
        key = self.headers.get("Idempotency-Key", "")
        with stripe.lock:
            if key and key in stripe.replies:
                before, status, reply = stripe.replies[key]
                if before != f"{path}?{text}":
                    message = "Keys for idempotent requests can only be used with the same parameters."
                    return self._send(400, {"error": {"type": "idempotency_error", "message": message}})
                return self._send(status, reply)
            stripe.requests.append((method, path, values))
            try:
                forms.check(method, path, values, place)
                status, reply = 200, json.loads(json.dumps(stripe.answer(method, path, values)))
            except (Refused, forms.Invalid) as error:
                status = getattr(error, "status", 400)
                reply = {
                    "error": {
                        "type": getattr(error, "kind", "invalid_request_error"),
                        "code": getattr(error, "code", "parameter_invalid"),
                        "message": str(error),
                    }
                }
            if key and method == "POST":
                stripe.replies[key] = (f"{path}?{text}", status, reply)
        self._send(status, reply)
        stripe.deliver_new()
        return None

    def _page(self, path: str) -> None:
        kind, _, key = path.strip("/").partition("/")
        session = self.stripe.account.sessions.get(key)
        if session is None or kind not in ("pay", "portal"):
            return self._html(404, "<h1>Not here</h1>")
        buttons = {
            "pay": ("Pay and subscribe", "Card that fails later"),
            "portal": ("Working card", "Bad card"),
        }
        back = html.escape(session.get("cancel_url") or session.get("return_url") or "")
        good, bad = buttons[kind]
        return self._html(
            200,
            f"<h1>Stand-in for Stripe</h1><form method=post><button name=card value=good>{good}</button>"
            f"<button name=card value=bad>{bad}</button></form><a href='{back}'>Back</a>",
        )

    def _act(self, path: str, values: Object) -> None:
        kind, _, key = path.strip("/").partition("/")
        stripe, works = self.stripe, values.get("card") == "good"
        with stripe.lock:
            if kind == "pay":
                # The first payment goes through either way; a bad card fails at the next.
                address = stripe.complete_checkout(key)
                if not works:
                    stripe.account.good_card.discard(stripe.account.sessions[key]["customer"])
            else:
                session = stripe.account.sessions[key]
                customer, address = session["customer"], session["return_url"]
                (stripe.account.good_card.add if works else stripe.account.good_card.discard)(customer)
                for invoice in list(stripe.account.invoices.values()):
                    if works and invoice["customer"] == customer and invoice["status"] == "open":
                        stripe.account.pay(invoice)
        stripe.deliver_new()
        self.send_response(303)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _html(self, status: int, text: str) -> None:
        self._write(
            status, f"<!doctype html><title>Stand-in</title>{text}".encode(), "text/html; charset=utf-8"
        )

    def _send(self, status: int, value: Object) -> None:
        self._write(status, json.dumps(value).encode(), "application/json")

    def _write(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Request-Id", "req_standin")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""
