"""Scenarios, teams, webhooks and data stores to choose from: Make wants one team at a time, people want all."""

from collections.abc import Generator, Mapping
from typing import Any

from integrations.framework import Action, Call, Offers, Output, Request, Response, dig, extract

PAGE_SIZE = 100
MOST_PAGES = 20  # of one list: two thousand scenarios are beyond any account that people choose from


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
