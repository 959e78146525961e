"""Fixtures of the integrations' tests."""

from tests.integrations.standin import service

__all__ = ["service"]
