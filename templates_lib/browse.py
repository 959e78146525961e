"""Looking through the gallery: search, filters, order, and pages by the last key seen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import current_scope
from templates_lib.models import Template
from workflows.models.workflow import WorkflowCategory

PAGE_SIZE = 24
BEST_MATCHES = 24
PLAIN = re.compile(r"(?!.*\bor\b)\s*\w[\w\s]*", re.IGNORECASE)  # words alone: no quotes, no minus, no "or"
# Definitions and tests may be large, and no list shows them.
PAYLOAD = (
    "definition", "triggers", "schedule", "tests", "sample_data", "configuration_schema", "search_vector",
    "review_note", "time_savings_reasoning",
)  # fmt: skip
ORDERS: dict[str, tuple[str, type]] = {
    "popular": ("popularity", int),
    "rated": ("rating", float),
    "newest": ("", str),
}


class GalleryFilter(forms.Form):
    """What the gallery is narrowed to. What cannot be read narrows nothing."""

    q = forms.CharField(required=False, max_length=200, strip=True)
    category = forms.ChoiceField(
        required=False, choices=[("", _("All categories")), *WorkflowCategory.choices]
    )
    difficulty = forms.ChoiceField(
        required=False, choices=[("", _("Any difficulty")), *Template.Difficulty.choices]
    )
    services = forms.ChoiceField(
        required=False,
        choices=[
            ("", _("All services")),
            ("ready", _("Everything connected")),
            ("missing", _("Something to connect")),
        ],
    )
    sort = forms.ChoiceField(
        required=False,
        choices=[("popular", _("Most used")), ("rated", _("Best rated")), ("newest", _("Newest"))],
    )
    tag = forms.CharField(required=False, max_length=40)
    mine = forms.BooleanField(required=False)

    def chosen(self) -> dict[str, Any]:
        """Return the readable choices; "" and False where nothing was chosen."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) or "" for name in self.fields}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of templates. next_url: query string, "" at the end. first_url: to the start, "" on the first page."""

    rows: list[Template]
    next_url: str = ""
    first_url: str = ""


def visible() -> QuerySet[Template]:
    """Return the templates the organization in scope may use: public ones, and its own."""
    return Template.objects.filter(Q(is_public=True) | Q(organization_id=current_scope().organization_id))


def page_of(chosen: dict[str, Any], query: QueryDict, connected: set[str]) -> Page:
    """Return the page that `query` asks for with `after`; a search gives its best matches on one page."""
    rows = narrowed(visible(), chosen, connected).defer(*PAYLOAD)
    if chosen["q"]:
        return Page(list(rows.order_by("-rank", "-popularity", "-id")[:BEST_MATCHES]))
    column, kind = ORDERS[chosen["sort"] or "popular"]
    after = _cursor(query.get("after", ""), kind)
    if after is not None:
        value, identifier = after
        beyond = Q(pk__lt=identifier)
        if column:
            # The closed bound on the leading column is what lets PostgreSQL start inside the index.
            beyond = Q(**{f"{column}__lte": value}) & (Q(**{f"{column}__lt": value}) | beyond)
        rows = rows.filter(beyond)
    ordered = rows.order_by(*([f"-{column}"] if column else []), "-id")
    found = list(ordered[: PAGE_SIZE + 1])
    page, has_more = found[:PAGE_SIZE], len(found) > PAGE_SIZE
    next_url = _url(query, f"{getattr(page[-1], column) if column else ''}_{page[-1].pk}") if has_more else ""
    return Page(page, next_url, _url(query, "") if after is not None else "")


def narrowed(rows: QuerySet[Template], chosen: dict[str, Any], connected: set[str]) -> QuerySet[Any]:
    """Return `rows` as the choices narrow them, with `rank` when there is a search text."""
    for name in ("category", "difficulty"):
        if chosen[name]:
            rows = rows.filter(**{name: chosen[name]})
    if chosen["tag"]:
        rows = rows.filter(tags__contains=[chosen["tag"]])
    if chosen["mine"]:
        rows = rows.filter(organization__isnull=False)
    if chosen["services"] == "ready":
        rows = rows.filter(required_integrations__contained_by=sorted(connected))
    elif chosen["services"] == "missing":
        rows = rows.exclude(required_integrations__contained_by=sorted(connected))
    if text := chosen["q"]:
        query = SearchQuery(text, search_type="websearch", config="english")
        if PLAIN.fullmatch(text):
            # Beginnings of words count while somebody types; both conditions can use the search index.
            words = re.findall(r"\w+", text)
            begun = SearchQuery(
                " & ".join(f"{word}:*" for word in words), search_type="raw", config="english"
            )
            rows = rows.filter(Q(search_vector=query) | Q(search_vector=begun))
        else:
            rows = rows.filter(search_vector=query)
        return rows.annotate(rank=SearchRank(F("search_vector"), query))
    return rows


def _cursor(text: str, kind: type) -> tuple[Any, UUID] | None:
    value, _separator, identifier = text.rpartition("_")
    try:
        return kind(value), UUID(identifier)
    except ValueError:
        return None


def _url(query: QueryDict, after: str) -> str:
    copy = query.copy()
    copy.pop("after", None)
    if after:
        copy["after"] = after
    return f"?{copy.urlencode()}"
