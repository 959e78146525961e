"""Google Sheets: read, append, change and clear cells, make sheets; start on new and changed rows."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from integrations.connectors._google import (
    CHANGES_PAGES,
    CHANNEL_SECONDS,
    DRIVE,
    ask_changes,
    changes_position,
    channels,
    open_channel,
    refine,
    sign_in,
)
from integrations.framework import (
    Action,
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
    Subscription,
    Test,
    Trigger,
    dig,
    given,
)

SHEETS = "/v4/spreadsheets/{spreadsheet}"
IS_SPREADSHEET = "mimeType='application/vnd.google-apps.spreadsheet' and trashed=false"


def a1(sheet: str, cells: str = "") -> str:
    """Return a range in A1 notation; a sheet's name may hold blanks, quotes and exclamation marks."""
    name = "'" + sheet.replace("'", "''") + "'"
    return f"{name}!{cells}" if cells else name


def range_of(inputs: Mapping[str, Any]) -> str:
    return a1(inputs["sheet"], inputs.get("cells", ""))


def rows(value: list[Any]) -> list[Any]:
    """Return a list of rows; a single row may be given as it is. Raises PermanentError for a mixture."""
    if not any(isinstance(row, list) for row in value):
        value = [value]
    if not all(isinstance(row, list) for row in value):
        raise PermanentError(
            "“Rows” must be one list of cells, or a list of such lists. Correct it in this step."
        )
    return [[as_cell(cell) for cell in row] for row in value]


def as_cell(value: Any) -> Any:
    plain = value is None or isinstance(value, str | int | float | bool)
    return value if plain else json.dumps(value, ensure_ascii=False)


def by_column(values: list[Any]) -> list[dict[str, Any]]:
    """Return the rows below the first as {"row": number in the sheet, "values": column name -> cell}.

    Empty rows are left out. A column without a name is called "Column 3"; of two of one name the later is numbered too.
    """
    if not values:
        return []
    width = max(len(row) for row in values)
    names: list[str] = []
    for index in range(width):
        name = str(values[0][index]).strip() if index < len(values[0]) else ""
        names.append(name if name and name not in names else f"{name or 'Column'} {index + 1}")
    return [
        {
            "row": number,
            "values": {name: row[index] if index < len(row) else "" for index, name in enumerate(names)},
        }
        for number, row in enumerate(values[1:], 2)
        if any(cell not in ("", None) for cell in row)
    ]


def find_rows(call):
    """Read the sheet once and pick: Sheets itself cannot search."""
    inputs = call.inputs
    answer = yield Request(
        "GET",
        f"{SHEETS}/values/{{range}}",
        at={"spreadsheet": inputs["spreadsheet"], "range": a1(inputs["sheet"])},
    )
    found = by_column(dig(answer.json, "values") or [])
    if found and inputs["column"] not in found[0]["values"]:
        raise PermanentError(
            f"The sheet has no column “{inputs['column']}”. Its columns are: {', '.join(found[0]['values'])}."
        )
    wanted = inputs["value"].strip().casefold()
    matches = [row for row in found if str(row["values"][inputs["column"]]).strip().casefold() == wanted]
    return {"rows": matches, "count": len(matches), "first": matches[0] if matches else None}


SPREADSHEET = Field(
    "spreadsheet",
    label="Spreadsheet",
    required=True,
    options="list_spreadsheets",
    example="1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms",
    help="Choose it, or paste the id from its address.",
)
SHEET = Field(
    "sheet",
    label="Sheet",
    required=True,
    options="get_spreadsheet",
    depends_on=("spreadsheet",),
    example="Orders",
    help="The name on the tab.",
)
CELLS = Field(
    "cells", label="Cells", example="A1:D10", help="Such as A1:D10 or A:D. Empty for the whole sheet."
)
ROWS = Field(
    "values",
    label="Rows",
    kind="list",
    required=True,
    example=[["1042", "Ada", 49.0]],
    help="One row as a list of cells, or several such lists.",
)
HOW = Field(
    "input_option",
    label="Write values",
    kind="select",
    default="RAW",
    example="RAW",
    choices=(("RAW", "Exactly as given"), ("USER_ENTERED", "As if typed, with dates and formulas")),
    help="Typed values run as formulas when they begin with “=”: take “exactly” for what strangers sent.",
)
RENDER = Field(
    "render_option",
    label="Read values",
    kind="select",
    advanced=True,
    example="UNFORMATTED_VALUE",
    choices=(
        ("FORMATTED_VALUE", "As shown"),
        ("UNFORMATTED_VALUE", "Plain numbers"),
        ("FORMULA", "Formulas"),
    ),
)
MAJOR = Field(
    "major_dimension",
    label="Read by",
    kind="select",
    advanced=True,
    example="ROWS",
    choices=("ROWS", "COLUMNS"),
)
ROW = {"row": Output("row", kind="integer"), "values": Output("values", kind="object")}
NAMED_ROWS = Output(
    "",
    kind="list",
    label="Rows by column name",
    of={"row": Output("", kind="integer"), "values": Output("", kind="object")},
)

APPEND = Action(
    key="append_row",
    label="Append rows",
    fields=(
        SPREADSHEET,
        SHEET,
        ROWS,
        HOW,
        Field(
            "insert_option",
            label="Where there is something below",
            kind="select",
            default="INSERT_ROWS",
            choices=(("INSERT_ROWS", "Put new rows in between"), ("OVERWRITE", "Write over it")),
            example="INSERT_ROWS",
            advanced=True,
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        f"{SHEETS}/values/{{range}}:append",
        at={"spreadsheet": inputs["spreadsheet"], "range": a1(inputs["sheet"])},
        query={"valueInputOption": inputs["input_option"], "insertDataOption": inputs["insert_option"]},
        json={"values": rows(inputs["values"])},
    ),
    returns={
        "updated_range": "updates.updatedRange",
        "updated_rows": Output("updates.updatedRows", kind="integer"),
        "table_range": "tableRange",
    },
    effect="unsafe",
)

READ = Action(
    key="read_range",
    label="Read cells",
    fields=(SPREADSHEET, SHEET, CELLS, RENDER, MAJOR),
    request=lambda inputs: Request(
        "GET",
        f"{SHEETS}/values/{{range}}",
        at={"spreadsheet": inputs["spreadsheet"], "range": range_of(inputs)},
        query={
            "valueRenderOption": inputs.get("render_option"),
            "majorDimension": inputs.get("major_dimension"),
        },
    ),
    output=lambda response: {
        "range": dig(response.json, "range"),
        "values": dig(response.json, "values") or [],
        "rows": by_column(dig(response.json, "values") or []),
    },
    returns={"range": "range", "values": Output("values", kind="list"), "rows": NAMED_ROWS},
    effect="read",
)

FIND = Action(
    key="find_rows",
    label="Find rows",
    description="Finds the rows whose column holds a value; the first row holds the columns' names.",
    fields=(
        SPREADSHEET,
        SHEET,
        Field("column", label="Column", required=True, example="E-mail", help="Its name in the first row."),
        Field(
            "value", label="Value", required=True, example="ada@example.com", help="Capitals do not matter."
        ),
    ),
    run=find_rows,
    returns={
        "rows": Output("rows", kind="list", of=ROW),
        "count": Output("count", kind="integer"),
        "first": Output("first", kind="object", of=ROW),
    },
    effect="read",
)

UPDATE = Action(
    key="update_range",
    label="Change cells",
    fields=(
        SPREADSHEET,
        SHEET,
        Field(
            "cells",
            label="Cells",
            required=True,
            example="A2:C2",
            help="Such as A2:C2; A2 alone names the corner.",
        ),
        ROWS,
        HOW,
    ),
    request=lambda inputs: Request(
        "PUT",
        f"{SHEETS}/values/{{range}}",
        at={"spreadsheet": inputs["spreadsheet"], "range": range_of(inputs)},
        query={"valueInputOption": inputs["input_option"]},
        json={"values": rows(inputs["values"])},
    ),
    returns={"updated_range": "updatedRange", "updated_cells": Output("updatedCells", kind="integer")},
    effect="key_safe",  # the same values in the same cells
)

CLEAR = Action(
    key="clear_range",
    label="Clear cells",
    description="Empties values and keeps the looks.",
    fields=(SPREADSHEET, SHEET, CELLS),
    request=lambda inputs: Request(
        "POST",
        f"{SHEETS}/values/{{range}}:clear",
        at={"spreadsheet": inputs["spreadsheet"], "range": range_of(inputs)},
        json={},
    ),
    returns={"cleared_range": "clearedRange"},
    effect="key_safe",  # empty cells stay empty
)

READ_MANY = Action(
    key="read_ranges",
    label="Read several ranges",
    fields=(
        SPREADSHEET,
        Field(
            "ranges",
            label="Ranges",
            kind="list",
            required=True,
            example=["'Orders'!A1:D10", "Prices!A:B"],
            help="With the sheet's name, such as Prices!A:B.",
        ),
        RENDER,
        MAJOR,
    ),
    request=lambda inputs: Request(
        "GET",
        f"{SHEETS}/values:batchGet",
        at={"spreadsheet": inputs["spreadsheet"]},
        query={
            "ranges": inputs["ranges"],
            "valueRenderOption": inputs.get("render_option"),
            "majorDimension": inputs.get("major_dimension"),
        },
    ),
    returns={
        "ranges": Output(
            "valueRanges", kind="list", of={"range": "range", "values": Output("values", kind="list")}
        )
    },
    effect="read",
)

UPDATE_MANY = Action(
    key="update_ranges",
    label="Change several ranges",
    fields=(
        SPREADSHEET,
        Field(
            "data",
            label="Changes",
            kind="list",
            required=True,
            fields=(
                Field("range", label="Range", required=True),
                Field("values", label="Rows", kind="list", required=True),
            ),
            example=[{"range": "Orders!A2", "values": [["paid"]]}],
        ),
        HOW,
    ),
    request=lambda inputs: Request(
        "POST",
        f"{SHEETS}/values:batchUpdate",
        at={"spreadsheet": inputs["spreadsheet"]},
        json={
            "valueInputOption": inputs["input_option"],
            "data": [
                {"range": change["range"], "values": rows(change["values"])} for change in inputs["data"]
            ],
        },
    ),
    returns={
        "updated_cells": Output("totalUpdatedCells", kind="integer"),
        "ranges": Output("responses", kind="list", of={"range": "updatedRange"}),
    },
    effect="key_safe",  # the same values in the same cells
)

GET_SPREADSHEET = Action(
    key="get_spreadsheet",
    label="Get sheet names",
    fields=(SPREADSHEET,),
    request=lambda inputs: Request(
        "GET",
        SHEETS,
        at={"spreadsheet": inputs["spreadsheet"]},
        query={"fields": "spreadsheetId,spreadsheetUrl,properties.title,sheets.properties"},
    ),
    offers=Offers(items="sheets", value="title", label="title"),
    returns={
        "id": "spreadsheetId",
        "title": "properties.title",
        "url": "spreadsheetUrl",
        "sheets": Output(
            "sheets",
            kind="list",
            of={
                "sheet_id": Output("properties.sheetId", kind="integer"),
                "title": "properties.title",
                "row_count": Output("properties.gridProperties.rowCount", kind="integer"),
            },
        ),
    },
    effect="read",
)

CREATE = Action(
    key="create_spreadsheet",
    label="Create a spreadsheet",
    fields=(
        Field("title", label="Name", required=True, example="Orders 2026"),
        Field("sheets", label="Sheets", kind="list", example=["Orders", "Prices"], help="Names of the tabs."),
        Field("locale", label="Language", example="de_DE", advanced=True),
        Field("time_zone", label="Time zone", example="Europe/Berlin", advanced=True),
    ),
    request=lambda inputs: Request(
        "POST",
        "/v4/spreadsheets",
        json={
            "properties": given(
                title=inputs["title"], locale=inputs.get("locale"), timeZone=inputs.get("time_zone")
            ),
            "sheets": [{"properties": {"title": str(title)}} for title in inputs.get("sheets", ())] or None,
        },
    ),
    returns={
        "id": "spreadsheetId",
        "url": "spreadsheetUrl",
        "sheets": Output(
            "sheets",
            kind="list",
            of={"sheet_id": Output("properties.sheetId", kind="integer"), "title": "properties.title"},
        ),
    },
    effect="unsafe",
)

BATCH_UPDATE = Action(
    key="batch_update",
    label="Change the structure",
    description="Adds sheets, deletes rows, formats: anything of Google's batchUpdate.",
    fields=(
        SPREADSHEET,
        Field(
            "requests",
            label="Requests",
            kind="json",
            required=True,
            example=[{"addSheet": {"properties": {"title": "2027"}}}],
            help='A list in Google\'s form, such as [{"addSheet": {"properties": {"title": "2027"}}}].',
        ),
    ),
    request=lambda inputs: Request(
        "POST",
        f"{SHEETS}:batchUpdate",
        at={"spreadsheet": inputs["spreadsheet"]},
        json={
            "requests": inputs["requests"] if isinstance(inputs["requests"], list) else [inputs["requests"]]
        },
    ),
    returns={"replies": Output("replies", kind="list")},
    effect="unsafe",
)

LIST = Action(
    key="list_spreadsheets",
    label="Find spreadsheets",
    fields=(Field("name", label="Name contains", example="Orders"),),
    request=lambda inputs: Request(
        "GET",
        f"{DRIVE}/files",
        query={
            "q": IS_SPREADSHEET
            + (f" and name contains '{escaped(inputs['name'])}'" if "name" in inputs else ""),
            "orderBy": "modifiedTime desc",
            "pageSize": 200,
            "supportsAllDrives": True,
            "includeItemsFromAllDrives": True,
            "fields": "nextPageToken,files(id,name,modifiedTime,webViewLink)",
        },
    ),
    pagination=CursorPages(items="files", into="pageToken", cursor="nextPageToken"),
    offers=Offers(items="spreadsheets"),
    returns={
        "spreadsheets": Output(
            "files",
            kind="list",
            of={"id": "id", "name": "name", "modified_at": "modifiedTime", "url": "webViewLink"},
        )
    },
    effect="read",
)


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def read_sheet(config: Mapping[str, Any], since: Any) -> Request:
    return Request(
        "GET",
        f"{SHEETS}/values/{{range}}",
        at={"spreadsheet": config["spreadsheet"], "range": a1(config["sheet"])},
    )


def next_row(response: Response) -> int:
    """Return the number of the first row that is not there yet; when rows were deleted, it is smaller than before."""
    return max(len(dig(response.json, "values") or []) + 1, 2)


def keyed_rows(response: Response, config: Mapping[str, Any]) -> list[Any]:
    """Return the rows that have a key, each with a print of its cells."""
    result = []
    for row in by_column(dig(response.json, "values") or []):
        key = str(row["values"].get(config["key_column"], "")).strip()
        if key:
            cells = json.dumps(row["values"], sort_keys=True, default=str).encode()
            result.append({**row, "key": key, "print": hashlib.sha256(cells).hexdigest()[:16]})
    return result


def changes_of(response: Response, config: Mapping[str, Any]) -> list[Any]:
    return [
        change
        for change in dig(response.json, "changes") or ()
        if change.get("fileId") == config["spreadsheet"]
    ]


def watch_file(subscription: Subscription) -> Request:
    return open_channel(
        subscription,
        f"{DRIVE}/files/{{file}}/watch",
        CHANNEL_SECONDS,
        file=subscription.config["spreadsheet"],
    )


ROW_SAMPLE = {"row": 7, "values": {"Order": "1042", "Name": "Ada", "Total": "49.00"}}

TRIGGERS = (
    Trigger(
        key="new_row",
        label="New row",
        kind="polling",
        description="Rows below the last one seen; the first row holds the columns' names.",
        fields=(SPREADSHEET, SHEET),
        poll=Poll(
            request=read_sheet,
            items=lambda response, config: by_column(dig(response.json, "values") or []),
            id="row",
            stamp="row",
            position=next_row,
            order="oldest_first",
        ),
        sample=ROW_SAMPLE,
        returns=ROW,
    ),
    Trigger(
        key="row_changed",
        label="New or changed row",
        kind="polling",
        fields=(
            SPREADSHEET,
            SHEET,
            Field(
                "key_column",
                label="Column that names a row",
                required=True,
                example="Order",
                help="A column whose value is different in each row, such as an order number.",
            ),
        ),
        poll=Poll(
            request=read_sheet, items=keyed_rows, id=("key", "print"), whole=True, order="oldest_first"
        ),
        sample={**ROW_SAMPLE, "key": "1042", "print": "9f86d081884c7d65"},
        returns={**ROW, "key": "key"},
    ),
    Trigger(
        key="file_changed",
        label="Spreadsheet changed",
        event=("update", "change"),
        fields=(SPREADSHEET,),
        description="Told by Google within moments. While it is renewed once a day, a change may be told twice.",
        sample={
            "state": "update",
            "changed": ["content"],
            "resource": "1BxiMVs0",
            "resource_uri": "https://www.googleapis.com/drive/v3/files/1BxiMVs0?alt=json",
            "notice": "c:2",
        },
        returns={"spreadsheet": "resource", "changed": Output("changed", kind="list")},
    ),
    Trigger(
        key="file_changes_polling",
        label="Spreadsheet changed (checked every few minutes)",
        kind="polling",
        fields=(SPREADSHEET,),
        poll=Poll(
            request=lambda config, since: ask_changes(since),
            items=changes_of,
            id=("fileId", "time"),
            position=changes_position,
            stale=(400, 404, 410),
            pagination=CHANGES_PAGES,
            order="oldest_first",
        ),
        sample={
            "changeType": "file",
            "time": "2026-11-22T09:30:00Z",
            "removed": False,
            "fileId": "1BxiMVs0",
            "file": {"id": "1BxiMVs0", "name": "Orders", "modifiedTime": "2026-11-22T09:30:00Z"},
        },
        returns={
            "spreadsheet": "fileId",
            "changed_at": "time",
            "name": "file.name",
            "url": "file.webViewLink",
            "is_removed": Output("removed", kind="boolean"),
        },
    ),
)

connector = Connector(
    slug="google_sheets",
    name="Google Sheets",
    category="Data",
    summary="Read and write spreadsheets, and start on new or changed rows.",
    docs_url="https://developers.google.com/workspace/sheets/api/reference/rest",
    base_url="https://sheets.googleapis.com",
    credential_hosts=("www.googleapis.com",),  # Drive lists and watches the files
    auth=sign_in("spreadsheets", "drive.metadata.readonly"),
    test=Test(
        Request("GET", f"{DRIVE}/about", query={"fields": "user"}),
        account={"email": "user.emailAddress"},
        label="user.emailAddress",
    ),
    on_error=refine("Google Sheets"),
    rate_limit=RateLimit(calls=60, seconds=60),
    webhooks=channels(watch_file, stop=f"{DRIVE}/channels/stop"),
    actions=(
        APPEND,
        READ,
        FIND,
        UPDATE,
        CLEAR,
        READ_MANY,
        UPDATE_MANY,
        GET_SPREADSHEET,
        CREATE,
        BATCH_UPDATE,
        LIST,
    ),
    triggers=TRIGGERS,
)
