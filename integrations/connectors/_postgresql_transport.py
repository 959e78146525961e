"""What the PostgreSQL connector's requests do: one connection and transaction each, values bound, never pasted.

The connection goes to an address that was checked, everything libpq would take from our own environment is overruled,
and a statement is always sent by the extended protocol, which carries one statement and no second.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import certifi
import psycopg
from psycopg import sql
from psycopg.adapt import Loader
from psycopg.raw_cursor import AsyncRawCursor, AsyncRawServerCursor
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from integrations.framework import PermanentError, ReconnectError, Request, Response, TemporaryError
from integrations.framework.client import CONNECT_SECONDS, Client

MAX_ROWS = 10_000
MAX_BYTES = 10 * 1024 * 1024  # of the rows of one answer, as JSON
STATEMENT_SECONDS = 30
CHUNK = 100  # rows fetched at once: what a runaway query can cost us
LOOK_ROWS = 500  # rows of one page of a look
ENCRYPTION = {"verify": "verify-full", "require": "require", "none": "disable"}


async def carry(
    request: Request, credentials: Mapping[str, Any], account: Mapping[str, Any], client: Client
) -> Response:
    """Do one request; see Connector.transport. Its json is what the work needs."""
    values = request.json or {}
    work, writes = WORK[request.method]
    async with _connected(credentials, client) as connection:
        seconds = int(values.get("timeout_seconds") or STATEMENT_SECONDS)
        sent = False
        try:
            await connection.execute("BEGIN" if writes else "BEGIN READ ONLY")
            # Session settings would stay with a pooler's connection; these end with the transaction.
            await connection.execute(
                f"SET LOCAL statement_timeout = {seconds * 1000}; SET LOCAL TimeZone = 'UTC';"
                " SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'iso_8601'"
            )
            answer = await work(connection, values)
            sent = writes
            await connection.execute("COMMIT" if writes else "ROLLBACK")
        except psycopg.Error as error:
            raise _told(error, may_have_happened=sent) from None
    return Response(200, answer)


async def prove(connection: psycopg.AsyncConnection[Any], _values: Mapping[str, Any]) -> dict[str, Any]:
    rows = await _rows(connection, "SELECT current_database() AS database, current_user AS name", [], 1)
    return {"label": f"{rows[0]['database']} ({rows[0]['name']})"}


async def query(connection: psycopg.AsyncConnection[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    limit = int(values.get("limit") or 1000)
    rows = await _rows(connection, str(values["query"]), values.get("values") or [], limit + 1)
    return {"rows": rows[:limit], "row_count": len(rows[:limit]), "has_more": len(rows) > limit}


async def execute(connection: psycopg.AsyncConnection[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    return await _write(connection, str(values["statement"]), values.get("values") or [])


async def insert(connection: psycopg.AsyncConnection[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    columns, bound = _columns(values["row"])
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING *").format(
        _table(values["table"]), _names(columns), _places(len(bound))
    )
    return await _one(connection, statement.as_string(connection), bound)


async def upsert(connection: psycopg.AsyncConnection[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    columns, bound = _columns(values["row"])
    keys = [str(key) for key in values["key_columns"]]
    missing = [key for key in keys if key not in columns]
    if missing:
        raise PermanentError(
            f"Give a value for “{missing[0]}” as well: rows are told apart by it.", detail="key"
        )
    changed = [column for column in columns if column not in keys] or keys[:1]
    statement = sql.SQL(
        "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO UPDATE SET {} RETURNING *"
    ).format(
        _table(values["table"]),
        _names(columns),
        _places(len(bound)),
        _names(keys),
        sql.SQL(", ").join(
            sql.SQL("{} = excluded.{}").format(sql.Identifier(name), sql.Identifier(name)) for name in changed
        ),
    )
    return await _one(connection, statement.as_string(connection), bound)


async def tables(connection: psycopg.AsyncConnection[Any], _values: Mapping[str, Any]) -> dict[str, Any]:
    rows = await _rows(
        connection,
        "SELECT n.nspname || '.' || c.relname AS id,"
        " CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS name"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'"
        " AND has_table_privilege(c.oid, 'SELECT') ORDER BY n.nspname <> 'public', 1",
        [],
        2000,
    )
    return {"tables": rows}


async def columns(connection: psycopg.AsyncConnection[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    schema, name = _split(values["table"])
    rows = await _rows(
        connection,
        "SELECT a.attname AS id, a.attname || ' (' || format_type(a.atttypid, a.atttypmod) || ')' AS name"
        " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        [schema, name],
        1600,
    )
    return {"columns": rows}


async def new_rows(connection: psycopg.AsyncConnection[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return rows whose cursor is not older than `since`, newest first.

    after: (cursor, key) of the page before; pages go on behind it, so that any number of rows may share a cursor.
    """
    cursor, key = sql.Identifier(str(values["cursor_column"])), sql.Identifier(str(values["key_column"]))
    bound: list[Any] = []
    conditions = [sql.SQL("{} IS NOT NULL").format(cursor)]
    if values.get("since") is not None:
        bound.append(str(values["since"]))
        conditions.append(sql.SQL("{} >= $1").format(cursor))
    if values.get("after"):
        first = len(bound) + 1
        bound += [str(part) for part in values["after"]]
        conditions.append(
            sql.SQL("({}, {}) < ({}, {})").format(cursor, key, sql.SQL(f"${first}"), sql.SQL(f"${first + 1}"))
        )
    statement = sql.SQL(
        'SELECT {0}::text AS "cursor", {1}::text AS "key", to_jsonb(t) AS "row" FROM {2} t WHERE {3}'
        " ORDER BY t.{0} DESC, t.{1} DESC LIMIT {4}"
    ).format(cursor, key, _table(values["table"]), sql.SQL(" AND ").join(conditions), sql.Literal(LOOK_ROWS))
    rows = await _rows(connection, statement.as_string(connection), bound, LOOK_ROWS)
    more = len(rows) == LOOK_ROWS
    return {"rows": rows, "after": [rows[-1]["cursor"], rows[-1]["key"]] if more else None}


Work = Callable[[psycopg.AsyncConnection[Any], Mapping[str, Any]], Awaitable[dict[str, Any]]]
# Work, and whether it writes.
WORK: dict[str, tuple[Work, bool]] = {
    "TEST": (prove, False),
    "QUERY": (query, False),
    "EXECUTE": (execute, True),
    "INSERT": (insert, True),
    "UPSERT": (upsert, True),
    "TABLES": (tables, False),
    "COLUMNS": (columns, False),
    "NEW": (new_rows, False),
}


@asynccontextmanager
async def _connected(
    credentials: Mapping[str, Any], client: Client
) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    port = int(credentials.get("port") or 5432)
    host, addresses = await client.addresses(str(credentials.get("host") or ""), port)
    encryption = ENCRYPTION[str(credentials.get("encryption") or "verify")]
    try:
        connection = await psycopg.AsyncConnection.connect(
            host=host,
            hostaddr=addresses[0],
            port=port,
            dbname=str(credentials.get("database") or ""),
            user=str(credentials.get("username") or ""),
            password=str(credentials.get("password") or ""),
            sslmode=encryption,
            sslrootcert=certifi.where() if encryption == "verify-full" else "",
            # A password is never given in clear text over a connection that anybody can read.
            require_auth="scram-sha-256" if encryption == "disable" else "scram-sha-256,md5,password",
            connect_timeout=int(CONNECT_SECONDS),
            application_name="Steward",
            # Whatever our own environment holds is not for other servers.
            options="",
            passfile="/dev/null",
            sslcertmode="disable",
            gssencmode="disable",
            target_session_attrs="any",
            client_encoding="utf8",
            autocommit=True,
            prepare_threshold=None,
        )
    except psycopg.Error as error:
        raise _not_connected(error, f"{host}, port {port}") from None
    try:
        for name in AS_TEXT:
            connection.adapters.register_loader(name, _Text)
        connection.adapters.register_loader("numeric", _Number)
        yield connection
    finally:
        await connection.close()


class _Text(Loader):
    """Dates, times and the like as ISO text: also those that Python's types cannot hold, such as infinity."""

    def load(self, data: Any) -> str:
        text = bytes(data).decode()
        return re.sub(r"^(\d{4,}-\d\d-\d\d) (\d\d:)", r"\1T\2", text)


class _Number(Loader):
    """A number where JSON can hold it exactly, else its digits as text."""

    def load(self, data: Any) -> int | float | str:
        text = bytes(data).decode()
        if re.fullmatch(r"-?\d{1,15}", text):
            return int(text)
        if (
            re.fullmatch(r"-?\d+\.\d+", text)
            and len(text.replace("-", "").replace(".", "").lstrip("0")) <= 15
        ):
            return float(text)  # 15 digits come back out of a float as they went in
        return text


AS_TEXT = ("date", "time", "timetz", "timestamp", "timestamptz", "interval", "uuid", "inet", "cidr")


async def _rows(
    connection: psycopg.AsyncConnection[Any], statement: str, values: Sequence[Any], most: int
) -> list[dict[str, Any]]:
    """Return up to `most` rows of one reading statement. Raises PermanentError when they are too large."""
    found: list[dict[str, Any]] = []
    size = 0
    async with AsyncRawServerCursor(connection, "steward", row_factory=dict_row) as cursor:
        await cursor.execute(statement.strip().rstrip(";"), _bound(values))
        while len(found) < most:
            chunk = await cursor.fetchmany(min(CHUNK, most - len(found)))
            if not chunk:
                break
            size += _add(found, chunk)
            if size > MAX_BYTES:
                raise PermanentError(
                    f"The rows are larger than {MAX_BYTES // (1024 * 1024)} MB. Ask for fewer rows or columns.",
                    detail="rows too large",
                )
    return found


async def _write(
    connection: psycopg.AsyncConnection[Any], statement: str, values: Sequence[Any]
) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    async with AsyncRawCursor(connection, row_factory=dict_row) as cursor:
        # In a pipeline psycopg speaks the extended protocol also without values.
        async with connection.pipeline():
            await cursor.execute(statement, _bound(values))
        if cursor.description:
            _add(found, await cursor.fetchmany(MAX_ROWS))
        return {"rows": found, "row_count": max(cursor.rowcount, 0)}


async def _one(
    connection: psycopg.AsyncConnection[Any], statement: str, values: Sequence[Any]
) -> dict[str, Any]:
    answer = await _write(connection, statement, values)
    return {"row": answer["rows"][0] if answer["rows"] else None}


def _add(found: list[dict[str, Any]], chunk: Sequence[Mapping[str, Any]]) -> int:
    """Add rows as JSON values; return their size in bytes."""
    text = json.dumps(chunk, default=_plain, ensure_ascii=False)
    found.extend(json.loads(text))
    return len(text.encode())


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        import base64

        return base64.b64encode(bytes(value)).decode()
    return str(value)


def _bound(values: Any) -> list[Any]:
    if not isinstance(values, list | tuple):
        raise PermanentError("The values must be a list, in the order of $1, $2, …", detail="values")
    return [Jsonb(value) if isinstance(value, Mapping) else value for value in values]


def _columns(row: Any) -> tuple[list[str], list[Any]]:
    if not isinstance(row, Mapping) or not row:
        raise PermanentError("Give at least one column and its value.", detail="row")
    return [str(name) for name in row], _bound(list(row.values()))


def _split(table: Any) -> tuple[str, str]:
    schema, separator, name = str(table).partition(".")
    return (schema, name) if separator else ("public", schema)


def _table(table: Any) -> sql.Identifier:
    return sql.Identifier(*_split(table))


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def _places(count: int) -> sql.SQL:
    return sql.SQL(", ".join(f"${number}" for number in range(1, count + 1)))


def _not_connected(error: psycopg.Error, where: str) -> Exception:
    words = str(error)
    if isinstance(error, psycopg.errors.ConnectionTimeout) or "timeout" in words:
        return TemporaryError(
            f"The server {where} did not answer in time. Check host and port.", detail="timeout"
        )
    if "refused" in words:
        return TemporaryError(f"Nothing answers at {where}. Check host and port.", detail="refused")
    if "password authentication" in words or "no password" in words or "SASL" in words:
        return ReconnectError("The database does not accept this user name and password.", detail="password")
    if "does not support SSL" in words:
        return PermanentError(
            f"The server {where} offers no encryption. Switch it on there, or choose another encryption here.",
            detail="no tls",
        )
    if "certificate" in words or "SSL" in words:
        return PermanentError(
            f"The certificate of {where} is not one that public authorities vouch for. Choose “Encrypted, certificate"
            " not checked” if your provider uses one of its own.",
            detail="certificate",
        )
    if "authentication" in words:
        return PermanentError(
            "The server wants a sign-in that is not safe over this connection. Choose an encrypted one.",
            detail="require_auth",
        )
    if "does not exist" in words and "database" in words:
        return PermanentError("There is no database of that name on the server.", detail="no database")
    if "pg_hba" in words:
        return PermanentError("The server does not let this user in from outside.", detail="pg_hba")
    if "too many" in words or "starting up" in words or "shutting down" in words:
        return TemporaryError(
            "The database takes no further connection right now. We will try again.", detail="busy"
        )
    return TemporaryError(
        f"The server {where} could not be reached. Check host and port.", detail=words[:300]
    )


def _told(error: psycopg.Error, *, may_have_happened: bool) -> Exception:
    """Return what a failed statement means. The server's own words name tables and columns, and are what helps."""
    code = error.sqlstate or ""
    said = (error.diag.message_primary or "").strip()[:300]
    if code == "57014":
        return PermanentError("The statement took too long and was stopped.", detail="statement timeout")
    if code == "25006":
        return PermanentError(
            "A query only reads. To change data, use “Run a statement”.", detail="read only"
        )
    if code in ("40001", "40P01", "55P03", "53300", "57P03") or code.startswith("53"):
        return TemporaryError(f"The database could not do it just now: “{said}”", detail=f"code={code}")
    if not code or code.startswith(("08", "57P")):
        return TemporaryError(
            "The connection to the database was lost.",
            detail=type(error).__name__,
            may_have_happened=may_have_happened,
        )
    if code.startswith("28"):
        return ReconnectError("The database no longer accepts this user.", detail=f"code={code}")
    return PermanentError(f"The database refused: “{said}”", detail=f"code={code}")
