"""What we send and read, held against the vendors' own API descriptions where they are at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.descriptions import SPECS, documents
from tests.workflows.ai.test_asking import SCHEMA
from tests.workflows.ai.vendors import Reply, Vendors, shaped
from workflows.ai import operations
from workflows.ai.desk import Desk

pytestmark = pytest.mark.skipif(not SPECS.is_dir(), reason="the vendors' API descriptions are not at hand")
VENDORS = {
    "OPENAI": "openai",
    "ANTHROPIC": "anthropic",
    "GOOGLE_GEMINI": "google_gemini",
    "COHERE": "cohere",
}
PATHS = {
    "OPENAI": "/v1/chat/completions",
    "ANTHROPIC": "/v1/messages",
    "GOOGLE_GEMINI": "/v1beta/models/tiny:generateContent",
    "COHERE": "/v2/chat",
}
HOSTS = {
    "OPENAI": "https://api.openai.com",
    "ANTHROPIC": "https://api.anthropic.com",
    "GOOGLE_GEMINI": "https://generativelanguage.googleapis.com",
    "COHERE": "https://api.cohere.com",
}


def described(provider: str) -> tuple[Any, Any]:
    """Return (document, operation) of the vendor's call that answers questions."""
    for document in documents(VENDORS[provider]):
        found = document.find("POST", HOSTS[provider] + PATHS[provider])
        if found is not None:
            return document, found
    raise AssertionError(f"{provider} does not describe {PATHS[provider]}")


@pytest.mark.parametrize("provider", VENDORS)
@pytest.mark.parametrize("operation", ["generate", "extract"])
def test_a_question_is_what_the_vendor_describes(
    desk: Callable[..., Desk], vendors: Vendors, provider: str, operation: str
) -> None:
    as_tool = {"total": 1} if provider in ("ANTHROPIC", "COHERE") and operation == "extract" else None
    vendors.replies = [Reply('{"total": 1}', tool=as_tool)]
    inputs = {
        "operation": operation,
        "system": "Be short.",
        "prompt": "Read this.",
        "temperature": 0.2,
        "schema": SCHEMA if operation == "extract" else None,
    }
    asyncio.run(operations.run(desk(provider), inputs))
    document, found = described(provider)
    (asked,) = vendors.asked
    assert asked["path"].partition("?")[0] == PATHS[provider]
    body = asked["body"]
    if provider == "GOOGLE_GEMINI":
        # The description asks for the model in the body as well; the service takes it from the path.
        body = {"model": "models/tiny", **body}
    assert document.problems(found.bodies["application/json"], body) == []


@pytest.mark.parametrize("provider", VENDORS)
def test_the_answers_of_these_tests_are_what_the_vendor_describes(provider: str) -> None:
    document, found = described(provider)
    answer = shaped(PATHS[provider], {"model": "tiny"}, Reply())
    assert document.problems(found.answer, answer) == []
