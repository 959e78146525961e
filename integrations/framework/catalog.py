"""What others may ask about all operations without touching the network: for validation, forms and documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from integrations.framework import registry
from integrations.framework.fields import object_schema


class OperationCatalog(Protocol):
    """provider: the schema's value (SLACK). operation and trigger keys as in the workflow. Unknown: KeyError."""

    def providers(self) -> tuple[str, ...]: ...
    def operations(self, provider: str) -> tuple[str, ...]: ...
    def triggers(self, provider: str) -> tuple[str, ...]: ...
    def input_schema(self, provider: str, operation: str) -> Mapping[str, Any]: ...
    def output_schema(self, provider: str, operation: str) -> Mapping[str, Any]: ...
    def effect(self, provider: str, operation: str) -> str: ...
    def trigger_schema(self, provider: str, trigger: str) -> Mapping[str, Any]: ...
    def trigger_output_schema(self, provider: str, trigger: str) -> Mapping[str, Any]: ...


class ConnectorCatalog:
    """The catalog of the connectors in this code base."""

    def providers(self) -> tuple[str, ...]:
        return registry.providers()

    def operations(self, provider: str) -> tuple[str, ...]:
        return tuple(action.key for action in registry.get(provider).actions if not action.hidden)

    def triggers(self, provider: str) -> tuple[str, ...]:
        return tuple(trigger.key for trigger in registry.get(provider).triggers)

    def input_schema(self, provider: str, operation: str) -> Mapping[str, Any]:
        return registry.get(provider).action(operation).input_schema

    def output_schema(self, provider: str, operation: str) -> Mapping[str, Any]:
        return registry.get(provider).action(operation).returns_schema

    def effect(self, provider: str, operation: str) -> str:
        return registry.get(provider).action(operation).effect

    def trigger_schema(self, provider: str, trigger: str) -> Mapping[str, Any]:
        return object_schema(registry.get(provider).trigger(trigger).fields)

    def trigger_output_schema(self, provider: str, trigger: str) -> Mapping[str, Any]:
        return registry.get(provider).trigger(trigger).returns_schema
