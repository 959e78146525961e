"""What may start a workflow: the shape of every trigger."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from workflows.definition import limits
from workflows.definition.shapes import (
    Condition,
    Duration,
    Identifier,
    JsonSchema,
    Name,
    Shape,
    Template,
    Value,
)


class TriggerBase(Shape):
    """Keys that every trigger has."""

    id: Identifier | None = Field(None, description="Short name, unique among the triggers.")
    name: Name = ""
    disabled: bool = False


class ManualTrigger(TriggerBase):
    """A person presses Run; the workflow's inputs make the form."""

    type: Literal["manual"]


class ApiTrigger(TriggerBase):
    """A program starts a run with an API key."""

    type: Literal["api"]


class WebhookAuth(Shape):
    """How a webhook knows its caller. Secrets are kept beside the workflow, never in the definition."""

    method: Literal["none", "header", "basic", "hmac", "provider"] = "none"
    header: str = Field("", max_length=100, description="header, hmac: name of the HTTP header.")
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = Field("", max_length=40, description='hmac: text before the signature, like "sha256=".')
    timestamp_header: str = Field(
        "", max_length=100, description="hmac: header signed together with the body."
    )
    tolerance: Duration = Field("5m", description="hmac: how old a signed request may be.")
    provider: str = Field("", max_length=64, description="provider: whose signature scheme to use.")
    integration: str | None = Field(None, description="provider: account that holds the signing secret.")
    secret: str | None = Field(None, max_length=64, description="Name of the stored secret.")


WebhookMethod = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class WebhookTrigger(TriggerBase):
    """An HTTP request to the workflow's own address."""

    type: Literal["webhook"]
    token: str | None = Field(None, min_length=16, max_length=64, description="Last part of the address.")
    auth: WebhookAuth = Field(default_factory=lambda: WebhookAuth())
    methods: list[WebhookMethod] = ["POST"]
    dedupe_key: Template | None = Field(None, description="Requests with the same key start one run only.")
    filter: Condition | None = Field(None, description="Only requests for which this holds start a run.")
    respond: Literal["immediately", "when_done", "by_step"] = "immediately"
    respond_timeout: Duration = Field("30s", description="when_done, by_step: then the answer is 202.")


class PauseDates(Shape):
    """Days on which a schedule rests, both included."""

    start: Annotated[str, Field(json_schema_extra={"format": "date"})]
    end: Annotated[str, Field(json_schema_extra={"format": "date"})]


class ScheduleTrigger(TriggerBase):
    """At set times."""

    type: Literal["schedule"]
    cron: str | None = Field(None, max_length=200, description="Five fields: minute hour day month weekday.")
    every: Duration | None = Field(None, description="A fixed interval, at least one minute.")
    timezone: str | None = Field(None, max_length=64, description="Empty: the organization's.")
    missed: Literal["run_once", "run_all", "skip"] = Field("run_once", description="After an outage.")
    overlap: Literal["queue", "skip", "allow"] = Field("queue", description="When the last run is not done.")
    pause: list[PauseDates] = Field(default_factory=list, max_length=100)
    input: Value = Field(None, description="Handed to the run as its inputs.")


class ProviderTrigger(TriggerBase):
    """Something happened in a connected service."""

    type: Literal["provider"]
    provider: str = Field(min_length=1, max_length=64)
    event: str = Field(min_length=1, max_length=64)
    integration: str | None = None
    filter: Condition | None = None
    with_: dict[str, Value] = Field(default_factory=dict, alias="with", description="The event's settings.")


class FormTrigger(TriggerBase):
    """A person fills in a page that we host."""

    type: Literal["form"]
    token: str | None = Field(None, min_length=16, max_length=64, description="Last part of the address.")
    title: Name = Field(min_length=1)
    description: str = Field("", max_length=limits.MAX_NOTE_LENGTH)
    form: JsonSchema = Field(alias="schema", description="The fields of the form.")
    submit_label: str = Field("", max_length=60)
    thanks: str = Field("", max_length=1_000, description="Shown after sending.")
    require_login: bool = Field(False, description="Only members of the organization may send it.")


TRIGGER_MODELS: dict[str, type[TriggerBase]] = {
    "manual": ManualTrigger, "api": ApiTrigger, "webhook": WebhookTrigger, "schedule": ScheduleTrigger,
    "provider": ProviderTrigger, "form": FormTrigger,
}  # fmt: skip


def _trigger_tag(data: Any) -> str:
    return f"type:{data.get('type') if isinstance(data, dict) else getattr(data, 'type', None)}"


Trigger = Annotated[
    Annotated[ManualTrigger, Tag("type:manual")]
    | Annotated[ApiTrigger, Tag("type:api")]
    | Annotated[WebhookTrigger, Tag("type:webhook")]
    | Annotated[ScheduleTrigger, Tag("type:schedule")]
    | Annotated[ProviderTrigger, Tag("type:provider")]
    | Annotated[FormTrigger, Tag("type:form")],
    Discriminator(_trigger_tag),
]
