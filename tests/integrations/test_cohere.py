"""Cohere: exact requests, the joined text, pages, spent trial keys, and what polling counts as an end."""

import pytest

from integrations.connectors.cohere import connector
from integrations.framework import PermanentError, ReconnectError, TemporaryError
from tests.integrations.checks import (
    answer,
    answer_in_turn,
    assert_well_described,
    empty_optionals,
    run_at,
    sent,
)

BASE = "https://api.cohere.com"


def test_everything_is_described():
    assert_well_described(connector)


def test_a_chat_carries_the_key_and_is_never_streamed():
    message = {"role": "user", "content": "Hello"}
    call = sent(
        connector,
        "chat",
        {"model": "command-a-03-2025", "messages": [message], "documents": [{"text": "Chairs fold."}]},
    )
    assert (call["method"], call["url"]) == ("POST", f"{BASE}/v2/chat")
    assert call["headers"] == {"Authorization": "Bearer api_key-for-tests"}
    assert call["json_body"] == {
        "model": "command-a-03-2025",
        "messages": [message],
        "documents": ["Chairs fold."],
        "stream": False,
    }


@pytest.mark.parametrize(
    ("key", "method", "path", "body"),
    [
        (
            "embed",
            "POST",
            "/v2/embed",
            {
                "model": "embed-v4.0",
                "input_type": "search_document",
                "texts": ["Garden chair"],
                "embedding_types": ["float"],
            },
        ),
        (
            "rerank",
            "POST",
            "/v2/rerank",
            {"model": "rerank-v3.5", "query": "Which chair folds flat?", "documents": ["Garden chair"]},
        ),
        ("tokenize", "POST", "/v1/tokenize", {"text": "Garden chair", "model": "command-a-03-2025"}),
        ("detokenize", "POST", "/v1/detokenize", {"tokens": [10002, 2261], "model": "command-a-03-2025"}),
        (
            "create_embed_job",
            "POST",
            "/v1/embed-jobs",
            {"model": "embed-v4.0", "dataset_id": "my-dataset-id", "input_type": "search_document"},
        ),
        ("get_embed_job", "GET", "/v1/embed-jobs/embed-job-1", None),
        ("list_models", "GET", "/v1/models", None),
        ("transcribe_audio", "POST", "/v2/audio/transcriptions", None),
    ],
)
def test_each_operation_is_sent_as_documented(key, method, path, body):
    call = sent(connector, key, connector.action(key).example_inputs(complete=False))
    assert (call["method"], call["url"]) == (method, BASE + path)
    assert call.get("json_body") == body


def test_checking_the_key_needs_no_input():
    call = sent(connector, "check_api_key", {})
    assert (call["method"], call["url"]) == ("POST", f"{BASE}/v1/check-api-key")


def test_a_recording_is_uploaded_as_a_file(httpserver):
    arrived = answer_in_turn(httpserver, [{"text": "Hello"}])
    inputs = connector.action("transcribe_audio").example_inputs(complete=False)
    assert run_at(httpserver, connector, "transcribe_audio", inputs).output == {"text": "Hello"}
    assert b'filename="call.mp3"' in arrived[0].get_data()


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "chat", empty_optionals(connector, "chat"))
    assert set(call["json_body"]) == {"model", "messages", "stream"}


def test_the_text_of_an_answer_is_joined():
    body = {
        "id": "c1",
        "message": {"content": [{"type": "text", "text": "Good "}, {"type": "text", "text": "day"}]},
        "finish_reason": "COMPLETE",
        "usage": {"tokens": {"input_tokens": 3, "output_tokens": 2}},
    }
    output = connector.outcome("chat", answer(200, body))
    assert (output["text"], output["output_tokens"]) == ("Good day", 2)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(429, {"message": "slow down"}), TemporaryError),
        (answer(429, {"message": "You are limited to 1000 API calls / month"}), PermanentError),
        (answer(503, {"message": "busy"}), TemporaryError),
        (answer(499, {"message": "closed"}), TemporaryError),
        (answer(400, {"message": "unknown model"}), PermanentError),
        (answer(401, {"message": "invalid api token"}), ReconnectError),
        (answer(498, {"message": "invalid token"}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("chat", response)


def test_models_are_read_over_three_pages(httpserver):
    pages = [{"models": [{"name": f"m{n}"}], "next_page_token": f"t{n}" if n < 3 else ""} for n in (1, 2, 3)]
    arrived = answer_in_turn(httpserver, pages)
    result = run_at(httpserver, connector, "list_models", {})
    assert [entry["name"] for entry in result.output["models"]] == ["m1", "m2", "m3"]
    assert [request.args.get("page_token") for request in arrived] == [None, "t1", "t2"]


def test_only_ended_embed_jobs_start_a_workflow():
    poll = connector.trigger("embed_job_done").poll
    jobs = [{"job_id": "a", "status": "processing"}, {"job_id": "b", "status": "failed"}]
    assert [job["job_id"] for job in poll.items(answer(200, {"embed_jobs": jobs}), {})] == ["b"]
    assert poll.request({}, None).path == "/v1/embed-jobs"


@pytest.mark.parametrize(
    ("status", "count"), [("BATCH_STATUS_COMPLETED", 1), ("BATCH_STATUS_IN_PROGRESS", 0)]
)
def test_only_an_ended_batch_starts_a_workflow(status, count):
    poll = connector.trigger("batch_done").poll
    assert len(poll.items(answer(200, {"batch": {"id": "b", "status": status}}), {})) == count
    assert poll.request({"batch_id": "b"}, None).at == {"id": "b"}
