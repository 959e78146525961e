"""Make: run and switch scenarios, hand data to their webhooks and data stores, take data from them."""

from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import urlsplit

from integrations.framework import (
    Action,
    ApiKey,
    Call,
    Connector,
    ConnectorError,
    Field,
    LookUp,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    Request,
    Response,
    Test,
    Trigger,
    Webhooks,
    dig,
    extract,
    given,
    token_in_header,
)

PAGE_SIZE = 100
MOST_PAGES = 20  # of one list: two thousand scenarios are beyond any account that people choose from
WAIT_SECONDS = 60  # Make answers a run that is waited for within 40
TOKEN_HEADER = "X-Webhook-Token"
ZONES = ("eu1.make.com", "eu2.make.com", "us1.make.com", "us2.make.com")
ENDED = {1: "success", 2: "warning", 3: "error"}  # other numbers: still running, or not a run at all


def failure(response: Response) -> ConnectorError | None:
    """Return the error of webhooks that take nothing, and of keys that lack a right."""
    host = urlsplit(response.url).hostname or ""
    if host.startswith("hook.") and response.status in (404, 410):
        return PermanentError(
            "This webhook is switched off, or no scenario uses it. Switch its scenario on in Make.",
            status=response.status,
        )
    if host.startswith("hook.") and response.status == 400:
        return PermanentError(
            "Make did not take the data: the webhook's queue may be full. Run its scenario in Make.",
            status=400,
        )
    if response.status == 403:
        return PermanentError(
            "The API key may not do that. Make a new one in Make, with all the rights the connection asks for, and "
            "reconnect.",
            status=403,
        )
    return None


# --- Lists that people choose from: Make wants to know the organization or team, we ask for all of them ----------


def pages(path: str, name: str, **query: Any) -> Generator[Request, Response, list[dict[str, Any]]]:
    """Yield the requests of one list and return its items."""
    found: list[dict[str, Any]] = []
    for number in range(MOST_PAGES):
        paging = {"pg[limit]": PAGE_SIZE, "pg[offset]": number * PAGE_SIZE}
        response = yield Request("GET", path, query={**query, **paging})
        items = dig(response.json, name) or []
        found += items
        if len(items) < PAGE_SIZE:
            break
    return found


def organizations() -> Generator[Request, Response, list[dict[str, Any]]]:
    return (yield from pages("/organizations", "organizations"))


def teams() -> Generator[Request, Response, list[dict[str, Any]]]:
    found = []
    for organization in (yield from organizations()):
        found += yield from pages("/teams", "teams", organizationId=organization["id"])
    return found


def list_scenarios(call: Call) -> Generator[Request, Response, dict[str, Any]]:
    found = []
    for organization in (yield from organizations()):
        found += yield from pages("/scenarios", "scenarios", organizationId=organization["id"])
    return extract({"scenarios": found}, LIST_OF_SCENARIOS)


def of_each_team(path: str, name: str, returns: Mapping[str, Output | str], **query: Any) -> Any:
    """Return an operation that lists something of every team, named together with its team."""

    def run(call: Call) -> Generator[Request, Response, dict[str, Any]]:
        found = []
        for team in (yield from teams()):
            items = yield from pages(path, name, teamId=team["id"], **query)
            found += [{**item, "name": f"{team.get('name')}: {item.get('name')}"} for item in items]
        return extract({name: found}, returns)

    return run


NAMED: dict[str, Output | str] = {"id": Output("id", kind="integer"), "name": "name"}
LIST_OF_SCENARIOS: dict[str, Output | str] = {
    "scenarios": Output(
        "scenarios", kind="list", of={**NAMED, "is_active": Output("isActive", kind="boolean")}
    )
}
# Without their addresses: who knows one can start the scenario.
LIST_OF_HOOKS: dict[str, Output | str] = {
    "hooks": Output("hooks", kind="list", of={**NAMED, "enabled": Output("enabled", kind="boolean")})
}
LIST_OF_STORES: dict[str, Output | str] = {"data_stores": Output("dataStores", kind="list", of=NAMED)}
LIST_OF_TEAMS: dict[str, Output | str] = {"teams": Output("teams", kind="list", of=NAMED)}

LIST_SCENARIOS = Action(
    key="list_scenarios",
    label="List scenarios",
    run=list_scenarios,
    offers=Offers(items="scenarios"),
    returns=LIST_OF_SCENARIOS,
    effect="read",
)


def list_teams(call: Call) -> Generator[Request, Response, dict[str, Any]]:
    found = yield from teams()
    return extract({"teams": found}, LIST_OF_TEAMS)


LIST_TEAMS = Action(
    key="list_teams",
    label="List teams",
    run=list_teams,
    offers=Offers(items="teams"),
    returns=LIST_OF_TEAMS,
    effect="read",
)

LIST_HOOKS = Action(
    key="list_hooks",
    label="List custom webhooks",
    run=of_each_team("/hooks", "hooks", LIST_OF_HOOKS, typeName="gateway-webhook"),
    offers=Offers(items="hooks"),
    returns=LIST_OF_HOOKS,
    effect="read",
)

LIST_DATA_STORES = Action(
    key="list_data_stores",
    label="List data stores",
    run=of_each_team("/data-stores", "dataStores", LIST_OF_STORES),
    offers=Offers(items="data_stores"),
    returns=LIST_OF_STORES,
    effect="read",
)

# --- Scenarios -------------------------------------------------------------------------------------------------

SCENARIO = Field(
    "scenario_id",
    label="Scenario",
    kind="integer",
    required=True,
    options="list_scenarios",
    send="scenarioId",
    example=418339,
)
SWITCHED: dict[str, Output | str] = {
    "id": Output("scenario.id", kind="integer"),
    "is_active": Output("scenario.isActive", kind="boolean"),
}


def run_scenario(inputs: Mapping[str, Any]) -> Request:
    waits = inputs.get("responsive")
    return Request(
        "POST",
        "/scenarios/{scenarioId}/run",
        at={"scenarioId": inputs["scenario_id"]},
        json=given(data=inputs.get("data"), responsive=waits, callbackUrl=inputs.get("callback_url")),
        timeout_seconds=WAIT_SECONDS if waits else None,
    )


RUN_SCENARIO = Action(
    key="run_scenario",
    label="Run a scenario",
    description="The scenario must be switched on, or set to run on demand.",
    fields=(
        SCENARIO,
        Field(
            "data",
            label="Inputs",
            kind="object",
            example={"email": "ada@example.com"},
            help="Names and values of the scenario's inputs.",
        ),
        Field(
            "responsive",
            label="Wait until it has ended",
            kind="boolean",
            example=True,
            help="Up to 40 seconds.",
        ),
        Field(
            "callback_url",
            label="Address to call at the end",
            kind="url",
            example="https://example.com/ended",
            advanced=True,
        ),
    ),
    request=run_scenario,
    returns={
        "execution_id": "executionId",
        "status": Output("status", kind="integer", label="1 success, 2 warning, 3 error"),
        "outputs": Output("outputs", kind="object"),
    },
    effect="unsafe",
)


def switch(key: str, label: str, verb: str, *, active: bool) -> Action:
    def found(response: Response, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        is_so = dig(response.json, "scenario.isActive") is active
        return extract(response.json, SWITCHED) if is_so else None

    return Action(
        key=key,
        label=label,
        fields=(SCENARIO,),
        call=f"POST /scenarios/{{scenarioId}}/{verb}",
        returns=SWITCHED,
        effect="checkable",
        look_up=LookUp(
            lambda inputs: Request(
                "GET", "/scenarios/{scenarioId}", at={"scenarioId": inputs["scenario_id"]}
            ),
            found,
        ),
    )


START_SCENARIO = switch("start_scenario", "Switch a scenario on", "start", active=True)
STOP_SCENARIO = switch("stop_scenario", "Switch a scenario off", "stop", active=False)

GET_EXECUTION = Action(
    key="get_execution",
    label="Get the result of a run",
    description="Only for scenarios that keep their logs.",
    fields=(
        SCENARIO,
        Field(
            "execution_id",
            label="Run",
            required=True,
            send="executionId",
            example="9c4874979d974c3ebdef1e8aaa7dc452",
            help="As “Run a scenario” gives it.",
        ),
    ),
    call="GET /scenarios/{scenarioId}/executions/{executionId}",
    returns={"status": "status", "outputs": Output("outputs", kind="object")},
    effect="read",
)

# --- Webhooks and data stores ------------------------------------------------------------------------------------


def send_to_webhook(call: Call) -> Generator[Request, Response, dict[str, Any]]:
    """Ask Make for the webhook's address, which is a secret and so stands in no workflow, and post to it."""
    hook = yield Request("GET", "/hooks/{hookId}", at={"hookId": call.inputs["hook_id"]})
    address = str(dig(hook.json, "hook.url") or "")
    parts = urlsplit(address)
    if parts.scheme != "https" or parts.hostname != f"hook.{call.account['zone']}":
        raise PermanentError("Make gave no address for this webhook. Choose a custom webhook.")
    answer = yield Request("POST", address, json=call.inputs["data"], authenticate=False)
    return {"answer": answer.json if answer.json is not None else answer.text}


SEND_TO_WEBHOOK = Action(
    key="send_to_webhook",
    label="Send data to a webhook",
    description="To a custom webhook that is not protected by a key of its own. The first data teaches Make its form.",
    fields=(
        Field(
            "hook_id",
            label="Webhook",
            kind="integer",
            required=True,
            options="list_hooks",
            example=58,
        ),
        Field(
            "data",
            label="Data",
            kind="object",
            required=True,
            example={"name": "Ada Lovelace", "email": "ada@example.com"},
            help="Names and values, at most 5 MB.",
        ),
    ),
    run=send_to_webhook,
    returns={"answer": Output("answer", kind="json", label="What the scenario answered")},
    effect="unsafe",
)

CREATE_HOOK = Action(
    key="create_hook",
    label="Create a custom webhook",
    description="A scenario must use it within five days, or Make switches it off.",
    fields=(
        Field("name", label="Name", required=True, example="New orders"),
        Field(
            "team_id",
            label="Team",
            kind="integer",
            required=True,
            options="list_teams",
            send="teamId",
            example=4,
        ),
        Field(
            "headers", label="Pass headers on", kind="boolean", default=False, example=False, advanced=True
        ),
        Field(
            "method", label="Pass the method on", kind="boolean", default=False, example=False, advanced=True
        ),
        Field(
            "stringify",
            label="Pass JSON on as text",
            kind="boolean",
            default=False,
            example=False,
            advanced=True,
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        "/hooks",
        json={
            "name": inputs["name"],
            "teamId": inputs["team_id"],
            "typeName": "gateway-webhook",
            **{name: inputs[name] for name in ("headers", "method", "stringify")},
        },
    ),
    returns={
        "id": Output("hook.id", kind="integer"),
        "name": "hook.name",
        "url": "hook.url",
        "udid": "hook.udid",
        "enabled": Output("hook.enabled", kind="boolean"),
    },
    effect="unsafe",
)

CREATE_RECORD = Action(
    key="create_record",
    label="Add a record to a data store",
    fields=(
        Field(
            "data_store_id",
            label="Data store",
            kind="integer",
            required=True,
            options="list_data_stores",
            send="dataStoreId",
            example=137,
        ),
        Field("data", label="Fields", kind="object", required=True, example={"name": "Alice Brown"}),
        Field(
            "key",
            label="Key",
            example="customer-1042",
            help="Empty lets Make choose one. One that exists is refused.",
        ),
    ),
    call="POST /data-stores/{dataStoreId}/data",
    returns={"key": "key", "data": Output("data", kind="object")},
    effect="unsafe",
)

# --- What starts a workflow ----------------------------------------------------------------------------------------


def ended(response: Response, config: Mapping[str, Any]) -> list[Any]:
    """Return the runs that have ended the way that is wanted, the result in words."""
    found = []
    for entry in dig(response.json, "scenarioLogs") or []:
        result = ENDED.get(entry.get("status"))
        if result and config.get("result") in (None, "", result):
            found.append({**entry, "result": result})
    return found


TRIGGERS = (
    Trigger(
        key="received_from_make",
        label="A scenario sends data",
        description="The connection's page shows the address to enter in Make.",
        sample={"name": "Ada Lovelace", "email": "ada@example.com"},
    ),
    Trigger(
        key="executions_poll",
        label="A scenario has run (checked every few minutes)",
        kind="polling",
        fields=(
            SCENARIO,
            Field(
                "result",
                label="Only when it ended with",
                kind="select",
                choices=tuple(ENDED.values()),
                example="error",
            ),
        ),
        poll=Poll(
            request=lambda config, since: Request(
                "GET",
                "/scenarios/{scenarioId}/logs",
                at={"scenarioId": config["scenario_id"]},
                query={"pg[limit]": PAGE_SIZE, "pg[sortDir]": "desc"},
            ),
            items=ended,
            id="imtId",
            # No stamp: a run that ends later than others may have begun before them.
        ),
        returns={
            "id": "id",
            "result": "result",
            "started_at": "timestamp",
            "milliseconds": Output("duration", kind="integer"),
            "operations": Output("operations", kind="integer"),
        },
        sample={
            "imtId": "1632371744497_scenario.1229.auto.da518adcd14b4b64ac6358823ccb80ca",
            "id": "da518adcd14b4b64ac6358823ccb80ca",
            "type": "auto",
            "timestamp": "2026-11-22T09:35:44.497Z",
            "duration": 19979,
            "operations": 10,
            "status": 1,
            "result": "success",
        },
    ),
)

connector = Connector(
    slug="make",
    name="Make",
    category="Automation",
    summary="Run your scenarios, hand data to them, and start workflows from them.",
    docs_url="https://developers.make.com/api-documentation",
    base_url="https://{zone}/api/v2",
    auth=ApiKey(
        prefix="Token ",
        help="In Make: your profile, API access, Add token. Tick user, organizations, teams, scenarios, hooks and "
        "datastores (read, and write or run where offered). Needs the Core plan or higher.",
        more=(
            Field(
                "inbound_token",
                label="Token for data from Make",
                kind="secret",
                pattern="^[ -~]{16,200}$",
                help="Only to start workflows from a scenario: any text of at least 16 characters that you choose. "
                f"Enter it in the scenario too, as the header {TOKEN_HEADER}.",
            ),
        ),
    ),
    account=(
        Field(
            "zone",
            label="Zone",
            required=True,
            example="eu1.make.com",
            default="eu1.make.com",
            choices=tuple((zone, zone) for zone in ZONES),
            kind="select",
            help="The beginning of the browser's address when you are signed in to Make.",
        ),
    ),
    test=Test(Request("GET", "/users/me"), account={"user_id": "authUser.id"}, label="authUser.email"),
    on_error=failure,
    error_paths=("suberrors.0.message", "detail", "message"),
    rate_limit=RateLimit(calls=60, seconds=60),  # the smallest plan's pace
    webhooks=Webhooks(
        address="integration",
        signature=token_in_header(TOKEN_HEADER),
        secret="credentials",
        secret_name="inbound_token",
        setup="In the scenario add “HTTP”, Make a request, with this address and the method POST. Under Headers enter "
        f"{TOKEN_HEADER} and the token you chose when connecting.",
    ),
    actions=(
        SEND_TO_WEBHOOK,
        RUN_SCENARIO,
        START_SCENARIO,
        STOP_SCENARIO,
        GET_EXECUTION,
        CREATE_RECORD,
        CREATE_HOOK,
        LIST_SCENARIOS,
        LIST_TEAMS,
        LIST_HOOKS,
        LIST_DATA_STORES,
    ),
    triggers=TRIGGERS,
)
