"""Airtable: exact requests, its failures, its pages, and what polling asks for."""

import pytest

from integrations.connectors.airtable import connector
from integrations.framework import PermanentError, TemporaryError
from tests.integrations.checks import answer, answer_in_turn, assert_well_described, run_at, sent

PLACE = {"base": "app1", "table": "tbl1"}
ONE = {**PLACE, "record": "rec1"}


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "path", "body"),
    [
        (
            "create_records",
            {**PLACE, "records": [{"fields": {"A": 1}}], "typecast": ""},
            "POST",
            "app1/tbl1",
            {"records": [{"fields": {"A": 1}}]},
        ),
        ("update_record", {**ONE, "fields": {"A": 1}}, "PATCH", "app1/tbl1/rec1", {"fields": {"A": 1}}),
        ("upsert_records", {**PLACE, "records": [], "merge_on": ["A"]}, "PATCH", "app1/tbl1", None),
        ("get_record", ONE, "GET", "app1/tbl1/rec1", None),
        ("list_records", {**PLACE, "formula": ""}, "GET", "app1/tbl1", None),
        ("delete_record", ONE, "DELETE", "app1/tbl1/rec1", None),
        ("add_comment", {**ONE, "text": "Hi"}, "POST", "app1/tbl1/rec1/comments", {"text": "Hi"}),
        ("list_bases", {}, "GET", "meta/bases", None),
        ("list_tables", {"base": "app1"}, "GET", "meta/bases/app1/tables", None),
    ],
)
def test_each_operation_makes_exactly_this_request(key, inputs, method, path, body):
    if key == "upsert_records":
        inputs = {**inputs, "records": [{"fields": {"A": 1}}]}
        body = {"records": inputs["records"], "performUpsert": {"fieldsToMergeOn": ["A"]}}
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"]) == (method, f"https://api.airtable.com/v0/{path}")
    assert call.get("json_body") == body


@pytest.mark.parametrize(
    ("status", "error"), [(429, TemporaryError), (503, TemporaryError), (422, PermanentError)]
)
def test_failures_say_whether_a_retry_can_help(status, error):
    with pytest.raises(error):
        connector.outcome("get_record", answer(status, {"error": "X"}))


def test_records_are_read_over_three_pages(httpserver):
    pages = [
        {"records": [{"id": "a"}], "offset": "1"},
        {"records": [{"id": "b"}], "offset": "2"},
        {"records": [{"id": "c"}]},
    ]
    arrived = answer_in_turn(httpserver, pages)
    result = run_at(httpserver, connector, "list_records", PLACE)
    assert [record["id"] for record in result.output["records"]] == ["a", "b", "c"]
    assert [request.args.get("offset") for request in arrived] == [None, "1", "2"]


def test_polling_asks_for_records_made_since_the_newest_seen():
    poll = connector.trigger("record_created_poll").poll
    assert poll.request(PLACE, None).query["filterByFormula"] is None
    later = poll.request(PLACE, "2026-11-20T10:30:00.000Z").query["filterByFormula"]
    assert later == "NOT(IS_BEFORE(CREATED_TIME(), '2026-11-20T10:30:00.000Z'))"


def test_a_file_goes_to_the_content_host_with_our_token():
    file = {"name": "a.txt", "content": "aGk=", "content_type": "text/plain"}
    call = sent(
        connector, "upload_attachment", {"base": "app1", "record": "rec1", "field": "Files", "file": file}
    )
    assert call["url"] == "https://content.airtable.com/v0/app1/rec1/Files/uploadAttachment"
    assert call["headers"]["Authorization"] == "Bearer access-token-for-tests"
    assert call["json_body"] == {"file": "aGk=", "filename": "a.txt", "contentType": "text/plain"}
