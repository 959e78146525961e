"""The database roles: an owner that migrates, an application login, one that sees every tenant, one for backups.

The application login is neither superuser nor BYPASSRLS, so row security always applies to it. It may
become steward_system with SET ROLE (a system scope does), but inherits nothing from it.
"""

from psycopg import Connection, sql

OWNER = "steward_owner"
APPLICATION = "steward_app"
SYSTEM = "steward_system"
BACKUP = "steward_backup"

# Raise it when the statements below change: the embedded cluster then applies them again.
VERSION = 3


def create_roles(
    connection: Connection,
    database: str,
    *,
    owner: str = OWNER,
    application: str = APPLICATION,
    owner_password: str | None = None,
    application_password: str | None = None,
    owner_creates_databases: bool = False,
) -> None:
    """Make the roles and the database, or bring existing ones to the state described above.

    connection: autocommit, as a superuser or a login that may create roles and databases.
    A password of None leaves the login's present one. Safe to repeat.
    owner_creates_databases: lets the owner make databases, which tests need and production does not.
    Raises psycopg.errors.InsufficientPrivilege on a host that forbids one of the statements.
    """
    # PostgreSQL 16 says per membership whether it is inherited; 15 only per login.
    owner_inherits = connection.info.server_version >= 160000
    _role(connection, SYSTEM, {"LOGIN": False})
    wanted = {"LOGIN": True, "INHERIT": owner_inherits}
    if owner_creates_databases:
        wanted["CREATEDB"] = True
    _role(connection, owner, wanted, owner_password)
    application_wanted = {"LOGIN": True, "INHERIT": False, "SUPERUSER": False, "BYPASSRLS": False}
    _role(connection, application, application_wanted, application_password)
    for login in (owner, application):
        _let_become(connection, SYSTEM, login)
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
    if found is None:
        statement = sql.SQL("CREATE DATABASE {} OWNER {}")
        connection.execute(statement.format(sql.Identifier(database), sql.Identifier(owner)))


def create_backup_role(connection: Connection, *, owner: str = OWNER) -> None:
    """Make the role that the owner takes while it writes a backup: it reads every row and writes none.

    Partitions answer nobody but their parent, so pg_dump, which reads each of them by itself, needs a role that row
    security does not bind. connection: autocommit. Safe to repeat.
    Raises psycopg.errors.InsufficientPrivilege unless the login is a superuser, or has BYPASSRLS and pg_read_all_data.
    """
    _role(connection, BACKUP, {"LOGIN": False, "BYPASSRLS": True})
    _let_become(connection, "pg_read_all_data", BACKUP, inherits=True)
    _let_become(connection, BACKUP, owner)


def let_see_statistics(connection: Connection) -> None:
    """Let system work see the server's own figures, such as how far a replica is behind. Safe to repeat.

    Raises psycopg.errors.InsufficientPrivilege where the login may not give pg_read_all_stats.
    """
    connection.execute(sql.SQL("GRANT pg_read_all_stats TO {}").format(sql.Identifier(SYSTEM)))


def grant_in_database(connection: Connection, *, owner: str = OWNER, application: str = APPLICATION) -> None:
    """Let the application and system roles use what the owner makes in the connected database. Safe to repeat.

    TRUNCATE is never granted: it ignores row security.
    connection: autocommit, as a superuser, or as the owner itself.
    """
    for statement in database_grants(owner=owner, application=application):
        connection.execute(statement)


def database_grants(*, owner: str = OWNER, application: str = APPLICATION) -> list[sql.Composed]:
    """Return the statements that grant_in_database runs, in order."""
    names = {
        "owner": sql.Identifier(owner),
        "users": sql.SQL(", ").join([sql.Identifier(application), sql.Identifier(SYSTEM)]),
    }
    statements = (
        # On 15 the owner inherits nothing, not even CREATE from pg_database_owner.
        "GRANT USAGE, CREATE ON SCHEMA public TO {owner}",
        "GRANT USAGE ON SCHEMA public TO {users}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {users}",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {users}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {users}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT USAGE ON SEQUENCES TO {users}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT EXECUTE ON FUNCTIONS TO {users}",
    )
    return [sql.SQL(statement).format(**names) for statement in statements]


def create_extensions(connection: Connection) -> list[str]:
    """Make the extensions only a superuser may make, and return the names of those this server offers."""
    rows = connection.execute(
        "SELECT name FROM pg_available_extensions WHERE name IN ('pg_stat_statements', 'vector') ORDER BY name"
    ).fetchall()
    names = [name for (name,) in rows]
    for name in names:
        connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(name)))
    return names


ATTRIBUTES = {
    "LOGIN": "rolcanlogin",
    "INHERIT": "rolinherit",
    "CREATEDB": "rolcreatedb",
    "SUPERUSER": "rolsuper",
    "BYPASSRLS": "rolbypassrls",
}


def _role(connection: Connection, name: str, wanted: dict[str, bool], password: str | None = None) -> None:
    """Make or change the role; one that already is as wanted is not touched, which needs no right at all."""
    columns = sql.SQL(", ").join(sql.Identifier(ATTRIBUTES[option]) for option in wanted)
    query = sql.SQL("SELECT {} FROM pg_roles WHERE rolname = %s").format(columns)
    found = connection.execute(query, [name]).fetchone()
    if found == tuple(wanted.values()) and password is None:
        return
    present = dict(zip(wanted, found or (), strict=False))
    # An attribute that stays is not named: NOSUPERUSER alone needs a superuser.
    changes: list[sql.Composable] = [
        sql.SQL(option if value else f"NO{option}")
        for option, value in wanted.items()
        if present.get(option, option == "INHERIT") != value
    ]
    if password is not None:
        changes.append(sql.SQL("PASSWORD {}").format(sql.Literal(password)))
    verb = sql.SQL("ALTER ROLE {} " if found else "CREATE ROLE {} ").format(sql.Identifier(name))
    connection.execute(verb + sql.SQL(" ").join(changes))


def _let_become(connection: Connection, role: str, login: str, *, inherits: bool = False) -> None:
    is_member = "SELECT 1 FROM pg_auth_members WHERE roleid = %s::regrole AND member = %s::regrole"
    names = [sql.Identifier(name).as_string(connection) for name in (role, login)]
    if connection.execute(is_member, names).fetchone():
        return
    grant = "GRANT {} TO {}"
    if connection.info.server_version >= 160000:
        grant += f" WITH INHERIT {'TRUE' if inherits else 'FALSE'}, SET TRUE"
    connection.execute(sql.SQL(grant).format(sql.Identifier(role), sql.Identifier(login)))
