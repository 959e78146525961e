"""What goes wrong with calls to PayPal, and what to do about it."""

from integrations.framework import ConnectorError, PermanentError, Response, TemporaryError, dig

MEANINGS = {
    "ORDER_NOT_APPROVED": "The buyer has not approved this order yet. Start on “An order is approved by the buyer”.",
    "ORDER_ALREADY_CAPTURED": "The money of this order has been taken already.",
    "CAPTURE_FULLY_REFUNDED": "This payment has been paid back in full already.",
    "REFUND_AMOUNT_EXCEEDED": "This is more than what is left of the payment.",
    "INSTRUMENT_DECLINED": "The buyer's way to pay was declined. Ask the buyer to choose another one.",
    "SUBSCRIPTION_STATUS_INVALID": "The subscription is not in a state that allows this.",
    "WEBHOOK_NUMBER_LIMIT_EXCEEDED": "Your PayPal app has used up its ten webhook addresses. Remove one that is no "
    "longer needed under Apps & Credentials in the PayPal developer dashboard.",
    "INSUFFICIENT_FUNDS": "The PayPal account does not hold enough money for this.",
}


def failure(response: Response) -> ConnectorError | None:
    name = str(dig(response.json, "name") or "")
    issue = str(dig(response.json, "details.0.issue") or "")
    if "PREVIOUS_REQUEST_IN_PROGRESS" in (name, issue):
        return TemporaryError(
            "PayPal was still busy with the same request. We will try again.",
            status=response.status,
            code=issue or name,
        )
    for code in (issue, name):
        if code in MEANINGS:
            return PermanentError(MEANINGS[code], status=response.status, code=code)
    if response.status == 403:
        return PermanentError(
            "Your PayPal app may not do that. Switch the feature on under Apps & Credentials in the PayPal "
            "developer dashboard, then reconnect.",
            status=403,
            code=issue or name,
        )
    return None
