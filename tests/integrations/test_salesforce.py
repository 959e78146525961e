"""Salesforce: exact requests, failures, pages, safe polling queries, and outbound messages."""

from datetime import datetime

import pytest

from integrations.connectors.salesforce import connector
from integrations.framework import PermanentError, ReconnectError, TemporaryError
from tests.integrations.checks import (
    answer,
    answer_in_turn,
    assert_well_described,
    delivery,
    empty_optionals,
    run_at,
    sent,
)

DATA = "https://acme.my.salesforce.com/services/data/v66.0"
ADA = "0035g00000ABCDEAA4"
MESSAGE = b"""<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>
<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>00D5g00000ABCDEEA4</OrganizationId>
<ActionId>04k5g000000ABCDAA4</ActionId>
<Notification><Id>04l1</Id><sObject xsi:type="sf:Contact" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
<sf:Id>0035g00000ABCDEAA4</sf:Id><sf:Email>ada@example.com</sf:Email></sObject></Notification>
<Notification><Id>04l2</Id><sObject xsi:type="sf:Contact" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
<sf:Id>0035g00000ABCDFAA4</sf:Id></sObject></Notification>
</notifications></soapenv:Body></soapenv:Envelope>"""


def failure(status: int, code: str, message: str = "no"):
    return answer(status, [{"message": message, "errorCode": code, "fields": []}])


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "url", "body"),
    [
        (
            "create_record",
            {"sobject": "Lead", "fields": {"LastName": "L", "Company": "E"}},
            "POST",
            f"{DATA}/sobjects/Lead",
            {"LastName": "L", "Company": "E"},
        ),
        (
            "update_record",
            {"sobject": "Contact", "id": ADA, "fields": {"Phone": "1"}},
            "PATCH",
            f"{DATA}/sobjects/Contact/{ADA}",
            {"Phone": "1"},
        ),
        (
            "upsert_record",
            {
                "sobject": "Order__c",
                "external_id_field": "No__c",
                "value": "a/1",
                "fields": {"No__c": "a/1", "Total__c": 9},
            },
            "PATCH",
            f"{DATA}/sobjects/Order__c/No__c/a%2F1",
            {"Total__c": 9},
        ),
        (
            "delete_record",
            {"sobject": "Contact", "id": ADA},
            "DELETE",
            f"{DATA}/sobjects/Contact/{ADA}",
            None,
        ),
        (
            "add_task",
            {"subject": "Call", "who_id": ADA, "due_date": "2026-11-24"},
            "POST",
            f"{DATA}/sobjects/Task",
            {"Subject": "Call", "WhoId": ADA, "ActivityDate": "2026-11-24"},
        ),
        (
            "add_to_campaign",
            {"campaign_id": "701", "contact_id": ADA},
            "POST",
            f"{DATA}/sobjects/CampaignMember",
            {"CampaignId": "701", "ContactId": ADA},
        ),
    ],
)
def test_each_operation_sends_exactly_this(key, inputs, method, url, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["json_body"], call["query"]) == (method, url, body, [])
    assert call["headers"] == {"Authorization": "Bearer access-token-for-tests"}


@pytest.mark.parametrize(
    ("key", "inputs", "url", "query"),
    [
        (
            "get_record",
            {"sobject": "Contact", "id": ADA, "fields": "Name, Email"},
            f"{DATA}/sobjects/Contact/{ADA}",
            [("fields", "Name,Email")],
        ),
        ("query_records", {"q": "SELECT Id FROM Lead"}, f"{DATA}/query", [("q", "SELECT Id FROM Lead")]),
        (
            "search_records",
            {"q": "Ada", "sobject": "Contact", "limit": 5},
            f"{DATA}/parameterizedSearch",
            [("q", "Ada"), ("sobject", "Contact"), ("overallLimit", "5")],
        ),
        ("list_objects", {}, f"{DATA}/sobjects", []),
        ("list_fields", {"sobject": "Contact"}, f"{DATA}/sobjects/Contact/describe", []),
    ],
)
def test_each_reading_operation_asks_exactly_this(key, inputs, url, query):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"], call["query"]) == ("GET", url, query)


def test_duplicates_are_allowed_by_a_header_only_when_wanted():
    inputs = {"sobject": "Lead", "fields": {"LastName": "L"}}
    assert "Sforce-Duplicate-Rule-Header" not in sent(connector, "create_record", inputs)["headers"]
    call = sent(connector, "create_record", {**inputs, "allow_duplicates": True})
    assert call["headers"]["Sforce-Duplicate-Rule-Header"] == "allowSave=true"


def test_empty_optional_values_are_not_sent():
    assert sent(connector, "add_task", empty_optionals(connector, "add_task"))["json_body"] == {
        "Subject": "Call about the offer"
    }
    assert sent(connector, "get_record", empty_optionals(connector, "get_record"))["query"] == []


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (failure(403, "REQUEST_LIMIT_EXCEEDED"), TemporaryError),
        (failure(400, "UNABLE_TO_LOCK_ROW"), TemporaryError),
        (answer(503, None), TemporaryError),
        (failure(400, "DUPLICATES_DETECTED"), PermanentError),
        (failure(403, "INSUFFICIENT_ACCESS"), PermanentError),
        (answer(300, ["/services/data/v66.0/sobjects/Contact/1"]), PermanentError),
        (failure(401, "INVALID_SESSION_ID"), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("create_record", response)


def test_salesforces_own_words_are_repeated():
    with pytest.raises(PermanentError, match="Required fields are missing"):
        connector.outcome(
            "create_record", failure(400, "REQUIRED_FIELD_MISSING", "Required fields are missing")
        )


def test_a_query_is_read_over_three_pages(httpserver):
    def page(number):
        following = {"nextRecordsUrl": f"/services/data/v66.0/query/01g-{number}"} if number < 3 else {}
        return {"totalSize": 3, "done": number == 3, "records": [{"Id": str(number)}], **following}

    arrived = answer_in_turn(httpserver, [page(1), page(2), page(3)])
    result = run_at(httpserver, connector, "query_records", {"q": "SELECT Id FROM Lead"})
    assert [record["Id"] for record in result.output["records"]] == ["1", "2", "3"]
    assert [request.path.rpartition("/")[2] for request in arrived] == ["query", "01g-1", "01g-2"]


def test_only_objects_that_can_be_read_are_offered():
    body = {"sobjects": [{"name": "Lead", "label": "Lead", "queryable": True}, {"name": "X", "label": "X"}]}
    assert connector.outcome("list_objects", answer(200, body)) == {
        "objects": [{"name": "Lead", "label": "Lead"}]
    }


def query(key, config, since):
    return connector.trigger(key).poll.request(config, since).query["q"]


def test_polling_reads_newest_first_from_the_last_record_seen():
    assert query("record_created_poll", {"sobject": "Lead", "fields": ["Name"]}, None) == (
        "SELECT Id, CreatedDate, Name FROM Lead ORDER BY CreatedDate DESC, Id DESC LIMIT 200"
    )
    assert query("record_updated_poll", {"sobject": "Lead"}, "2026-11-22T09:30:00.123+0000") == (
        "SELECT Id, SystemModstamp FROM Lead WHERE SystemModstamp >= 2026-11-22T09:30:00.123Z "
        "ORDER BY SystemModstamp DESC, Id DESC"
    )
    assert " WHERE IsDeleted = TRUE ORDER" in query("record_deleted_poll", {"sobject": "Lead"}, None)
    assert (
        connector.trigger("record_deleted_poll")
        .poll.request({"sobject": "Lead"}, None)
        .path.endswith("queryAll")
    )


@pytest.mark.parametrize(
    "config",
    [
        {"sobject": "Lead WHERE"},
        {"sobject": "Lead", "fields": ["Id FROM User--"]},
        {"sobject": "Lead", "fields": ["a.b."]},
    ],
)
def test_a_polling_query_takes_nothing_but_names(config):
    with pytest.raises(PermanentError):
        query("record_created_poll", config, None)


def test_an_outbound_message_is_split_and_a_replay_has_the_same_ids():
    trigger = connector.trigger("outbound_message")
    inbound = delivery(MESSAGE, {"Content-Type": "text/xml"})
    events = trigger.webhooks.split(inbound)
    assert [trigger.webhooks.event_id(inbound, event) for event in events] == ["04l1", "04l2"]
    output = trigger.output(events[0])
    assert (output["id"], output["type"], output["record"]["Email"]) == (ADA, "Contact", "ada@example.com")
    assert b"<Ack>true</Ack>" in trigger.webhooks.answer.body


@pytest.mark.parametrize("body", [b"", b"{}", b"<a>", b"<a/>", b'<!DOCTYPE x [<!ENTITY a "b">]><a>&a;</a>'])
def test_what_is_no_outbound_message_holds_no_event(body):
    assert connector.trigger("outbound_message").webhooks.split(delivery(body)) == []


def test_messages_of_another_organization_start_nothing():
    # Nothing is signed and nothing is dated: the secret address and the organization are all there is to check.
    trigger = connector.trigger("outbound_message")
    assert trigger.wants("", trigger.sample, {}, {"organization_id": "00D5g00000ABCDEEA4"})
    assert trigger.wants("", trigger.sample, {}, {"organization_id": "00D5g00000ABCDE"})
    assert not trigger.wants("", trigger.sample, {}, {"organization_id": "00D5g00000OTHER"})


def test_a_stamp_of_salesforce_is_a_time_we_can_read():
    stamp = connector.trigger("record_created_poll").sample["CreatedDate"]
    assert datetime.fromisoformat(stamp).tzinfo is not None
