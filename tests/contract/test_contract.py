"""Every call we build, held against the vendor's own description: method, path, parameters, body, outputs.

Differences we know and stand by are data: `exceptions/<slug>.json` maps "<key>: <beginning of the problem>" to the
reason, "*: <beginning>" for all operations, and lists "ignored_parameters" (a described token that stands for the
Authorization header). An exception that no longer excuses anything fails, so that the list stays true.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integrations.framework import registry
from tests.contract.descriptions import SPECS, documents, graphql_schema
from tests.contract.judge import cases, judge

# The enumeration of the database schema; what was added to it beyond is not listed.
SCHEMA_PROVIDERS = (
    "OPENAI",
    "ANTHROPIC",
    "GOOGLE_GEMINI",
    "COHERE",
    "SLACK",
    "MICROSOFT_TEAMS",
    "DISCORD",
    "GMAIL",
    "OUTLOOK",
    "SENDGRID",
    "RESEND",
    "HUBSPOT",
    "SALESFORCE",
    "PIPEDRIVE",
    "TRELLO",
    "ASANA",
    "MONDAY",
    "NOTION",
    "LINEAR",
    "SHOPIFY",
    "WOO_COMMERCE",
    "SQUARE",
    "MAILCHIMP",
    "CONVERTKIT",
    "ACTIVECAMPAIGN",
    "STRIPE",
    "PAYPAL",
    "CALENDLY",
    "ACUITY",
    "ZAPIER",
    "MAKE",
    "GOOGLE_SHEETS",
    "AIRTABLE",
)
EXCEPTIONS = Path(__file__).parent / "exceptions"

pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(), reason="the vendors' API descriptions (../shared/providers/specs) are absent"
)


def test_every_provider_of_the_schema_has_a_connector():
    assert len(SCHEMA_PROVIDERS) == 33
    assert [name for name in SCHEMA_PROVIDERS if name not in registry.providers()] == []


@pytest.mark.parametrize("slug", registry.slugs())
def test_every_call_fits_the_vendors_description(slug, found):
    if not documents(slug) and graphql_schema(slug) is None:
        found[slug]["undescribed"].add(
            "the vendor publishes no description that is kept here; see its own tests"
        )
        pytest.skip(f"no description of {slug} and no researched shapes")
    path = EXCEPTIONS / f"{slug}.json"
    excused = json.loads(path.read_text()) if path.exists() else {}
    ignored = frozenset(excused.pop("ignored_parameters", ()))
    used, failures, excepted = set(), [], set()
    for case in cases(registry.get(slug)):
        clean = True
        for problem in judge(case, ignored_parameters=ignored):
            excuse = next((text for text in excused if fits(text, case.key, problem)), None)
            if excuse is None:
                failures.append(f"{case.id} {problem}")
                clean = False
            else:
                used.add(excuse)
                found[slug]["exceptions"].add(f"{excuse} - {excused[excuse]}")
                clean = clean and problem.startswith("output")
        if clean:
            found[slug]["validated"].add(case.key)
        else:
            excepted.add(case.key)
    found[slug]["validated"] -= excepted
    assert not failures, "\n" + "\n".join(failures)
    assert not set(excused) - used, f"exceptions that excuse nothing: {sorted(set(excused) - used)}"


def fits(excuse: str, key: str, problem: str) -> bool:
    about, _, beginning = excuse.partition(": ")
    return about in ("*", key) and problem.startswith(beginning)
