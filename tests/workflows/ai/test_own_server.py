"""A server of one's own in place of OpenAI: where requests go, and which addresses are taken."""

from __future__ import annotations

import pytest

from integrations.framework import ReconnectError, Request, registry
from integrations.framework.auth import own_server
from integrations.framework.execute import prepare

CREDENTIALS = {"auth": "api_key", "api_key": "sk-alder-0123456789"}


@pytest.mark.parametrize(
    "address",
    [
        "https://alder.openai.azure.com/openai/v1/",
        "https://openrouter.ai/api/v1",
        "http://localhost:11434/v1",
        "http://10.0.0.7:8000/v1",
        "http://models.internal/v1",
    ],
)
def test_an_encrypted_or_inner_address_is_taken(address: str) -> None:
    assert own_server(address) == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "http://models.example.com/v1",
        "ftp://a.example",
        "https://user:pw@a.example",
        "https://a.example/?a=1",
        "nonsense",
    ],
)
def test_an_address_that_would_show_the_key_is_not(address: str) -> None:
    with pytest.raises(ReconnectError):
        own_server(address)


def test_every_request_goes_to_the_own_server_and_none_with_its_key_elsewhere() -> None:
    openai = registry.get("OPENAI")
    found = prepare(openai, Request("GET", "/models"), CREDENTIALS, {"base_url": "https://own.example/v1"})
    assert found["url"] == "https://own.example/v1/models"
    assert (
        prepare(openai, Request("GET", "/models"), CREDENTIALS, {})["url"]
        == "https://api.openai.com/v1/models"
    )


def test_a_base_url_among_another_connectors_variables_means_nothing() -> None:
    found = prepare(
        registry.get("ANTHROPIC"),
        Request("GET", "/v1/models"),
        CREDENTIALS,
        {"base_url": "https://a.example"},
    )
    assert found["url"].startswith("https://api.anthropic.com/")
