"""Error pages and mail layouts render even when a request failed before any middleware ran."""

from __future__ import annotations

import pytest
from django.shortcuts import render
from django.test import RequestFactory

PAGES = [
    "errors/400.html",
    "errors/403.html",
    "errors/404.html",
    "errors/429.html",
    "errors/500.html",
    "errors/csrf.html",
]


@pytest.mark.parametrize("template", [*PAGES, "429.html"])
def test_an_error_page_needs_nothing_but_the_request(template: str) -> None:
    page = render(RequestFactory().get("/"), template).content.decode()
    assert '<html lang="en"' in page
    assert '<a class="button primary" href="/">' in page


@pytest.mark.parametrize("template", ["emails/base.html", "emails/base.txt"])
def test_a_mail_leads_to_its_action(template: str) -> None:
    context = {"action_url": "https://steward.example/a", "action_label": "Approve"}
    assert (
        "https://steward.example/a" in render(RequestFactory().get("/"), template, context).content.decode()
    )
