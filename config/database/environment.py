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


def choose_debug() -> bool:
    """Return whether DEBUG is on, and put that in the environment so that child processes agree.

    Nothing configured (no database, no secret key) means somebody tries Steward on their own machine.
    """
    is_trial = uses_embedded_server() and not os.environ.get("SECRET_KEY")
    os.environ.setdefault("DEBUG", "on" if is_trial else "off")
    return environ.Env().bool("DEBUG")
