"""Running an operation: inputs in plain words, keys, pages, credentials that stay put, errors without secrets."""

import asyncio

import pytest

from integrations.framework import (
    Action,
    BearerToken,
    Connector,
    CursorPages,
    Field,
    Idempotency,
    LinkPages,
    LookUp,
    NumberedPages,
    Offers,
    OffsetPages,
    Output,
    PermanentError,
    RateLimit,
    ReconnectError,
    Request,
    TemporaryError,
    Test,
    dig,
    execute,
)
from integrations.framework.client import Client
from integrations.framework.inputs import validate_inputs
from integrations.framework.pace import Pace
from tests.integrations.checks import answer_in_turn, run_at

CANARY = "canary-secret-0123456789"
CREDENTIALS = {"auth": "api_key", "api_key": CANARY}


def connector(*actions, **options):
    return Connector(slug="example", name="Example", auth=BearerToken(), actions=actions, **options)


def action(key="act", **options):
    return Action(**{"key": key, "label": "Act", "call": "POST /things", "returns": {"id": "id"}, **options})


def listing(pagination, **options):
    return connector(
        action(
            "list",
            call="GET /things",
            effect="read",
            pagination=pagination,
            returns={"things": Output("data", kind="list", of={"id": "id"})},
            **options,
        )
    )


def ids(result):
    return [thing["id"] for thing in result.output["things"]]


def test_wrong_inputs_are_named_in_plain_words():
    subject = action(
        fields=(
            Field("to", label="Recipient", kind="email", required=True),
            Field("count", label="Count", kind="integer", minimum=1),
            Field("size", label="Size", kind="select", choices=("s", "m")),
        )
    )
    assert validate_inputs(subject, {"to": "ada@example.com", "count": "3", "size": "m"}) == {}
    assert validate_inputs(subject, {"to": "", "count": "x", "size": "xl", "other": 1}) == {
        "to": "Fill in “Recipient”.",
        "count": "“Count” must be a whole number.",
        "size": "“Size” must be one of: s, m.",
        "other": "“other” is not a field of this step.",
    }


@pytest.mark.parametrize("value", [False, 0])
def test_false_and_zero_are_values_and_not_empty(httpserver, value):
    arrived = answer_in_turn(httpserver, [{"id": 1}])
    kind = "boolean" if value is False else "integer"
    run_at(httpserver, connector(action(fields=(Field("flag", kind=kind),))), "act", {"flag": value})
    assert arrived[0].get_json() == {"flag": value}


@pytest.mark.parametrize(
    ("idempotency", "read"),
    [
        (Idempotency("Idempotency-Key"), lambda request: request.headers["Idempotency-Key"]),
        (Idempotency("idempotency_key", place="json"), lambda request: request.get_json()["idempotency_key"]),
        (
            Idempotency("input.id", place="json", format="uuid"),
            lambda request: request.get_json()["input"]["id"],
        ),
        (Idempotency("key", place="query", max_length=8), lambda request: request.args["key"]),
    ],
)
def test_the_key_is_the_same_at_every_try(httpserver, idempotency, read):
    subject = connector(action(effect="key_safe"), idempotency=idempotency)
    arrived = answer_in_turn(httpserver, [{"id": 1}, {"id": 1}])
    for _ in range(2):
        run_at(httpserver, subject, "act", {})
    assert read(arrived[0]) == read(arrived[1])
    if idempotency.format == "uuid":
        assert len(read(arrived[0])) == 36
    if idempotency.max_length == 8:
        assert len(read(arrived[0])) == 8


def test_each_call_of_a_longer_operation_has_a_key_of_its_own(httpserver):
    def twice(call):
        first = yield Request("POST", "/a", json={})
        second = yield Request("POST", "/b", json={"of": first.json["id"]})
        return {"id": second.json["id"]}

    subject = connector(
        action(call="", run=twice, effect="key_safe"), idempotency=Idempotency("Idempotency-Key")
    )
    arrived = answer_in_turn(httpserver, [{"id": 1}, {"id": 2}])
    assert run_at(httpserver, subject, "act", {}).output == {"id": 2}
    assert [request.headers["Idempotency-Key"] for request in arrived] == ["run-1:step:1", "run-1:step:2"]


@pytest.mark.parametrize(
    ("pagination", "extra"),
    [
        (NumberedPages(items="data", size=2), {}),
        (OffsetPages(items="data", size=2), {}),
        (OffsetPages(items="data", size=2, total="total"), {"total": 5}),
        (NumberedPages(items="data", size=2, total_pages="pages"), {"pages": 3}),
    ],
)
def test_counted_pages_end_by_themselves(httpserver, pagination, extra):
    pages = [[{"id": 1}, {"id": 2}], [{"id": 3}, {"id": 4}], [{"id": 5}]]
    answer_in_turn(httpserver, [{"data": page, **extra} for page in pages])
    assert ids(run_at(httpserver, listing(pagination), "list", {})) == [1, 2, 3, 4, 5]


def test_links_are_followed_on_the_same_host_only(httpserver):
    links = [httpserver.url_for("/things?page=2"), "https://evil.example.com/things"]
    arrived = answer_in_turn(
        httpserver,
        [{"data": [{"id": 1}]}, {"data": [{"id": 2}]}],
        headers=[{"Link": f'<{link}>; rel="next"'} for link in links],
    )
    with pytest.raises(PermanentError, match="another server"):
        run_at(httpserver, listing(LinkPages(items="data")), "list", {})
    assert [request.args.get("page") for request in arrived] == [None, "2"]


def test_a_cursor_that_never_moves_ends_the_reading(httpserver):
    answer_in_turn(httpserver, [{"data": [{"id": 1}], "next": "x"}, {"data": [{"id": 2}], "next": "x"}])
    assert ids(
        run_at(httpserver, listing(CursorPages(items="data", into="c", cursor="next")), "list", {})
    ) == [1, 2]


def test_a_call_that_may_have_happened_can_be_looked_up(httpserver):
    subject = connector(
        action(
            effect="checkable",
            fields=(Field("name"),),
            look_up=LookUp(
                lambda inputs: Request("GET", "/things", query={"name": inputs["name"]}),
                lambda response, inputs: dig(response.json, "data.0"),
            ),
        ),
        base_url=httpserver.url_for("").rstrip("/"),
    )
    answer_in_turn(httpserver, [{"data": [{"id": 7}]}, {"data": []}])
    client = Client(allow_private=frozenset({"localhost"}))

    async def both():
        found = [
            await execute.look_up(subject, "act", {"name": "n"}, CREDENTIALS, {}, client=client)
            for _ in range(2)
        ]
        await client.aclose()
        return found

    assert asyncio.run(both()) == [{"id": 7}, None]


def test_choices_and_the_connection_test_come_from_the_service(httpserver):
    subject = connector(
        action(
            "list",
            call="GET /things",
            effect="read",
            offers=Offers(items="things"),
            returns={"things": Output("data", kind="list", of={"id": "id", "name": "name"})},
        ),
        base_url=httpserver.url_for("").rstrip("/"),
        test=Test(Request("GET", "/me"), account={"user": "id"}, label="name"),
    )
    answer_in_turn(httpserver, [{"data": [{"id": 1, "name": "One"}, {"id": 2}]}, {"id": "u1", "name": "Ada"}])
    client = Client(allow_private=frozenset({"localhost"}))

    async def both():
        choices = await execute.dynamic_options(subject, "list", {}, CREDENTIALS, {}, client=client)
        tested = await execute.test_connection(subject, CREDENTIALS, {}, client=client)
        await client.aclose()
        return choices, tested

    choices, tested = asyncio.run(both())
    assert choices == [{"value": "1", "label": "One"}, {"value": "2", "label": "2"}]
    assert tested == execute.Tested("Ada", {"user": "u1"})


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_no_error_repeats_a_secret(httpserver, status):
    httpserver.expect_request("/things").respond_with_json({"message": f"bad key {CANARY}"}, status=status)
    with pytest.raises((PermanentError, TemporaryError, ReconnectError)) as caught:
        run_at(httpserver, connector(action()), "act", {}, credentials=CREDENTIALS)
    assert CANARY not in f"{caught.value} {caught.value.message} {caught.value.detail} {caught.value.args}"


@pytest.mark.parametrize("value", ["..", "."])
def test_a_path_value_cannot_climb(value):
    with pytest.raises(PermanentError):
        execute.fill("/things/{id}/parts", {"id": value})


def test_a_spent_rate_waits_a_little_or_is_put_off():
    now, slept = [0.0], []

    async def sleep(seconds):
        slept.append(seconds)

    pace = Pace(clock=lambda: now[0], sleep=sleep)

    async def burst():
        for _ in range(3):
            await pace.take("k", calls=2, seconds=2)
        pace.pause("k", 60)
        with pytest.raises(TemporaryError) as caught:
            await pace.take("k", calls=2, seconds=2)
        await pace.take("other", calls=2, seconds=2)
        return caught.value.retry_after

    assert asyncio.run(burst()) == 60
    assert slept == [1.0]
    assert RateLimit(calls=2).seconds == 1
