"""What a process makes sure of before it serves anybody."""

from __future__ import annotations

import structlog
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connections

logger = structlog.get_logger(__name__)


def check_database() -> None:
    """Refuse to start on a login that row security does not bind, or with a key that cannot read what is stored.

    Django runs such checks only when it migrates, and then as the owner. A database that does not answer yet is no
    reason to refuse: /health/ready tells of it. Raises ImproperlyConfigured.
    """
    try:
        found = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    except OperationalError as problem:
        logger.warning("the database was not checked at the start", problem=str(problem).strip())
        return
    finally:
        # gunicorn forks after this: no connection and no pool may be shared with the children.
        connection = connections["default"]
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()
    errors = [message for message in found if message.level >= checks.ERROR and not message.is_silenced()]
    if errors:
        raise ImproperlyConfigured(
            " ".join(f"{message.msg} {message.hint or ''}".strip() for message in errors)
        )
