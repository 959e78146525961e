"""Background work: how the queue is configured when Django is ready."""

from __future__ import annotations

import procrastinate


def configure(app: procrastinate.App) -> None:
    """Called by procrastinate with the application's queue once Django is ready."""
