"""Finds the connectors: every module in `integrations.connectors` that has a `connector` is one."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING

from integrations import connectors
from integrations.framework.definition import Connector

if TYPE_CHECKING:
    from integrations.framework.catalog import OperationCatalog


@cache
def slugs() -> tuple[str, ...]:
    """Return the slug of every connector, sorted, without importing any of them."""
    return tuple(
        sorted(
            module.name
            for module in pkgutil.iter_modules(connectors.__path__)
            if not module.name.startswith("_")
        )
    )


@cache
def get(name: str) -> Connector:
    """Return the connector of a slug or provider value (either case). Raises KeyError when there is none."""
    slug = name.lower()
    if slug not in slugs():
        raise KeyError(f"there is no connector {name!r}")
    connector = importlib.import_module(f"integrations.connectors.{slug}").connector
    if connector.slug != slug:
        raise ValueError(f"integrations/connectors/{slug}.py holds a connector with slug {connector.slug!r}")
    return connector


@cache
def all_connectors() -> tuple[Connector, ...]:
    """Return every connector, by slug. The first call imports them all."""
    return tuple(get(slug) for slug in slugs())


def providers() -> tuple[str, ...]:
    """Return the provider value of every connector, such as WOO_COMMERCE."""
    return tuple(slug.upper() for slug in slugs())


def catalog() -> OperationCatalog:
    """Return the catalog of every operation and trigger, for validation and forms."""
    from integrations.framework.catalog import ConnectorCatalog  # it reads this registry

    return ConnectorCatalog()
