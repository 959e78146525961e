"""The shape of every step type: which keys it has, what they mean, and what they may hold."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag
from typing_extensions import TypeAliasType

from workflows.definition import limits
from workflows.definition.shapes import (
    Condition,
    Duration,
    DurationOrTemplate,
    Identifier,
    JsonSchema,
    Name,
    Shape,
    Template,
    Value,
    whole_number,
)


class Retry(Shape):
    """When a step that failed for a passing reason runs again."""

    attempts: int = Field(
        3, ge=1, le=limits.MAX_ATTEMPTS, description="Tries in all, the first one included."
    )
    backoff: Duration = Field("2s", description="Base of the wait; it doubles with each try, with jitter.")
    max_delay: Duration = Field("15m", description="No wait between two tries is longer than this.")


class StepBase(Shape):
    """Keys that every step has."""

    id: Identifier = Field(description="Short name, unique in the workflow: steps.<id>.output is its result.")
    name: Name = Field("", description="What people read.")
    condition: Condition | None = Field(
        None, alias="if", description="The step is skipped unless this holds."
    )
    retry: Retry | None = None
    on_error: "OnError" = Field(
        "fail", description="fail the run, continue with the next step, or run these steps."
    )
    timeout: Duration | None = Field(None, description="The step fails when it takes longer.")
    note: str = Field(
        "", max_length=limits.MAX_NOTE_LENGTH, description="For the people who edit the workflow."
    )
    disabled: bool = Field(False, description="The step is passed over, as if it were not there.")

    @property
    def label(self) -> str:
        """The name people gave the step, or its id."""
        return self.name or self.id


class ActionStep(StepBase):
    """Do something in a connected service."""

    type: Literal["action"]
    provider: str = Field(min_length=1, max_length=64, description="The connector, like slack.")
    operation: str = Field(
        min_length=1, max_length=64, description="The connector's operation, like post_message."
    )
    integration: str | None = Field(
        None, description="Id or name of the account; empty: the only one there is."
    )
    with_: dict[str, Value] = Field(default_factory=dict, alias="with", description="The operation's fields.")


class Pagination(Shape):
    """How an http step follows further pages; the bodies' items are joined into one list."""

    mode: Literal["link", "cursor", "page", "offset"] = Field(description="link: Link header with rel=next.")
    items: str = Field(
        "", max_length=200, description="Dotted path of the list inside the body; empty: the body."
    )
    cursor: str = Field("", max_length=200, description="Dotted path of the next cursor inside the body.")
    parameter: str = Field(
        "", max_length=100, description="Query parameter that takes the cursor, page or offset."
    )
    start: int = Field(1, ge=0, description="The first page number, or the first offset.")
    page_size: int = Field(100, ge=1, le=10_000, description="How far an offset moves.")
    max_pages: int = Field(10, ge=1, le=limits.MAX_PAGES)


Method = Annotated[
    Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"],
    BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
]


class HttpStep(StepBase):
    """Call any HTTP address."""

    type: Literal["http"]
    method: Method = "GET"
    url: Template = Field(min_length=1)
    headers: dict[str, Value] = Field(default_factory=dict)
    query: dict[str, Value] = Field(default_factory=dict)
    json_body: Value = Field(None, alias="json", description="Sent as JSON.")
    form: dict[str, Value] | None = Field(None, description="Sent as form fields.")
    body: Template | None = Field(None, description="Sent as it is.")
    integration: str | None = Field(None, description="Account whose credentials sign the request.")
    pagination: Pagination | None = None
    allow_errors: bool = Field(False, description="A status of 400 or above is a result, not a failure.")


class ToolRef(Shape):
    """One thing an agent may do: an operation of a connector, or another workflow."""

    provider: str | None = None
    operation: str | None = None
    integration: str | None = None
    workflow: str | None = None
    description: str = Field("", max_length=1_000)
    approval: bool = Field(False, description="A person confirms each use before it happens.")


class AiBudget(Shape):
    """Where an ai step stops, whatever the model wants."""

    tokens: int | None = Field(None, ge=1)
    cost_cents: int | None = Field(None, ge=1)
    turns: int | None = Field(None, ge=1, le=100, description="Model calls of an agent.")


class AiStep(StepBase):
    """Ask a language model."""

    type: Literal["ai"]
    operation: Literal["generate", "extract", "classify", "summarize", "transcribe", "agent"] = "generate"
    integration: str | None = Field(None, description="The AI account; empty: the organization's default.")
    model: str | None = Field(None, max_length=200)
    system: Template = ""
    prompt: Template = Field(
        "", description="What is asked. Values from earlier steps are marked as data for the model."
    )
    images: Value = Field(None, description="Pictures for the model to look at: a file, or a list of files.")
    file: Value = Field(None, description="transcribe: the recording.")
    language: str = Field(
        "", max_length=10, description="transcribe: two letters, like en; empty: found out."
    )
    redact: bool = Field(
        False, description="E-mail addresses, phone and card numbers are taken out of what is sent."
    )
    output_schema: JsonSchema | None = Field(None, alias="schema", description="Shape of the answer.")
    labels: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default_factory=list, max_length=limits.MAX_LABELS, description="What classify chooses from."
    )
    tools: list[ToolRef] = Field(default_factory=list, max_length=limits.MAX_TOOLS)
    temperature: float | None = Field(None, ge=0, le=2)
    max_tokens: int | None = Field(None, ge=1, le=1_000_000)
    budget: AiBudget | None = None


class SetStep(StepBase):
    """Keep values under names; later steps read them as vars.<name> too."""

    type: Literal["set"]
    values: dict[str, Value]


TransformOperation = Literal[
    "filter", "map", "sort", "limit", "unique", "aggregate", "group", "flatten", "merge", "chunk",
    "split", "join", "text", "parse_csv", "to_csv", "parse_json", "to_json", "date",
]  # fmt: skip
Measure = Literal["sum", "average", "min", "max", "count", "first", "last", "list"]


class Aggregation(Shape):
    """One figure over a list."""

    function: Measure
    value: Value = Field("{{ item }}", description="What is taken from each item.")


class TransformStep(StepBase):
    """Reshape a list, text, table or date. Inside where, value and by, `item` is the current entry."""

    type: Literal["transform"]
    operation: TransformOperation
    items: Value = Field(None, description="The list to work on, usually one {{ ... }}.")
    where: Condition | None = Field(None, description="filter: which items stay.")
    value: Value = Field(None, description="map: what each item becomes; parse, text, date: what to work on.")
    by: Value = Field(None, description="sort, unique, group: what to compare, like {{ item.email }}.")
    order: Literal["ascending", "descending"] = "ascending"
    count: Annotated[Value, BeforeValidator(whole_number(0, 1_000_000))] = Field(
        None, description="limit: how many stay; chunk: size of each piece."
    )
    offset: Annotated[Value, BeforeValidator(whole_number(0, 1_000_000))] = Field(
        0, description="limit: skip first."
    )
    measures: dict[str, Aggregation] = Field(
        default_factory=dict, description="aggregate, group: figures by name."
    )
    separator: str = Field(",", max_length=100)
    function: (
        Literal["upper", "lower", "title", "trim", "replace", "extract", "slug", "truncate", "lines"] | None
    ) = None
    pattern: str = Field("", max_length=limits.MAX_PATTERN_LENGTH, description="text: what to find, a regex.")
    replacement: Template = ""
    columns: list[str] = Field(default_factory=list, description="to_csv: the columns and their order.")
    delimiter: str = Field(",", min_length=1, max_length=1)
    header: bool = Field(True, description="The first line of the CSV holds the names of the columns.")
    input_format: str = Field("", max_length=100, description="date: strptime format; empty: recognised.")
    output_format: str = Field("", max_length=100, description="date: strftime format; empty: ISO 8601.")
    timezone: str = Field("", max_length=64, description="Name like Europe/Paris; empty: the organization's.")
    add: Annotated[str, Field(max_length=1_000)] = Field(
        "", description="date: length of time to add, like 3d."
    )
    subtract: Annotated[str, Field(max_length=1_000)] = Field(
        "", description="date: length of time to take away."
    )
    start_of: Literal["minute", "hour", "day", "week", "month", "quarter", "year"] | None = None


class CodeStep(StepBase):
    """Run a short program that has its inputs and nothing else: no files, no network, no clock."""

    type: Literal["code"]
    language: Literal["python", "javascript"] = "python"
    source: str = Field(min_length=1, max_length=limits.MAX_SOURCE_LENGTH)
    inputs: dict[str, Value] = Field(default_factory=dict, description="Names the program can read.")


class Branch(Shape):
    """One way through a branch step."""

    name: Identifier
    title: Name = ""
    when: Condition
    steps: "Steps"


class BranchStep(StepBase):
    """Go the first way whose condition holds."""

    type: Literal["branch"]
    branches: list[Branch] = Field(min_length=1, max_length=limits.MAX_BRANCHES)
    otherwise: "Steps | None" = Field(None, description="Taken when no condition holds.")


class Lane(Shape):
    """One of the ways that a parallel step goes at the same time."""

    name: Identifier
    title: Name = ""
    steps: "Steps"


class ParallelStep(StepBase):
    """Go several ways at once, and continue when all are done."""

    type: Literal["parallel"]
    branches: list[Lane] = Field(min_length=1, max_length=limits.MAX_BRANCHES)


class LoopStep(StepBase):
    """Do the same for every item of a list."""

    type: Literal["loop"]
    items: Value = Field(description="The list, usually one {{ ... }}.")
    as_: Identifier = Field(limits.DEFAULT_LOOP_NAME, alias="as", description="Name of the current item.")
    concurrency: int = Field(1, ge=1, le=limits.MAX_LOOP_CONCURRENCY, description="How many items at once.")
    steps: "Steps"


class RepeatStep(StepBase):
    """Do the same until something holds."""

    type: Literal["repeat"]
    steps: "Steps"
    until: Condition
    max_times: int = Field(10, ge=1, le=limits.MAX_REPEATS)
    delay: DurationOrTemplate | None = Field(None, description="Wait between two rounds.")


class DelayStep(StepBase):
    """Wait for a length of time, or until a moment; costs nothing meanwhile."""

    type: Literal["delay"]
    for_: DurationOrTemplate | None = Field(None, alias="for")
    until: Template | None = Field(None, description="A date and time, like 2027-03-01T09:00 or Liquid.")
    business_hours: bool = Field(False, description="Go on only within the organization's business hours.")


class Assignee(Shape):
    """Who may decide: one person by e-mail, or everybody of a role."""

    user: Template | None = Field(None, description="E-mail address, or Liquid that gives one.")
    role: Literal["OWNER", "ADMIN", "MEMBER"] | None = None


class ApprovalStep(StepBase):
    """Ask people, and wait for their decision."""

    type: Literal["approval"]
    title: Template = Field(min_length=1)
    message: Template = ""
    assignees: list[Assignee] = Field(
        default_factory=list, max_length=50, description="Empty: owner and admins."
    )
    form: JsonSchema | None = Field(None, description="What the person fills in.")
    required: int = Field(1, ge=1, le=50, description="How many must approve.")
    deadline: Duration | None = None
    on_deadline: Literal["approve", "reject", "fail"] = "fail"
    remind: Duration | None = Field(None, description="Send a reminder after this time.")
    on_reject: Literal["continue", "stop", "fail"] = Field(
        "continue", description="What a refusal does to the run."
    )


class WaitStep(StepBase):
    """Wait for another system to call a one-time address; other steps send it: `execution.resume_url.<id>`."""

    type: Literal["wait"]
    on_timeout: Literal["fail", "continue"] = "fail"


class WorkflowStep(StepBase):
    """Run another workflow."""

    type: Literal["workflow"]
    workflow: str = Field(min_length=1, max_length=64, description="Id of the workflow.")
    input: Value = None
    wait: bool = Field(
        True, description="Go on only when the other workflow is done; its output is the result."
    )


class RespondStep(StepBase):
    """Answer the webhook that is waiting."""

    type: Literal["respond"]
    status: Annotated[Value, BeforeValidator(whole_number(200, 599))] = 200
    headers: dict[str, Value] = Field(default_factory=dict)
    body: Value = None


class StopStep(StepBase):
    """End the run here."""

    type: Literal["stop"]
    outcome: Literal["success", "failure", "cancelled"] = "success"
    message: Template = ""


STEP_MODELS: dict[str, type[StepBase]] = {
    "action": ActionStep, "http": HttpStep, "ai": AiStep, "set": SetStep, "transform": TransformStep, "code": CodeStep,
    "branch": BranchStep, "parallel": ParallelStep, "loop": LoopStep, "repeat": RepeatStep, "delay": DelayStep,
    "approval": ApprovalStep, "wait": WaitStep, "workflow": WorkflowStep, "respond": RespondStep, "stop": StopStep,
}  # fmt: skip
BLOCK_TYPES = frozenset({"branch", "parallel", "loop", "repeat"})


def _step_tag(data: Any) -> str:
    # The prefix keeps the tag apart from keys when the place of an error is worked out: "delay" is both.
    return f"type:{data.get('type') if isinstance(data, dict) else getattr(data, 'type', None)}"


Step = TypeAliasType(
    "Step",
    Annotated[
        Annotated[ActionStep, Tag("type:action")]
        | Annotated[HttpStep, Tag("type:http")]
        | Annotated[AiStep, Tag("type:ai")]
        | Annotated[SetStep, Tag("type:set")]
        | Annotated[TransformStep, Tag("type:transform")]
        | Annotated[CodeStep, Tag("type:code")]
        | Annotated[BranchStep, Tag("type:branch")]
        | Annotated[ParallelStep, Tag("type:parallel")]
        | Annotated[LoopStep, Tag("type:loop")]
        | Annotated[RepeatStep, Tag("type:repeat")]
        | Annotated[DelayStep, Tag("type:delay")]
        | Annotated[ApprovalStep, Tag("type:approval")]
        | Annotated[WaitStep, Tag("type:wait")]
        | Annotated[WorkflowStep, Tag("type:workflow")]
        | Annotated[RespondStep, Tag("type:respond")]
        | Annotated[StopStep, Tag("type:stop")],
        Discriminator(_step_tag),
    ],
)
Steps = Annotated[list[Step], Field(max_length=limits.MAX_STEPS)]


def _handler_kind(data: Any) -> str:
    return "kind:steps" if isinstance(data, list) else "kind:word"


OnError = Annotated[
    Annotated[Literal["fail", "continue"], Tag("kind:word")] | Annotated[Steps, Tag("kind:steps")],
    Discriminator(_handler_kind),
]
_models: tuple[type[Shape], ...] = (Branch, Lane, *STEP_MODELS.values())
for _model in _models:
    _model.model_rebuild()
