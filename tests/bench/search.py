"""Search: what a person waits for the gallery's results among 5,000 templates, the whole request on the server."""

from __future__ import annotations

import os
import time
from typing import Any

from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import User
from accounts.tenancy import system_scope, uuid7
from templates_lib import official
from templates_lib.models import Template
from tests.bench import stage as on
from tests.bench.companies import make_company

TEMPLATES = int(os.environ.get("BENCH_TEMPLATES", "5000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "10"))
# Common and rare words, several words, filters beside a search, and no search at all.
QUERIES = (
    "q=invoice", "q=reminder+customer", "q=slack", "q=order", "q=telegram+morning", "q=churn", "q=%22won+deal%22",
    "q=e-mail+-newsletter", "q=stock+or+inventory", "q=nothingofthekind", "q=number+4321", "q=team&category=OPERATIONS",
    "q=payment&difficulty=BEGINNER", "q=contract&services=missing", "", "category=SALES&sort=rated", "tag=invoices",
    "services=ready", "sort=newest",
)  # fmt: skip


def run() -> dict[str, Any]:
    """Return the figures of all requests; each is signed in, asked as htmx does, and rendered to the last byte."""
    with on.stage() as stage, override_settings(ALLOWED_HOSTS=["*"]):
        organization, _workflow, _version = make_company("Alder")
        with system_scope("benchmark"):
            owner = User.objects.create(email="search@alder.example", organization=organization, role="OWNER")
            made = _fill()
        with stage.connect() as connection:
            connection.execute("VACUUM ANALYZE templates_lib_template")  # as autovacuum does within a minute
        client = Client(headers={"HX-Request": "true"})
        client.force_login(owner)
        address = reverse("templates_lib:gallery")
        taken: list[float] = []
        cpu = time.process_time()
        for number in range(ROUNDS + 1):
            for query in QUERIES:
                began = time.perf_counter()
                response = client.get(f"{address}?{query}")
                seconds = time.perf_counter() - began
                if response.status_code != 200:
                    raise RuntimeError(f"{query} answered {response.status_code}")
                if number:  # the first round fills caches, as the first visitor of the day does
                    taken.append(1000 * seconds)
        cpu = time.process_time() - cpu
    taken.sort()
    return on.figures(
        "search",
        settings=f"{made} templates, {len(taken)} requests of {len(QUERIES)} kinds, {on.settings_text()}",
        rate_per_s=1000 * len(taken) / sum(taken),
        p50_ms=taken[len(taken) // 2],
        p95_ms=taken[int(len(taken) * 0.95)],
        p99_ms=taken[int(len(taken) * 0.99)],
        cpu_s=cpu,
    )


def _fill() -> int:
    """Make TEMPLATES public templates out of the official ones, each under a name of its own."""
    known = official.read_all()
    rows = []
    for number in range(TEMPLATES):
        entry = known[number % len(known)]
        rows.append(
            Template(
                **{**entry, "slug": f"{entry['slug']}-{number}", "name": f"{entry['name']}, number {number}"},
                id=uuid7(),
                is_public=True,
                popularity=number * 7919 % 1000,
                rating=number % 50 / 10,
                rating_count=number % 20,
            )
        )
    Template.objects.bulk_create(rows, batch_size=250)
    return len(rows)
