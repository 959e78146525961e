"""The .env file, read before anything that decides by the environment: settings, manage.py, the supervisor."""

import os
from pathlib import Path

import environ

DOTENV = Path(__file__).resolve().parents[2] / ".env"


def read_environment() -> None:
    """Add the variables of .env to the environment; those already set win. Safe to repeat."""
    if DOTENV.is_file():
        environ.Env.read_env(DOTENV)


def uses_embedded_server() -> bool:
    """Return whether the private PostgreSQL of the data folder serves, because DATABASE_URL names no other."""
    read_environment()
    return not os.environ.get("DATABASE_URL")
