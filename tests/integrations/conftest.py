"""Fixtures of the integrations' tests."""

from tests.integrations.mailhost import authority, mailhost, trusted
from tests.integrations.standin import service

__all__ = ["authority", "mailhost", "service", "trusted"]
