"""Fixtures of the triggers' tests."""

from tests.workflows.triggers.services import vendor

__all__ = ["vendor"]
