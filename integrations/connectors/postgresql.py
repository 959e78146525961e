"""Any PostgreSQL database: read with a query, write rows, and start when a row appears."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.connectors._postgresql_transport import MAX_ROWS, carry
from integrations.framework import (
    Action,
    Basic,
    Connector,
    Field,
    Offers,
    Output,
    Poll,
    Request,
    Response,
    Test,
    Trigger,
)

TABLE = Field("table", label="Table", required=True, example="public.orders", options="list_tables")
VALUES = Field(
    "values",
    label="Values",
    kind="list",
    example=["paid", 100],
    help="For $1, $2, … in their order. Never write a value into the text itself.",
)
TIMEOUT = Field(
    "timeout_seconds",
    label="Longest time in seconds",
    kind="integer",
    default=30,
    minimum=1,
    maximum=55,
    example=30,
    advanced=True,
)
ROW = Field(
    "row",
    label="Row",
    kind="object",
    required=True,
    example={"number": "1042", "status": "paid"},
    help="Column and value.",
)
ROWS = Output("rows", kind="list")


def column(key: str, label: str, help_text: str, example: Any, *, several: bool = False) -> Field:
    """Return a field that offers the table's columns."""
    return Field(
        key,
        label=label,
        kind="list" if several else "text",
        required=True,
        example=example,
        help=help_text,
        options="list_columns",
        depends_on=("table",),
    )


@dataclass(frozen=True)
class Behind:
    """Pages that go on behind the last row of the page before."""

    items: str = "rows"

    def next(self, request: Request, response: Response) -> Request | None:
        after = response.json["after"]
        return request.with_json(after=after) if after else None


def rows_since(config: Mapping[str, Any], since: Any) -> Request:
    return Request("NEW", "", json={**config, "since": since})


connector = Connector(
    slug="postgresql",
    name="PostgreSQL",
    category="Data",
    summary="Read and write the tables of your own database, and start a workflow when a row appears.",
    docs_url="https://www.postgresql.org/docs/current/",
    auth=Basic(
        username_label="User",
        help="Best a user that may do only what your workflows need.",
        more=(
            Field("host", label="Host", required=True, example="db.example.com"),
            Field("port", label="Port", kind="integer", default=5432, minimum=1, maximum=65535, example=5432),
            Field("database", label="Database", required=True, example="shop", max_length=63),
            Field(
                "encryption",
                label="Encryption",
                kind="select",
                choices=(
                    ("verify", "Encrypted, certificate checked"),
                    ("require", "Encrypted, certificate not checked"),
                    ("none", "None: anybody on the way can read along"),
                ),
                default="verify",
                example="verify",
            ),
        ),
    ),
    transport=carry,
    test=Test(Request("TEST", ""), label="label"),
    actions=(
        Action(
            "query",
            "Run a query",
            "Reads only: the transaction is read-only, whatever the text says.",
            fields=(
                Field(
                    "query",
                    label="Query",
                    kind="long_text",
                    required=True,
                    example="SELECT id, total FROM orders WHERE status = $1 AND total > $2",
                ),
                VALUES,
                Field(
                    "limit",
                    label="Most rows",
                    kind="integer",
                    default=1000,
                    minimum=1,
                    maximum=MAX_ROWS,
                    example=100,
                ),
                TIMEOUT,
            ),
            request=lambda inputs: Request("QUERY", "", json=dict(inputs)),
            returns={
                "rows": ROWS,
                "row_count": Output("row_count", kind="integer"),
                "has_more": Output("has_more", kind="boolean"),
            },
            effect="read",
        ),
        Action(
            "execute",
            "Run a statement",
            "One statement that changes data, in a transaction of its own.",
            fields=(
                Field(
                    "statement",
                    label="Statement",
                    kind="long_text",
                    required=True,
                    example="UPDATE orders SET status = $1 WHERE total > $2 RETURNING id",
                ),
                VALUES,
                TIMEOUT,
            ),
            request=lambda inputs: Request("EXECUTE", "", json=dict(inputs)),
            returns={"rows": ROWS, "row_count": Output("row_count", kind="integer")},
            effect="unsafe",
        ),
        Action(
            "insert_row",
            "Add a row",
            fields=(TABLE, ROW, TIMEOUT),
            request=lambda inputs: Request("INSERT", "", json=dict(inputs)),
            returns={"row": Output("row", kind="object")},
            effect="unsafe",
        ),
        Action(
            "upsert_row",
            "Add or change a row",
            "Changes the row that has the same key, or adds it.",
            fields=(
                TABLE,
                ROW,
                column(
                    "key_columns",
                    "Told apart by",
                    "Columns with a unique index together.",
                    ["number"],
                    several=True,
                ),
                TIMEOUT,
            ),
            request=lambda inputs: Request("UPSERT", "", json=dict(inputs)),
            returns={"row": Output("row", kind="object")},
            effect="key_safe",  # the row is a state, told apart by its key: the second time changes nothing
        ),
        Action(
            "list_tables",
            "List tables",
            request=lambda inputs: Request("TABLES", ""),
            returns={"tables": Output("tables", kind="list", of={"id": "id", "name": "name"})},
            effect="read",
            offers=Offers("tables"),
        ),
        Action(
            "list_columns",
            "List columns",
            fields=(TABLE,),
            request=lambda inputs: Request("COLUMNS", "", json=dict(inputs)),
            returns={"columns": Output("columns", kind="list", of={"id": "id", "name": "name"})},
            effect="read",
            offers=Offers("columns"),
        ),
    ),
    triggers=(
        Trigger(
            "new_row",
            "New row",
            kind="polling",
            description="Starts for each row that appears, found by a column that only grows.",
            fields=(
                TABLE,
                column(
                    "cursor_column",
                    "Grows with each row",
                    "A number that counts up, or the time of creation. A row that is written later with a smaller"
                    " value is not found.",
                    "created_at",
                ),
                column("key_column", "Tells rows apart", "Usually the primary key.", "id"),
            ),
            poll=Poll(
                request=rows_since,
                items="rows",
                id="key",
                stamp="cursor",
                pagination=Behind(),
                interval_seconds=120,
            ),
            root="row",
            sample={
                "cursor": "2026-11-22 09:30:00+00",
                "key": "1042",
                "row": {"id": 1042, "status": "paid", "created_at": "2026-11-22T09:30:00+00:00"},
            },
        ),
    ),
)
