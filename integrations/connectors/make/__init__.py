"""Make: run and switch scenarios, hand data to their webhooks and data stores, take data from them."""

from integrations.connectors.make.data import CREATE_HOOK, CREATE_RECORD, SEND_TO_WEBHOOK
from integrations.connectors.make.failures import failure
from integrations.connectors.make.lists import LIST_DATA_STORES, LIST_HOOKS, LIST_SCENARIOS, LIST_TEAMS
from integrations.connectors.make.scenarios import GET_EXECUTION, RUN_SCENARIO, START_SCENARIO, STOP_SCENARIO
from integrations.connectors.make.triggers import TRIGGERS
from integrations.framework import (
    ApiKey,
    Connector,
    Field,
    RateLimit,
    Request,
    Test,
    Webhooks,
    token_in_header,
)

TOKEN_HEADER = "X-Webhook-Token"
ZONES = ("eu1.make.com", "eu2.make.com", "us1.make.com", "us2.make.com")

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
