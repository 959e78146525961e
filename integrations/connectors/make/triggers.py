"""Data and finished runs that start a workflow."""

from collections.abc import Mapping
from typing import Any

from integrations.connectors.make.lists import PAGE_SIZE
from integrations.connectors.make.scenarios import SCENARIO
from integrations.framework import Field, Output, Poll, Request, Response, Trigger, dig

ENDED = {1: "success", 2: "warning", 3: "error"}  # other numbers: still running, or not a run at all


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
