"""Google Drive: find, upload, download, copy, move, share and trash files; start on new and changed files."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from integrations.connectors._google import (
    CHANGES_PAGES,
    DRIVE,
    FILE_FIELDS,
    ask_changes,
    changes_position,
    refine,
    sign_in,
)
from integrations.framework import (
    Action,
    Call,
    Connector,
    CursorPages,
    Field,
    Offers,
    Output,
    PermanentError,
    Poll,
    RateLimit,
    Request,
    Response,
    Test,
    Trigger,
    dig,
    file_value,
    given,
    read_file,
)

UPLOAD = "https://www.googleapis.com/upload/drive/v3/files"
FILE_PATH = "/files/{file}"
FOLDER_TYPE = "application/vnd.google-apps.folder"
LARGEST_BYTES = 5_000_000  # larger files want a resumable upload
EVERYWHERE = {"supportsAllDrives": True}
# What Google's own documents become when they are downloaded: they have no bytes of their own.
EXPORTS = {
    "application/vnd.google-apps.document": ("application/pdf", ".pdf"),
    "application/vnd.google-apps.spreadsheet": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ".xlsx",
    ),
    "application/vnd.google-apps.presentation": ("application/pdf", ".pdf"),
    "application/vnd.google-apps.drawing": ("image/png", ".png"),
}


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def search(inputs: Mapping[str, Any]) -> str:
    """Return the inputs in Drive's search language."""
    wanted = ["trashed=false"]
    if "name" in inputs:
        wanted.append(f"name contains '{escaped(inputs['name'])}'")
    if "text" in inputs:
        wanted.append(f"fullText contains '{escaped(inputs['text'])}'")
    if "folder" in inputs:
        wanted.append(f"'{escaped(inputs['folder'])}' in parents")
    if "content_type" in inputs:
        wanted.append(f"mimeType='{escaped(inputs['content_type'])}'")
    return " and ".join(wanted)


def listing(query: str, order: str) -> Request:
    return Request(
        "GET",
        "/files",
        query={
            "q": query,
            "orderBy": order,
            "pageSize": 100,
            "fields": f"nextPageToken,files({FILE_FIELDS})",
            "includeItemsFromAllDrives": True,
            **EVERYWHERE,
        },
    )


def upload(inputs: Mapping[str, Any]) -> Request:
    """Send what is known of the file and its bytes in one call: two parts, as Google wants them."""
    try:
        file = read_file(inputs["file"])
    except (ValueError, KeyError) as error:
        raise PermanentError("The file could not be read. Choose a file from an earlier step.") from error
    if len(file.content) > LARGEST_BYTES:
        raise PermanentError("The file is larger than 5 MB, more than this step can upload.")
    about = given(
        name=inputs.get("name") or file.name,
        description=inputs.get("description"),
        parents=[inputs["folder"]] if "folder" in inputs else None,
    )
    boundary = hashlib.sha256(file.content).hexdigest()[:32]
    kind = " ".join(file.content_type.split())  # a line break would begin another header
    content = b"\r\n".join(
        (
            f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n".encode(),
            json.dumps(about).encode(),
            f"--{boundary}\r\nContent-Type: {kind}\r\n".encode(),
            file.content,
            f"--{boundary}--\r\n".encode(),
        )
    )
    return Request(
        "POST",
        UPLOAD,
        query={"uploadType": "multipart", "fields": FILE_FIELDS, **EVERYWHERE},
        content=content,
        content_type=f"multipart/related; boundary={boundary}",
    )


def download(call: Call):
    about = yield get_file(call.inputs)
    name, kind = dig(about.json, "name") or "file", dig(about.json, "mimeType") or ""
    at = {"file": call.inputs["file"]}
    if kind.startswith("application/vnd.google-apps."):
        if kind not in EXPORTS:
            raise PermanentError(
                "Only documents, sheets, slides, drawings and ordinary files can be downloaded."
            )
        target, ending = EXPORTS[kind]
        target = call.inputs.get("export_as", target)
        answer = yield Request("GET", f"{FILE_PATH}/export", at=at, query={"mimeType": target})
        name = name if "export_as" in call.inputs else name + ending
    else:
        answer = yield Request("GET", FILE_PATH, at=at, query={"alt": "media", **EVERYWHERE})
    return {"file": file_value(answer, name=name), "name": name}


def get_file(inputs: Mapping[str, Any]) -> Request:
    return Request("GET", FILE_PATH, at={"file": inputs["file"]}, query={"fields": FILE_FIELDS, **EVERYWHERE})


def move(call: Call):
    """Take the file out of the folders it is in and put it into another."""
    about = yield get_file(call.inputs)
    parents = [parent for parent in dig(about.json, "parents") or () if parent != call.inputs["folder"]]
    answer = yield Request(
        "PATCH",
        FILE_PATH,
        at={"file": call.inputs["file"]},
        json={},
        query={
            "addParents": call.inputs["folder"],
            "removeParents": ",".join(parents) or None,
            "fields": FILE_FIELDS,
            **EVERYWHERE,
        },
    )
    return {
        "id": dig(answer.json, "id"),
        "name": dig(answer.json, "name"),
        "parents": dig(answer.json, "parents"),
    }


def share(inputs: Mapping[str, Any]) -> Request:
    if "email" not in inputs and inputs["with"] != "anyone":
        raise PermanentError("Fill in the e-mail address to share with, or choose “Anyone with the link”.")
    is_open = inputs["with"] == "anyone"
    return Request(
        "POST",
        f"{FILE_PATH}/permissions",
        at={"file": inputs["file"]},
        json={
            "type": inputs["with"],
            "role": inputs["role"],
            "emailAddress": None if is_open else inputs["email"],
        },
        query={
            "sendNotificationEmail": None if is_open else inputs["notify"],
            "emailMessage": None if is_open or not inputs["notify"] else inputs.get("message"),
            **EVERYWHERE,
        },
    )


FILE = Field(
    "file",
    label="File",
    required=True,
    example="1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms",
    help="The file's id, as given by the step or trigger that found it, or from its address.",
)
FOLDER = Field(
    "folder",
    label="Folder",
    options="list_folders",
    example="0B1folder",
    help="Choose it, or paste the id from its address.",
)
NAME = Field("name", label="Name", example="Invoice 1042.pdf")
RESULT: dict[str, Output | str] = {
    "id": "id",
    "name": "name",
    "content_type": "mimeType",
    "size": "size",
    "url": "webViewLink",
    "created_at": "createdTime",
    "changed_at": "modifiedTime",
    "parents": Output("parents", kind="list"),
    "owner": "owners.0.emailAddress",
}

ACTIONS = (
    Action(
        key="find_files",
        label="Find files",
        fields=(
            Field("name", label="Name contains", example="Invoice"),
            Field("text", label="Text contains", example="1042"),
            FOLDER,
            Field(
                "content_type",
                label="File type",
                example="application/pdf",
                advanced=True,
                help="Such as application/pdf.",
            ),
        ),
        request=lambda inputs: listing(search(inputs), "modifiedTime desc"),
        pagination=CursorPages(items="files", into="pageToken", cursor="nextPageToken"),
        returns={"files": Output("files", kind="list", of=RESULT)},
        effect="read",
    ),
    Action(
        key="list_folders",
        label="List folders",
        fields=(Field("name", label="Name contains", example="Invoices"),),
        request=lambda inputs: listing(search({**inputs, "content_type": FOLDER_TYPE}), "name"),
        pagination=CursorPages(items="files", into="pageToken", cursor="nextPageToken"),
        offers=Offers(items="folders"),
        returns={
            "folders": Output("files", kind="list", of={"id": "id", "name": "name", "url": "webViewLink"})
        },
        effect="read",
    ),
    Action(
        key="get_file",
        label="Get what is known of a file",
        fields=(FILE,),
        request=get_file,
        returns=RESULT,
        effect="read",
    ),
    Action(
        key="upload_file",
        label="Upload a file",
        fields=(
            Field(
                "file",
                label="File",
                kind="file",
                required=True,
                help="At most 5 MB.",
                example={"name": "order.txt", "content": "SGVsbG8=", "content_type": "text/plain"},
            ),
            NAME,
            FOLDER,
            Field("description", label="Description", example="Made by Steward", advanced=True),
        ),
        request=upload,
        returns=RESULT,
        effect="unsafe",
    ),
    Action(
        key="download_file",
        label="Download a file",
        description="Google's documents come as PDF, spreadsheets as Excel, unless you name another type.",
        fields=(
            FILE,
            Field(
                "export_as",
                label="Google documents as",
                example="text/plain",
                advanced=True,
                help="A file type such as text/plain, text/csv or application/pdf.",
            ),
        ),
        run=download,
        returns={"file": Output("file", kind="file"), "name": "name"},
        effect="read",
    ),
    Action(
        key="create_folder",
        label="Create a folder",
        fields=(
            Field("name", label="Name", required=True, example="Order 1042"),
            Field("folder", label="Inside", options="list_folders", example="0B1folder"),
        ),
        request=lambda inputs: Request(
            "POST",
            "/files",
            query={"fields": FILE_FIELDS, **EVERYWHERE},
            json={
                "name": inputs["name"],
                "mimeType": FOLDER_TYPE,
                "parents": [inputs["folder"]] if "folder" in inputs else None,
            },
        ),
        returns=RESULT,
        effect="unsafe",
    ),
    Action(
        key="copy_file",
        label="Copy a file",
        fields=(FILE, NAME, FOLDER),
        request=lambda inputs: Request(
            "POST",
            f"{FILE_PATH}/copy",
            at={"file": inputs["file"]},
            query={"fields": FILE_FIELDS, **EVERYWHERE},
            json={"name": inputs.get("name"), "parents": [inputs["folder"]] if "folder" in inputs else None},
        ),
        returns=RESULT,
        effect="unsafe",
    ),
    Action(
        key="move_file",
        label="Move a file",
        fields=(
            FILE,
            Field("folder", label="Into", required=True, options="list_folders", example="0B1folder"),
        ),
        run=move,
        returns={"id": "id", "name": "name", "parents": Output("parents", kind="list")},
        effect="key_safe",  # it looks where the file is first: a second move leaves it there
    ),
    Action(
        key="share_file",
        label="Share a file",
        fields=(
            FILE,
            Field(
                "with",
                label="Share with",
                kind="select",
                required=True,
                example="anyone",
                choices=(
                    ("user", "A person"),
                    ("group", "A Google group"),
                    ("anyone", "Anyone with the link"),
                ),
            ),
            Field("email", label="E-mail", kind="email", example="ada@example.com"),
            Field(
                "role",
                label="May",
                kind="select",
                default="reader",
                example="reader",
                choices=(("reader", "Read"), ("commenter", "Comment"), ("writer", "Change")),
            ),
            Field(
                "notify",
                label="Tell them by e-mail",
                kind="boolean",
                default=True,
                example=True,
                advanced=True,
            ),
            Field(
                "message",
                label="Message",
                kind="long_text",
                example="The plans for order 1042.",
                advanced=True,
            ),
        ),
        request=share,
        returns={"id": "id", "role": "role", "type": "type"},
        effect="unsafe",
    ),
    Action(
        key="trash_file",
        label="Move to trash",
        fields=(FILE,),
        request=lambda inputs: Request(
            "PATCH",
            FILE_PATH,
            at={"file": inputs["file"]},
            query={"fields": FILE_FIELDS, **EVERYWHERE},
            json={"trashed": True},
        ),
        returns={"id": "id", "name": "name", "is_trashed": Output("trashed", kind="boolean")},
        effect="key_safe",  # what is in the trash stays there
    ),
)


def created(config: Mapping[str, Any], since: Any) -> Request:
    # ">=", for two files may be of one moment; ids tell them apart.
    later = f" and createdTime >= '{since}'" if since else ""
    return listing(f"{search(config)} and mimeType!='{FOLDER_TYPE}'{later}", "createdTime desc")


def changed_files(response: Response, config: Mapping[str, Any]) -> list[Any]:
    """Return the changes of files that are there, in the folder wanted if one is."""
    folder = config.get("folder")
    return [
        change
        for change in dig(response.json, "changes") or ()
        if change.get("changeType") == "file"
        and not change.get("removed")
        and not dig(change, "file.trashed")
        and (not folder or folder in (dig(change, "file.parents") or ()))
    ]


SAMPLE = {
    "id": "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms",
    "name": "Invoice 1042.pdf",
    "mimeType": "application/pdf",
    "size": "48211",
    "createdTime": "2026-11-22T09:30:00.000Z",
    "modifiedTime": "2026-11-22T09:30:00.000Z",
    "webViewLink": "https://drive.google.com/file/d/1BxiMVs0/view",
    "parents": ["0B1folder"],
    "trashed": False,
    "owners": [{"emailAddress": "ada@example.com"}],
}

TRIGGERS = (
    Trigger(
        key="new_file",
        label="New file",
        kind="polling",
        fields=(FOLDER,),
        poll=Poll(
            request=created,
            items="files",
            stamp="createdTime",
            pagination=CursorPages(items="files", into="pageToken", cursor="nextPageToken"),
        ),
        sample=SAMPLE,
        returns=RESULT,
    ),
    Trigger(
        key="file_changed",
        label="New or changed file",
        kind="polling",
        fields=(FOLDER,),
        poll=Poll(
            request=lambda config, since: ask_changes(since),
            items=changed_files,
            id=("fileId", "time"),
            position=changes_position,
            stale=(400, 404, 410),
            pagination=CHANGES_PAGES,
            order="oldest_first",
        ),
        sample={
            "changeType": "file",
            "time": "2026-11-22T09:30:00.000Z",
            "removed": False,
            "fileId": "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms",
            "file": SAMPLE,
        },
        root="file",
        returns=RESULT,
    ),
)

connector = Connector(
    slug="google_drive",
    name="Google Drive",
    category="Data",
    summary="Find, upload, download, move and share files, and start on new ones.",
    docs_url="https://developers.google.com/workspace/drive/api/reference/rest/v3",
    base_url=DRIVE,
    auth=sign_in("drive"),
    test=Test(
        Request("GET", "/about", query={"fields": "user"}),
        account={"email": "user.emailAddress"},
        label="user.emailAddress",
    ),
    on_error=refine("Google Drive"),
    rate_limit=RateLimit(calls=10),
    actions=ACTIONS,
    triggers=TRIGGERS,
)
