#!/usr/bin/env python
"""Django's commands. Those that change the schema or read everything log in as the database's owner."""

import os
import sys

OWNER_COMMANDS = {
    "migrate",
    "makemigrations",
    "sqlmigrate",
    "dbshell",
    "setup_database",
    "create_partitions",
    "backup",
    "restore",
}

# These never open a connection, so they need no server.
COMMANDS_WITHOUT_DATABASE = {
    "help",
    "version",
    "--help",
    "--version",
    "-h",
    "collectstatic",
    "compilemessages",
    "makemessages",
    "diffsettings",
    "findstatic",
}


def main() -> None:
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if command in OWNER_COMMANDS:
        os.environ.setdefault("STEWARD_DATABASE_LOGIN", "owner")
    if command not in COMMANDS_WITHOUT_DATABASE:
        start_embedded_database()

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def start_embedded_database() -> None:
    """Start the private PostgreSQL of a clone, unless the environment or .env names a real server."""
    from config.database import embedded
    from config.database.environment import choose_debug, uses_embedded_server
    from config.database.private_files import SetupProblem

    choose_debug()
    try:
        if uses_embedded_server():
            embedded.ensure_running(embedded.data_folder())
    except SetupProblem as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    main()
