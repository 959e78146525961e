"""Run scenarios, switch them on and off, read their results."""

from collections.abc import Mapping
from typing import Any

from integrations.framework import Action, Field, LookUp, Output, Request, Response, dig, extract, given

WAIT_SECONDS = 60  # Make answers a run that is waited for within 40

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
