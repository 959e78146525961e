"""The PostgreSQL connector against a real server, reached over TCP as a customer's would be."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
import pytest

from integrations.connectors import _postgresql_transport as transport
from integrations.connectors.postgresql import connector
from integrations.framework import AddressRefused, PermanentError, ReconnectError, TemporaryError
from integrations.framework.client import Client
from integrations.framework.execute import dynamic_options, perform, send_request, test_connection
from integrations.framework.polling import look
from tests import databases
from tests.integrations.checks import assert_well_described

DATABASE = "steward_test_shop"
USER = "steward_test_clerk"
PASSWORD = "clerk-password-for-tests"


class Door:
    """A TCP port on loopback that leads to the server's Unix socket."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = asyncio.run_coroutine_threadsafe(self._open(), self.loop).result(10)
        self.port = self.server.sockets[0].getsockname()[1]

    async def _open(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside, out = await asyncio.open_unix_connection(self.path)

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            try:
                while data := await source.read(65536):
                    target.write(data)
                    await target.drain()
            except ConnectionError:
                pass
            finally:
                target.close()

        await asyncio.gather(pump(reader, out), pump(inside, writer))

    def close(self) -> None:
        async def end() -> None:
            self.server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()


@pytest.fixture(scope="module")
def shop(cluster) -> Iterator[dict]:
    """Credentials of a database with a table of orders."""
    with psycopg.connect(databases.at(cluster.superuser, "postgres"), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        admin.execute(f"DROP ROLE IF EXISTS {USER}")
        admin.execute(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
        admin.execute(f"CREATE DATABASE {DATABASE} OWNER {USER}")
    parts = urlsplit(cluster.superuser)
    folder = parse_qs(parts.query).get("host", [unquote(parts.hostname or "")])[0]
    port = parse_qs(parts.query).get("port", [str(parts.port or 5432)])[0]
    door = Door(f"{folder}/.s.PGSQL.{port}")
    yield {
        "auth": "basic",
        "username": USER,
        "password": PASSWORD,
        "host": "localhost",
        "port": door.port,
        "database": DATABASE,
        "encryption": "none",
    }
    door.close()
    with psycopg.connect(databases.at(cluster.superuser, "postgres"), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        admin.execute(f"DROP ROLE {USER}")


@pytest.fixture
def orders(shop) -> dict:
    for statement in (
        "DROP TABLE IF EXISTS orders",
        (
            "CREATE TABLE orders (id serial PRIMARY KEY, number text UNIQUE, status text DEFAULT 'new', total numeric,"
            " details jsonb, created_at timestamptz NOT NULL DEFAULT '2026-11-22 09:30:00+00')"
        ),
    ):
        run(shop, "execute", {"statement": statement})
    return shop


def door_to(shop) -> Client:
    return Client(allow_private=frozenset({f"localhost:{shop['port']}"}))


def run(shop, key, inputs, **changes):
    return asyncio.run(
        perform(connector, key, inputs, shop | changes, {}, idempotency_key="k", client=door_to(shop))
    ).output


def proved(credentials, client):
    return asyncio.run(test_connection(connector, credentials, {}, client=client))


def test_it_describes_itself_well():
    assert_well_described(connector)


def test_connecting_names_the_database(shop):
    assert proved(shop, door_to(shop)).label == f"{DATABASE} ({USER})"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"password": "wrong"}, ReconnectError, "user name and password"),
        ({"database": "nowhere"}, PermanentError, "no database of that name"),
        ({"encryption": "verify"}, PermanentError, "offers no encryption"),
        ({"encryption": "require"}, PermanentError, "offers no encryption"),
    ],
)
def test_a_mistake_in_the_connect_form_is_named(shop, changes, error, words):
    with pytest.raises(error, match=words):
        proved(shop | changes, door_to(shop))


def test_a_port_where_nothing_listens_is_named(shop):
    with pytest.raises(TemporaryError, match="Nothing answers at localhost, port 9"):
        proved(shop | {"port": 9}, Client(allow_private=frozenset({"localhost:9"})))


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "127.0.0.1", "10.0.0.8", "192.168.1.1", "169.254.169.254", "::1", "::ffff:127.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "db",
        "/var/run/postgresql", "@abstract", "db.example.com,127.0.0.1", "x host=127.0.0.1", "",
    ],
)  # fmt: skip
def test_servers_inside_our_network_are_refused(shop, host):
    with pytest.raises(AddressRefused, match="We do not call this address"):
        proved(shop | {"host": host}, Client())


def test_a_name_that_resolves_inside_is_refused_and_a_rebinding_one_is_asked_once(shop):
    asked = []

    async def rebinding(host, port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) > 1 else ["93.184.216.34", "10.1.1.1"]

    with pytest.raises(AddressRefused):
        proved(shop | {"host": "db.example.com"}, Client(resolve=rebinding))
    assert asked == ["db.example.com"]


def test_our_own_environment_is_not_used(shop, monkeypatch, tmp_path):
    (tmp_path / "pass").write_text(f"*:*:*:*:{PASSWORD}\n")
    (tmp_path / "pass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pass"))
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=1")
    with pytest.raises(ReconnectError):
        proved(shop | {"password": ""}, door_to(shop))
    assert proved(shop, door_to(shop)).label


def test_a_query_binds_its_values_and_gives_plain_json(orders):
    run(
        orders,
        "insert_row",
        {"table": "orders", "row": {"number": "1", "total": "10.50", "details": {"a": [1]}}},
    )
    output = run(
        orders,
        "query",
        {
            "query": "SELECT *, 'x'::bytea AS raw, interval '90 min' AS took, 'infinity'::timestamptz AS never,"
            " 12345678901234567890::numeric AS big FROM orders WHERE number = $1 AND total > $2;",
            "values": ["1", 10],
        },
    )
    assert output == {
        "rows": [
            {
                "id": 1, "number": "1", "status": "new", "total": 10.5, "details": {"a": [1]}, "raw": "eA==",
                "created_at": "2026-11-22T09:30:00+00", "took": "PT1H30M", "never": "infinity",
                "big": "12345678901234567890",
            }
        ],
        "row_count": 1,
        "has_more": False,
    }  # fmt: skip


def test_a_value_is_never_part_of_the_statement(orders):
    evil = "1'; DROP TABLE orders; --"
    run(orders, "insert_row", {"table": "orders", "row": {"number": evil}})
    (row,) = run(orders, "query", {"query": "SELECT number FROM orders WHERE number = $1", "values": [evil]})[
        "rows"
    ]
    assert row == {"number": evil}


@pytest.mark.parametrize(
    ("key", "inputs"),
    [
        ("insert_row", {"table": 'orders" (id) VALUES (1); --', "row": {"number": "1"}}),
        ("insert_row", {"table": "orders", "row": {'number") VALUES (1); --': "1"}}),
        (
            "upsert_row",
            {"table": "orders", "row": {"number": "1"}, "key_columns": ["number) DO NOTHING; --"]},
        ),
    ],
)
def test_a_name_is_never_part_of_the_statement(orders, key, inputs):
    with pytest.raises(PermanentError):
        run(orders, key, inputs)
    assert run(orders, "query", {"query": "SELECT * FROM orders"})["rows"] == []


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO orders (number) VALUES ('1') RETURNING id",
        "WITH added AS (INSERT INTO orders (number) VALUES ('1') RETURNING id) SELECT * FROM added",
        "SELECT 1; COMMIT; INSERT INTO orders (number) VALUES ('1')",
        "SELECT 1; INSERT INTO orders (number) VALUES ('1')",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "SELECT nextval('orders_id_seq')",
    ],
)
def test_a_query_cannot_write(orders, query):
    with pytest.raises(PermanentError):
        run(orders, "query", {"query": query})
    assert run(orders, "query", {"query": "SELECT * FROM orders"})["rows"] == []


def test_a_statement_is_one_statement(orders):
    with pytest.raises(PermanentError, match="cannot insert multiple commands"):
        run(orders, "execute", {"statement": "DELETE FROM orders; COMMIT; DROP TABLE orders"})
    for number in range(3):
        run(orders, "insert_row", {"table": "public.orders", "row": {"number": str(number)}})
    output = run(
        orders,
        "execute",
        {
            "statement": "UPDATE orders SET status = $1 WHERE number <> $2 RETURNING number",
            "values": ["paid", "0"],
        },
    )
    assert output["row_count"] == 2
    assert sorted(row["number"] for row in output["rows"]) == ["1", "2"]


def test_upserting_twice_is_upserting_once(orders):
    inputs = {"table": "orders", "row": {"number": "7", "status": "paid"}, "key_columns": ["number"]}
    first, second = run(orders, "upsert_row", inputs), run(orders, "upsert_row", inputs)
    assert first["row"] == second["row"]
    assert first["row"]["status"] == "paid"
    with pytest.raises(PermanentError, match="“total”"):
        run(orders, "upsert_row", inputs | {"key_columns": ["total"]})


def test_rows_beyond_the_limit_are_not_fetched(orders):
    output = run(orders, "query", {"query": "SELECT generate_series(1, 1000000) AS n", "limit": 250})
    assert (output["row_count"], output["has_more"]) == (250, True)


def test_an_answer_that_is_too_large_is_refused(orders):
    with pytest.raises(PermanentError, match="larger than 10 MB"):
        run(orders, "query", {"query": "SELECT repeat('x', 100000) FROM generate_series(1, 1000)"})


def test_a_statement_that_takes_too_long_is_stopped(orders):
    with pytest.raises(PermanentError, match="took too long"):
        run(
            orders,
            "query",
            {"query": "SELECT count(*) FROM generate_series(1, 1000000000)", "timeout_seconds": 1},
        )


def test_a_clash_is_permanent_and_a_lost_connection_is_not(orders):
    run(orders, "insert_row", {"table": "orders", "row": {"number": "1"}})
    with pytest.raises(PermanentError, match="duplicate key"):
        run(orders, "insert_row", {"table": "orders", "row": {"number": "1"}})
    with pytest.raises(TemporaryError) as lost:
        run(orders, "execute", {"statement": "SELECT pg_terminate_backend(pg_backend_pid())"})
    assert not lost.value.may_have_happened, "what was not committed did not happen"


def test_empty_optional_values_are_left_out(orders):
    assert run(orders, "query", {"query": "SELECT 1 AS one", "values": "", "limit": ""})["rows"] == [
        {"one": 1}
    ]


def test_tables_and_columns_are_offered(orders):
    def choices(key, **inputs):
        return asyncio.run(dynamic_options(connector, key, inputs, orders, {}, client=door_to(orders)))

    assert {"value": "public.orders", "label": "orders"} in choices("list_tables")
    assert {"value": "total", "label": "total (numeric)"} in choices("list_columns", table="public.orders")


def new_rows(shop, cursor, column="created_at"):
    config = {"table": "public.orders", "cursor_column": column, "key_column": "id"}

    async def send(request):
        return await send_request(connector, request, shop, {}, client=door_to(shop))

    return asyncio.run(look(connector.trigger("new_row").poll, config, cursor, send))


@pytest.mark.parametrize("column", ["created_at", "id"])
def test_new_rows_start_once_each_even_when_the_newest_vanished(orders, column):
    run(orders, "insert_row", {"table": "orders", "row": {"number": "old"}})
    first = new_rows(orders, None, column)
    assert first.items == ()
    for number in ("a", "b"):
        run(orders, "insert_row", {"table": "orders", "row": {"number": number}})
    second = new_rows(orders, first.cursor, column)
    trigger = connector.trigger("new_row")
    assert [trigger.output(item)["number"] for _key, item in second.items] == ["a", "b"]
    run(orders, "execute", {"statement": "DELETE FROM orders WHERE number = 'b'"})
    assert new_rows(orders, second.cursor, column).items == ()
    run(orders, "insert_row", {"table": "orders", "row": {"number": "c"}})
    assert [item["row"]["number"] for _key, item in new_rows(orders, second.cursor, column).items] == ["c"]


def test_more_rows_of_one_moment_than_a_page_holds_all_start(orders, monkeypatch):
    monkeypatch.setattr(transport, "LOOK_ROWS", 10)
    first = new_rows(orders, None)
    run(orders, "execute", {"statement": "INSERT INTO orders (number) SELECT generate_series(1, 35)"})
    found = new_rows(orders, first.cursor)
    assert sorted(int(item["row"]["number"]) for _key, item in found.items) == list(range(1, 36))
    assert new_rows(orders, found.cursor).items == ()
