"""Google Drive: exact requests, uploads and downloads, and files looked for."""

import asyncio
import base64

import pytest

from integrations.connectors._google import FILE_FIELDS
from integrations.connectors.google_drive import connector
from integrations.framework import PermanentError, ReconnectError, Response, TemporaryError
from integrations.framework.polling import look
from tests.integrations.checks import (
    answer,
    answer_in_turn,
    assert_well_described,
    empty_optionals,
    run_at,
    sent,
)

API = "https://www.googleapis.com/drive/v3"
ALL = ("supportsAllDrives", "true")
WHOLE = [("fields", FILE_FIELDS), ALL]
FOLDER = "application/vnd.google-apps.folder"
FILE = {"name": "a.txt", "content": base64.b64encode(b"Hello").decode(), "content_type": "text/plain\r\nX: y"}


def test_everything_is_described():
    assert_well_described(connector)


@pytest.mark.parametrize(
    ("key", "inputs", "method", "path", "query", "body"),
    [
        ("get_file", {"file": "f/1"}, "GET", "/files/f%2F1", WHOLE, None),
        (
            "create_folder",
            {"name": "New", "folder": "p"},
            "POST",
            "/files",
            WHOLE,
            {"name": "New", "mimeType": FOLDER, "parents": ["p"]},
        ),
        ("copy_file", {"file": "f", "name": "Copy"}, "POST", "/files/f/copy", WHOLE, {"name": "Copy"}),
        ("move_file", {"file": "f", "folder": "p"}, "GET", "/files/f", WHOLE, None),
        ("download_file", {"file": "f"}, "GET", "/files/f", WHOLE, None),
        ("trash_file", {"file": "f"}, "PATCH", "/files/f", WHOLE, {"trashed": True}),
        (
            "share_file",
            {"file": "f", "with": "user", "email": "ada@example.com", "role": "writer", "message": "See"},
            "POST",
            "/files/f/permissions",
            [("sendNotificationEmail", "true"), ("emailMessage", "See"), ALL],
            {"type": "user", "role": "writer", "emailAddress": "ada@example.com"},
        ),
        (
            "share_file",
            {"file": "f", "with": "anyone", "email": "ada@example.com"},
            "POST",
            "/files/f/permissions",
            [ALL],
            {"type": "anyone", "role": "reader"},
        ),
    ],
)
def test_every_operation_asks_exactly_this(key, inputs, method, path, query, body):
    call = sent(connector, key, inputs)
    assert (call["method"], call["url"]) == (method, API + path)
    assert (call["query"], call["json_body"]) == (query, body)


def test_a_name_cannot_leave_its_quotes_in_the_search():
    query = dict(sent(connector, "find_files", {"name": "It's \\", "folder": "p"})["query"])
    assert query["q"] == "trashed=false and name contains 'It\\'s \\\\' and 'p' in parents"
    folders = dict(sent(connector, "list_folders", {})["query"])
    assert folders["q"] == f"trashed=false and mimeType='{FOLDER}'"


def test_a_file_is_uploaded_with_what_is_known_of_it():
    call = sent(connector, "upload_file", {"file": FILE, "name": "b.txt", "folder": "p"})
    assert call["url"] == "https://www.googleapis.com/upload/drive/v3/files"
    assert ("uploadType", "multipart") in call["query"]
    boundary = call["headers"]["Content-Type"].removeprefix("multipart/related; boundary=").encode()
    _before, about, content, end = call["content"].split(b"--" + boundary)
    assert about.endswith(b'\r\n\r\n{"name": "b.txt", "parents": ["p"]}\r\n')
    assert content == b"\r\nContent-Type: text/plain X: y\r\n\r\nHello\r\n"
    assert end == b"--\r\n"


def test_empty_optional_values_are_not_sent():
    call = sent(connector, "copy_file", empty_optionals(connector, "copy_file"))
    assert call["json_body"] == {}
    query = dict(sent(connector, "find_files", empty_optionals(connector, "find_files"))["query"])
    assert query["q"] == "trashed=false"


def test_sharing_with_nobody_is_told_before_anything_is_sent():
    with pytest.raises(PermanentError, match="Fill in the e-mail"):
        sent(connector, "share_file", {"file": "f", "with": "user"})


@pytest.mark.parametrize(
    ("kind", "path", "name"),
    [
        ("text/plain", "/files/f", "a"),
        ("application/vnd.google-apps.document", "/files/f/export", "a.pdf"),
    ],
)
def test_a_file_is_downloaded_and_googles_own_documents_are_exported(httpserver, kind, path, name):
    arrived = answer_in_turn(httpserver, [{"name": "a", "mimeType": kind}, "bytes"])
    result = run_at(httpserver, connector, "download_file", {"file": "f"})
    assert arrived[1].path == path
    assert arrived[1].args.get("alt" if path == "/files/f" else "mimeType") in ("media", "application/pdf")
    assert result.output["name"] == result.output["file"]["name"] == name
    assert base64.b64decode(result.output["file"]["content"]) == b'"bytes"'


def test_what_has_no_bytes_is_told_in_plain_words(httpserver):
    answer_in_turn(httpserver, [{"name": "a", "mimeType": "application/vnd.google-apps.form"}])
    with pytest.raises(PermanentError, match="can be downloaded"):
        run_at(httpserver, connector, "download_file", {"file": "f"})


def test_a_moved_file_leaves_the_folders_it_was_in(httpserver):
    arrived = answer_in_turn(
        httpserver, [{"parents": ["old", "new"]}, {"id": "f", "name": "a", "parents": ["new"]}]
    )
    result = run_at(httpserver, connector, "move_file", {"file": "f", "folder": "new"})
    assert arrived[1].method == "PATCH"
    assert (arrived[1].args["addParents"], arrived[1].args["removeParents"]) == ("new", "old")
    assert result.output["parents"] == ["new"]


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(403, {"error": {"errors": [{"reason": "userRateLimitExceeded"}]}}), TemporaryError),
        (answer(500, {}), TemporaryError),
        (answer(403, {"error": {"errors": [{"reason": "storageQuotaExceeded"}]}}), PermanentError),
        (answer(404, {"error": {"message": "File not found: f."}}), PermanentError),
        (answer(401, {}), ReconnectError),
    ],
)
def test_failures_say_whether_a_retry_can_help(response, error):
    with pytest.raises(error):
        connector.outcome("copy_file", response)


def test_files_are_found_over_three_pages(httpserver):
    pages = [
        {"files": [{"id": name}], "nextPageToken": "" if name == "3" else name} for name in ("1", "2", "3")
    ]
    arrived = answer_in_turn(httpserver, pages)
    result = run_at(httpserver, connector, "find_files", {})
    assert [file["id"] for file in result.output["files"]] == ["1", "2", "3"]
    assert [request.args.get("pageToken") for request in arrived] == [None, "1", "2"]


def looking(key, config, cursor, *answers):
    left, asked = list(answers), []

    async def send(request):
        asked.append(dict(request.query))
        return Response(200, left.pop(0))

    result = asyncio.run(look(connector.trigger(key).poll, config, cursor, send))
    return [identity for identity, _item in result.items], result.cursor, asked


def test_new_files_of_a_folder_are_found_when_the_last_seen_is_gone():
    def files(*numbers):
        return {"files": [{"id": f"f{n}", "createdTime": f"2026-11-22T09:30:0{n}.000Z"} for n in numbers]}

    _, cursor, _ = looking("new_file", {"folder": "p"}, None, files(2, 1))
    found, _, asked = looking("new_file", {"folder": "p"}, cursor, files(3, 1))
    assert found == ["f3"]
    assert asked[0]["q"] == (
        f"trashed=false and 'p' in parents and mimeType!='{FOLDER}'"
        " and createdTime >= '2026-11-22T09:30:02.000Z'"
    )


def test_changes_are_followed_by_drives_own_token():
    def change(name, parent="p", **more):
        return {
            "changeType": "file",
            "fileId": name,
            "time": "t",
            "file": {"id": name, "parents": [parent]},
            **more,
        }

    _, cursor, _ = looking("file_changed", {"folder": "p"}, None, {"startPageToken": "1"})
    found, cursor, asked = looking(
        "file_changed",
        {"folder": "p"},
        cursor,
        {
            "newStartPageToken": "5",
            "changes": [
                change("a"),
                change("b", removed=True),
                change("c", parent="q"),
                {**change("d"), "file": {"trashed": True, "parents": ["p"]}},
            ],
        },
    )
    assert (found, cursor["since"], asked[0]["pageToken"]) == (["a|t"], "5", "1")
