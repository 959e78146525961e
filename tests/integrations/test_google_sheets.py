"""Google Sheets: exact requests, rows by column name, new and changed rows, notices of Drive."""

import asyncio

import pytest

from integrations.connectors.google_sheets import a1, by_column, connector
from integrations.framework import (
    PermanentError,
    ReconnectError,
    Refused,
    Response,
    Subscription,
    TemporaryError,
    Verified,
)
from integrations.framework.polling import look
from tests.integrations.checks import (
    NOW,
    answer,
    answer_in_turn,
    assert_well_described,
    delivery,
    empty_optionals,
    run_at,
    sent,
)

HOST = "https://sheets.googleapis.com/v4/spreadsheets"
PLACE = {"spreadsheet": "s1", "sheet": "Ada's orders"}
RANGE = "%27Ada%27%27s%20orders%27"


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "path", "query", "body"),
    [
        (
            "append_row",
            {**PLACE, "values": ["1042", 49]},
            "POST",
            f"/s1/values/{RANGE}:append",
            [("valueInputOption", "RAW"), ("insertDataOption", "INSERT_ROWS")],
            {"values": [["1042", 49]]},
        ),
        (
            "read_range",
            {**PLACE, "cells": "A:B", "render_option": "FORMULA"},
            "GET",
            f"/s1/values/{RANGE}%21A%3AB",
            [("valueRenderOption", "FORMULA")],
            None,
        ),
        ("find_rows", {**PLACE, "column": "A", "value": "1"}, "GET", f"/s1/values/{RANGE}", [], None),
        (
            "update_range",
            {**PLACE, "cells": "A2", "values": [[1], [{"a": 1}]]},
            "PUT",
            f"/s1/values/{RANGE}%21A2",
            [("valueInputOption", "RAW")],
            {"values": [[1], ['{"a": 1}']]},
        ),
        ("clear_range", PLACE, "POST", f"/s1/values/{RANGE}:clear", [], {}),
        (
            "read_ranges",
            {"spreadsheet": "s1", "ranges": "A!A1,B!B2"},
            "GET",
            "/s1/values:batchGet",
            [("ranges", "A!A1"), ("ranges", "B!B2")],
            None,
        ),
        (
            "update_ranges",
            {"spreadsheet": "s1", "data": [{"range": "A!A1", "values": ["x"]}]},
            "POST",
            "/s1/values:batchUpdate",
            [],
            {"valueInputOption": "RAW", "data": [{"range": "A!A1", "values": [["x"]]}]},
        ),
        (
            "create_spreadsheet",
            {"title": "T", "sheets": "A,B"},
            "POST",
            "",
            [],
            {
                "properties": {"title": "T"},
                "sheets": [{"properties": {"title": "A"}}, {"properties": {"title": "B"}}],
            },
        ),
        (
            "batch_update",
            {"spreadsheet": "s1", "requests": '[{"addSheet": {}}]'},
            "POST",
            "/s1:batchUpdate",
            [],
            {"requests": [{"addSheet": {}}]},
        ),
    ],
)
def test_every_operation_asks_exactly_this(key, inputs, method, path, query, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"]) == (method, HOST + path)
    assert (call["query"], call["json_body"]) == (query, body)


def test_sheet_names_are_asked_for_without_the_cells():
    call = sent(connector, "get_spreadsheet", {"spreadsheet": "s1"})
    assert call["url"] == f"{HOST}/s1"
    assert call["query"] == [("fields", "spreadsheetId,spreadsheetUrl,properties.title,sheets.properties")]


def test_a_name_cannot_leave_its_quotes_in_the_search():
    call = sent(connector, "list_spreadsheets", {"name": "x' or name contains '"})
    query = dict(call["query"])
    assert call["url"] == "https://www.googleapis.com/drive/v3/files"
    assert query["q"].endswith("and name contains 'x\\' or name contains \\''")


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "create_spreadsheet", empty_optionals(connector, "create_spreadsheet"))
    assert call["json_body"] == {"properties": {"title": "Orders 2026"}}
    assert sent(connector, "read_range", empty_optionals(connector, "read_range"))["query"] == []


def test_cells_beside_a_row_are_refused():
    with pytest.raises(PermanentError, match="Rows"):
        sent(connector, "append_row", {**PLACE, "values": [["a"], "b"]})


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(429, {"error": {"status": "RESOURCE_EXHAUSTED"}}), TemporaryError),
        (answer(500, {}), TemporaryError),
        (answer(400, {"error": {"message": "Unable to parse range"}}), PermanentError),
        (
            answer(403, {"error": {"details": [{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]}}),
            ReconnectError,
        ),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("append_row", response)


def test_spreadsheets_are_listed_over_three_pages(httpserver, monkeypatch):
    monkeypatch.setattr("integrations.connectors.google_sheets.DRIVE", "")
    pages = [
        {"files": [{"id": f"s{number}", "name": "S"}], "nextPageToken": token}
        for number, token in ((1, "one"), (2, "two"), (3, None))
    ]
    arrived = answer_in_turn(httpserver, pages)
    result = run_at(httpserver, connector, "list_spreadsheets", {})
    assert [sheet["id"] for sheet in result.output["spreadsheets"]] == ["s1", "s2", "s3"]
    assert [request.args.get("pageToken") for request in arrived] == [None, "one", "two"]


def test_rows_go_by_the_names_in_the_first_row():
    values = [["Order", "", "Order"], ["1", "x"], [], ["2", "", "y", "z"]]
    assert by_column(values) == [
        {"row": 2, "values": {"Order": "1", "Column 2": "x", "Order 3": "", "Column 4": ""}},
        {"row": 4, "values": {"Order": "2", "Column 2": "", "Order 3": "y", "Column 4": "z"}},
    ]
    assert by_column([]) == []
    assert a1("It's", "A1") == "'It''s'!A1"


def test_rows_are_found_by_a_columns_value(httpserver):
    values = [["Mail", "Name"], ["ADA@example.com ", "Ada"], ["bob@example.com", "Bob"]]
    answer_in_turn(httpserver, [{"values": values}])
    result = run_at(
        httpserver, connector, "find_rows", {**PLACE, "column": "Mail", "value": "ada@example.com"}
    )
    assert result.output["count"] == 1
    assert result.output["first"] == {"row": 2, "values": {"Mail": "ADA@example.com ", "Name": "Ada"}}


def test_a_column_that_is_not_there_is_told_with_those_that_are(httpserver):
    answer_in_turn(httpserver, [{"values": [["Mail", "Name"], ["a", "b"]]}])
    with pytest.raises(PermanentError, match="Its columns are: Mail, Name"):
        run_at(httpserver, connector, "find_rows", {**PLACE, "column": "E-mail", "value": "a"})


def looking(key, config, cursor, body):
    async def send(request):
        return Response(200, body)

    result = asyncio.run(look(connector.trigger(key).poll, {**PLACE, **config}, cursor, send))
    return [item["row"] for _identity, item in result.items], result.cursor


def sheet(*names):
    return {"values": [["Name", "State"], *([name, "open"] for name in names)]}


def test_only_rows_below_the_last_one_are_new_and_edits_are_not():
    found, cursor = looking("new_row", {}, None, sheet("a", "b"))
    assert found == []
    found, cursor = looking("new_row", {}, cursor, sheet("a", "changed", "c", "d"))
    assert found == [4, 5]
    assert looking("new_row", {}, cursor, sheet("a", "changed", "c", "edited"))[0] == []


def test_rows_may_vanish_and_others_come():
    _, cursor = looking("new_row", {}, None, sheet("a", "b", "c"))
    found, cursor = looking("new_row", {}, cursor, sheet("a"))
    assert found == []
    assert looking("new_row", {}, cursor, sheet("a", "c"))[0] == [3]


def test_a_sheet_that_starts_empty_never_takes_its_header_for_a_row():
    _, cursor = looking("new_row", {}, None, {})
    found, cursor = looking("new_row", {}, cursor, sheet())
    assert found == []
    assert looking("new_row", {}, cursor, sheet("a"))[0] == [2]


def test_a_row_counts_as_changed_by_its_key_wherever_it_stands():
    config = {"key_column": "Name"}
    _, cursor = looking("row_changed", config, None, sheet("a", "b"))
    assert looking("row_changed", config, cursor, sheet("b"))[0] == []
    changed = {"values": [["Name", "State"], ["b", "done"]]}
    found, cursor = looking("row_changed", config, cursor, changed)
    assert found == [2]
    assert looking("row_changed", config, cursor, sheet("b"))[0] == [2]


def test_changes_of_other_files_are_left_out():
    poll = connector.trigger("file_changes_polling").poll
    asked = []

    async def send(request):
        asked.append(request)
        if request.path.endswith("startPageToken"):
            return Response(200, {"startPageToken": "10"})
        return Response(
            200,
            {
                "newStartPageToken": "12",
                "changes": [{"fileId": "s1", "time": "t1"}, {"fileId": "other", "time": "t2"}],
            },
        )

    first = asyncio.run(look(poll, PLACE, None, send))
    second = asyncio.run(look(poll, PLACE, first.cursor, send))
    assert asked[1].query["pageToken"] == "10"
    assert [identity for identity, _item in second.items] == ["s1|t1"]
    assert second.cursor["since"] == "12"


HEADERS = {
    "X-Goog-Channel-Token": "token",
    "X-Goog-Resource-State": "update",
    "X-Goog-Changed": "content,properties",
    "X-Goog-Channel-ID": "c1",
    "X-Goog-Message-Number": "7",
    "X-Goog-Resource-URI": "https://www.googleapis.com/drive/v3/files/s1?alt=json",
}


def test_a_notice_with_our_token_is_accepted_and_any_other_is_not():
    def verify(headers):
        return connector.webhooks.signature.verify(delivery(b"", headers), key="token", now=NOW)

    assert verify(HEADERS) == Verified()
    assert isinstance(verify({**HEADERS, "X-Goog-Channel-Token": "tokens"}), Refused)
    assert isinstance(verify({}), Refused)


def test_a_notice_is_read_from_its_headers_and_known_again_when_replayed():
    webhooks = connector.webhooks
    inbound = delivery(b"", HEADERS)
    [event] = webhooks.split(inbound)
    assert webhooks.event_id(inbound, event) == "c1:7"
    trigger = connector.trigger("file_changed")
    assert trigger.wants(webhooks.event_name(inbound, event), event, {})
    assert trigger.output(event) == {"spreadsheet": "s1", "changed": ["content", "properties"]}


def test_the_opening_call_of_a_channel_starts_nothing():
    assert (
        connector.webhooks.handshake(delivery(b"", {**HEADERS, "X-Goog-Resource-State": "sync"})).status
        == 200
    )
    assert connector.webhooks.handshake(delivery(b"", HEADERS)) is None


def test_a_channel_is_opened_renewed_and_closed():
    webhooks = connector.webhooks
    subscription = Subscription("https://steward.example/hooks/abc", config=PLACE, secret="token", now=NOW)
    request = webhooks.subscribe(subscription)
    assert (request.path, request.at) == (
        "https://www.googleapis.com/drive/v3/files/{file}/watch",
        {"file": "s1"},
    )
    assert request.json["address"] == subscription.address
    assert (request.json["type"], request.json["token"]) == ("web_hook", "token")
    assert request.json["expiration"] == str(int((NOW + 86_400) * 1000))
    later = Subscription("https://steward.example/hooks/abc", config=PLACE, secret="token", now=NOW + 1)
    assert webhooks.renew(later).json["id"] != request.json["id"]
    state = webhooks.read(
        answer(200, {"id": "c1", "resourceId": "r1", "expiration": "1700086400000"}), subscription
    )
    assert state == {
        "id": "c1",
        "resource_id": "r1",
        "secret": "token",
        "expires_at": "2023-11-15T22:13:20+00:00",
    }
    closed = webhooks.unsubscribe(Subscription(subscription.address, state=state))
    assert closed.json == {"id": "c1", "resourceId": "r1"}
