"""Everything a connector is made of. Import from here: `from integrations.framework import Action, Connector, ...`.

How to write one connector in one file
======================================

1. Make `integrations/connectors/<slug>.py`, slug = the provider value in lower case (`woo_commerce`), holding
   `connector = Connector(slug=..., name=..., category=..., summary=..., docs_url=..., base_url=..., ...)`.
   Nothing else registers it. Copy the nearest one: `slack.py` (OAuth2, failures hidden in 200s, cursor pages,
   an app-wide webhook), `stripe.py` (API key, bracketed form bodies, idempotency keys, a webhook subscription made
   through the API, polling), `openai.py` (files, binary answers, rate-limit headers).
2. Actions. Prefer `call="POST /contacts/{id}"` with fields: each given value goes to the path when named there, else to
   the query (GET, DELETE) or the body; `Field(send="profile.email")` nests, `place="query"` moves it.
   Use `request=lambda inputs: Request(...)` when the body has another shape, and a generator for several calls
   (`run=`):

       def upload(call):
           answer = yield Request("POST", "/files/start", json={"name": call.inputs["name"]})
           yield Request("PUT", answer.json["url"], content=..., authenticate=False)
           return {"id": answer.json["id"]}

   Inputs hold only what was given: empty texts and missing optional values are already gone, so use `.get()` and
   `given()`; None members are dropped at the top level of query, form and json.
   Every required field has an `example` (contract tests build requests from it), every listing action a
   `pagination` (`max_results` comes by itself) and, when a field's `options` names it, `offers`.
   `returns` maps output names to paths in the answer: `{"id": "id", "items": Output("data", kind="list", of={...})}`;
   `Output("", kind="object")` is the whole body.
3. Effect of each action, honestly: `read`; `key_safe` (with the connector's or the action's `idempotency`);
   `checkable` (with `look_up`); `unsafe` for everything else. PUT of a whole state and DELETE of an id are
   `key_safe` without a key when the service makes repeats harmless: set `effect="key_safe"` and say why.
4. Failures. `check` looks at answers below 400 that hide a failure; `on_error` refines those from 400 on (429 for a
   spent quota is permanent); raise TemporaryError (retry helps), PermanentError (it does not), ReconnectError (the
   credential is dead).
   What reusable pieces there are: signatures.py and signed_tokens.py (schemes), handshakes.py (echo_header for Asana,
   echo_query for Graph, echo_json for monday, keep_json for Notion, answer_methods for Trello and Mailchimp).
5. Triggers. `Trigger(kind="webhook", event=..., sample=...)` under the connector's `webhooks=Webhooks(...)`, or
   `Trigger(kind="polling", poll=Poll(...))`. Samples are payloads of the service's own shape.
   `follow_up=FollowUp(...)` on either fetches what a notice or list entry only names; `Poll(position=...)` goes on
   from a token of the service's own, `whole=True` tells a value that changed and changed back.
6. `test=Test(Request("GET", "/me"), account={"user_id": "id"}, label="name")`, `account=` for what a base URL needs.
7. The test file `tests/integrations/test_<slug>.py` starts from `tests/integrations/checks.py`; the contract
   harness in `tests/contract` picks the connector up by itself.
"""

from integrations.framework.auth import ApiKey, Basic, BearerToken, BotToken, NoAuth, OAuth2
from integrations.framework.definition import (
    Action,
    Call,
    Connector,
    Idempotency,
    LookUp,
    Offers,
    RateLimit,
    Test,
    extract,
    fields_schema,
)
from integrations.framework.errors import (
    AddressRefused,
    ConnectorError,
    PermanentError,
    ReconnectError,
    TemporaryError,
    vendor_message,
)
from integrations.framework.fields import Field, Output
from integrations.framework.handshakes import (
    answer_methods,
    echo_header,
    echo_json,
    echo_query,
    first_of,
    keep_json,
)
from integrations.framework.messages import (
    File,
    Inbound,
    Reply,
    Request,
    Response,
    file_value,
    given,
    read_file,
)
from integrations.framework.pagination import CursorPages, LinkPages, NumberedPages, OffsetPages
from integrations.framework.paths import dig
from integrations.framework.signatures import (
    Ecdsa,
    Ed25519,
    Hmac,
    Refused,
    SharedToken,
    StandardWebhooks,
    TimestampedHmac,
    Verified,
    token_in_header,
    token_in_query,
)
from integrations.framework.signed_tokens import CertificateSignature, JwtHs256
from integrations.framework.triggers import FollowUp, Poll, Subscription, Trigger, Webhooks

__all__ = [
    "Action",
    "AddressRefused",
    "ApiKey",
    "Basic",
    "BearerToken",
    "BotToken",
    "Call",
    "CertificateSignature",
    "Connector",
    "ConnectorError",
    "CursorPages",
    "Ecdsa",
    "Ed25519",
    "Field",
    "File",
    "FollowUp",
    "Hmac",
    "Idempotency",
    "Inbound",
    "JwtHs256",
    "LinkPages",
    "LookUp",
    "NoAuth",
    "NumberedPages",
    "OAuth2",
    "Offers",
    "OffsetPages",
    "Output",
    "PermanentError",
    "Poll",
    "RateLimit",
    "ReconnectError",
    "Refused",
    "Reply",
    "Request",
    "Response",
    "SharedToken",
    "StandardWebhooks",
    "Subscription",
    "TemporaryError",
    "Test",
    "TimestampedHmac",
    "Trigger",
    "Verified",
    "Webhooks",
    "answer_methods",
    "dig",
    "echo_header",
    "echo_json",
    "echo_query",
    "extract",
    "fields_schema",
    "file_value",
    "first_of",
    "given",
    "keep_json",
    "read_file",
    "token_in_header",
    "token_in_query",
    "vendor_message",
]
