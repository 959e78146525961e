"""Makes the roles, the grants and the extensions on a PostgreSQL server of one's own."""

import os
from argparse import ArgumentParser
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.database import roles

FORBIDDEN = """\
This host does not let {login} do that: {reason}

Ask whoever runs the server to execute the following once as an administrator, with passwords of their own, \
and to make the database {database} with the owner {owner}; then set DATABASE_URL to the login steward_app and \
DIRECT_URL to the login {owner}, and run this command again. If the host offers no way at all to make a role, \
Steward cannot keep organizations apart there, and needs another host.

{sql}
"""


class Command(BaseCommand):
    """Safe to repeat: it brings what exists to the wanted state."""

    help = (
        "Makes the roles steward_app and steward_system, the grants and the extensions on the server of DIRECT_URL."
        " Pass --admin-url when the login of DIRECT_URL does not exist yet or may not make roles."
    )
    requires_system_checks: list[str] = []  # they look at the very roles this makes

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--admin-url", help="postgresql:// URL of a superuser, or of a login that may make roles"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        direct, app = urlsplit(settings.DIRECT_URL), urlsplit(settings.DATABASE_URL)
        owner, database = unquote(direct.username or roles.OWNER), unquote(direct.path.lstrip("/"))
        if unquote(app.username or "") != roles.APPLICATION or owner == roles.APPLICATION:
            raise CommandError(
                f"DATABASE_URL must use the login {roles.APPLICATION}, and DIRECT_URL another one that owns the tables."
            )
        admin_url = options["admin_url"] or os.environ.get("ADMIN_DATABASE_URL") or settings.DIRECT_URL
        try:
            with psycopg.connect(admin_url, autocommit=True) as connection:
                roles.create_roles(
                    connection,
                    database,
                    owner=owner,
                    owner_password=self.password(direct) if admin_url != settings.DIRECT_URL else None,
                    application_password=self.password(app) if self.needs_password(connection) else None,
                )
                self.make_backup_role(connection, owner)
                if admin_url != settings.DIRECT_URL:
                    self.let_see_statistics(connection)
            with psycopg.connect(admin_url, dbname=database, autocommit=True) as connection:
                self.make_extensions(connection)
            # The owner itself: default privileges belong to the login that makes the tables.
            with psycopg.connect(settings.DIRECT_URL, autocommit=True) as connection:
                roles.grant_in_database(connection, owner=owner)
        except psycopg.errors.InsufficientPrivilege as error:
            raise CommandError(self.explanation(error, admin_url, owner, database)) from None
        except psycopg.OperationalError as error:
            raise CommandError(f"The server could not be reached: {error}") from None
        self.stdout.write(f"The database {database} is ready for `manage.py migrate`.")

    def password(self, url: SplitResult) -> str | None:
        return unquote(url.password) if url.password else None

    def needs_password(self, connection: psycopg.Connection) -> bool:
        """Return whether we may set the application's password: we make it, or already administer it."""
        query = (
            "SELECT 1 FROM pg_roles me, pg_roles r WHERE me.rolname = current_user AND r.rolname = %s"
            " AND NOT me.rolsuper AND NOT me.rolcreaterole"
        )
        return connection.execute(query, [roles.APPLICATION]).fetchone() is None

    def make_extensions(self, connection: psycopg.Connection) -> None:
        try:
            roles.create_extensions(connection)
        except psycopg.Error as error:  # useful, but Steward runs without them
            self.stderr.write(f"Optional extensions were not made: {str(error).splitlines()[0]}")

    def make_backup_role(self, connection: psycopg.Connection, owner: str) -> None:
        try:
            roles.create_backup_role(connection, owner=owner)
        except psycopg.errors.InsufficientPrivilege as error:  # everything else works without it
            self.stderr.write(
                f"`manage.py backup` will not work: {str(error).splitlines()[0]}. Use the host's own backups, or ask an"
                f" administrator for: CREATE ROLE {roles.BACKUP} NOLOGIN BYPASSRLS;"
                f' GRANT pg_read_all_data TO {roles.BACKUP}; GRANT {roles.BACKUP} TO "{owner}";'
            )

    def let_see_statistics(self, connection: psycopg.Connection) -> None:
        try:
            roles.let_see_statistics(connection)
        except psycopg.errors.InsufficientPrivilege:  # `manage.py health` then knows less, and says so
            self.stderr.write(
                "The server's own figures, such as a replica's lag, stay hidden from `manage.py health`."
            )

    def explanation(self, error: psycopg.Error, admin_url: str, owner: str, database: str) -> str:
        """Return the paragraph and the exact SQL for an administrator."""
        return FORBIDDEN.format(
            login=unquote(urlsplit(admin_url).username or "the login"),
            reason=str(error).splitlines()[0],
            owner=owner,
            database=database,
            sql=statements_for_an_administrator(owner, database),
        )


def statements_for_an_administrator(owner: str, database: str) -> str:
    """Return the SQL (PostgreSQL 16 or newer) that does what this command does, passwords left to fill in."""
    grants = "\n".join(f"{statement.as_string(None)};" for statement in roles.database_grants(owner=owner))
    return (
        f'CREATE ROLE "{roles.SYSTEM}" NOLOGIN;\n'
        f"CREATE ROLE \"{owner}\" LOGIN PASSWORD '...';\n"
        f"CREATE ROLE \"{roles.APPLICATION}\" LOGIN NOINHERIT PASSWORD '...';\n"
        "-- On PostgreSQL 15 leave out WITH ... and make the owner NOINHERIT as well.\n"
        f'GRANT "{roles.SYSTEM}" TO "{owner}", "{roles.APPLICATION}" WITH INHERIT FALSE, SET TRUE;\n'
        f'CREATE DATABASE "{database}" OWNER "{owner}";\n'
        f"-- connected to {database}:\n{grants}"
    )
