"""Which tables hold rows of an organization: read from the models, so that a new table is never forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group
from django.db import models

from accounts.models import Organization, User


@dataclass(frozen=True, slots=True)
class OwnedTable:
    """A table, and the SQL condition that picks an organization's rows of it; `%s` stands for the organization's id."""

    model: type[models.Model]
    condition: str

    @property
    def table(self) -> str:
        return self.model._meta.db_table


def owned_models() -> list[type[models.Model]]:
    """Return the models whose rows name their organization, those first that refer to others."""
    found = {
        model
        for model in apps.get_models()
        if model._meta.managed and any(field.related_model is Organization for field in _references(model))
    }
    return _referrers_first(found)


def erasable_tables() -> list[OwnedTable]:
    """Return every table that holds rows of an organization, in an order in which they can be deleted.

    Besides the owned models: what belongs to their people (addresses, sign-in factors, sessions), and the organization.
    """
    conditions: dict[type[models.Model], str] = {Organization: "id = %s"}
    for model in owned_models():
        conditions[model] = "organization_id = %s"
    remaining = {model for model in apps.get_models(include_auto_created=True) if model._meta.managed}
    grew = True
    while grew:  # rows of a person's rows, such as the tokens of their Google account
        grew = False
        for model in remaining - set(conditions):
            reference = next((field for field in _references(model) if _belongs(field, conditions)), None)
            if reference is not None:
                target: Any = reference.related_model
                picked = f"{target._meta.db_table} WHERE {conditions[target]}"
                inner = f"SELECT {target._meta.pk.column} FROM {picked}"  # noqa: S608 - names of our own models
                conditions[model] = f"{reference.column} IN ({inner})"
                grew = True
    return [OwnedTable(model, conditions[model]) for model in _referrers_first(set(conditions))]


def loose_references_to_people() -> list[tuple[str, str]]:
    """Return (table, column) of the references to people that may stand in rows of no organization."""
    return [
        (model._meta.db_table, field.column)
        for model in owned_models()
        for field in _references(model)
        if field.related_model is User and field.null and model._meta.get_field("organization").null
    ]


def _references(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.local_concrete_fields if field.many_to_one or field.one_to_one]


def _belongs(field: Any, conditions: dict[type[models.Model], str]) -> bool:
    """Whether a row goes with the row it refers to: rows that merely mention one do not."""
    if field.related_model is Group or field.related_model is Organization:
        return False
    return field.related_model in conditions and not field.null


def _referrers_first(found: set[type[models.Model]]) -> list[type[models.Model]]:
    ordered = sorted(found, key=lambda model: model._meta.label)
    is_optional: dict[tuple[Any, Any], bool] = {}
    for model in ordered:
        for field in _references(model):
            if field.related_model in found and field.related_model is not model:
                pair = (model, field.related_model)
                is_optional[pair] = is_optional.get(pair, True) and field.null
    graph: dict[type[models.Model], set[type[models.Model]]] = {model: set() for model in ordered}
    for (referrer, target), optional in is_optional.items():
        # Two tables that refer to each other, as a workflow and its versions do: the optional reference goes first,
        # for clearing it might break a rule of its row; the other one is checked at the end.
        if optional or not is_optional.get((target, referrer)):
            graph[target].add(referrer)
    return list(TopologicalSorter(graph).static_order())
