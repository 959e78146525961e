"""Reads the vendors' API descriptions, whatever their form, as one: paths, parameters, body and answer schemas."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4, DRAFT202012

REPOSITORY = Path(__file__).resolve().parents[2]
FACTS = REPOSITORY.parent / "shared" / "providers"
SPECS = FACTS / "specs"
METHODS = {"get", "post", "put", "patch", "delete", "head"}


@dataclass(frozen=True)
class Operation:
    """One described call. parameters: place -> name -> JSON Schema pointer-resolved schema; required: (place, name).

    bodies: media type -> schema. answer: schema of the success answer, None when it has none. document: the whole.
    """

    method: str
    template: str
    parameters: dict[str, dict[str, Any]]
    required: frozenset[tuple[str, str]]
    bodies: dict[str, Any]
    body_required: bool
    answer: Any
    document: Document


class Document:
    """An OpenAPI 3, Swagger 2 or Google discovery description, made alike."""

    def __init__(self, source: dict[str, Any], *, name: str) -> None:
        self.name = name
        self.raw = discovery_as_openapi(source) if "discoveryVersion" in source else source
        self.is_swagger = "swagger" in self.raw
        modern = str(self.raw.get("openapi", "")).startswith("3.1")
        self.draft = DRAFT202012 if modern else DRAFT4
        resource = Resource(contents=self.raw, specification=self.draft)
        self.registry = Registry().with_resource("urn:description", resource)

    def resolve(self, node: Any) -> Any:
        """Follow `$ref` until something else stands there."""
        for _step in range(20):
            if not (isinstance(node, dict) and isinstance(node.get("$ref"), str)):
                return node
            target: Any = self.raw
            for part in node["$ref"].removeprefix("#/").split("/"):
                part = unquote(part).replace("~1", "/").replace("~0", "~")
                target = target[int(part)] if isinstance(target, list) else target[part]
            node = target
        return node

    def find(self, method: str, url: str) -> Operation | None:
        """Return the operation that answers this method and address; the one with fewest variables wins."""
        path = urlsplit(url).path
        matches = []
        for template, item in self.raw.get("paths", {}).items():
            if method.lower() not in item:
                continue
            for prefix in self.prefixes():
                pattern = re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(prefix + template.partition("?")[0]))
                if re.fullmatch(pattern + "/?", path):
                    matches.append((template.count("{"), -len(prefix), template))
        if not matches:
            return None
        return self.operation(method.lower(), min(matches)[2])

    def prefixes(self) -> list[str]:
        if self.is_swagger:
            return [self.raw.get("basePath", "").rstrip("/"), ""]
        found = [
            urlsplit(re.sub(r"\{[^}]*\}", "x", server["url"])).path.rstrip("/")
            for server in self.raw.get("servers", [])
        ]
        return list(dict.fromkeys([*found, ""]))

    def operation(self, method: str, template: str) -> Operation:
        item = self.raw["paths"][template]
        entry = item[method]
        parameters: dict[str, dict[str, Any]] = {}
        required = set()
        bodies: dict[str, Any] = {}
        body_required = False
        for parameter in [*item.get("parameters", []), *entry.get("parameters", [])]:
            parameter = self.resolve(parameter)
            place, name = parameter["in"], parameter["name"]
            if place == "body":
                bodies["application/json"] = parameter.get("schema", {})
                body_required = parameter.get("required", False)
                continue
            schema = parameter.get("schema") or next(
                (media.get("schema", {}) for media in parameter.get("content", {}).values()), None
            )
            if schema is None:
                schema = {
                    key: value
                    for key, value in parameter.items()
                    if key in ("type", "items", "enum", "format", "minimum", "maximum")
                }
            parameters.setdefault(place, {})[name] = schema
            if parameter.get("required"):
                required.add((place, name))
        if "formData" in parameters:
            schema = {
                "type": "object",
                "properties": parameters["formData"],
                "required": sorted(name for place, name in required if place == "formData"),
                "additionalProperties": False,
            }
            if not schema["required"]:
                del schema["required"]
            for media in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data"):
                bodies[media] = schema
        body = self.resolve(entry.get("requestBody")) or {}
        body_required = body_required or body.get("required", False)
        for media, content in body.get("content", {}).items():
            bodies[media.partition(";")[0]] = content.get("schema", {})
        return Operation(
            method.upper(),
            template,
            parameters,
            frozenset(required),
            bodies,
            body_required,
            self.answer_schema(entry),
            self,
        )

    def answer_schema(self, entry: dict[str, Any]) -> Any:
        answers = entry.get("responses", {})
        for status in sorted(answers, key=lambda text: (text == "default", text)):
            if not (str(status).startswith("2") or status == "default"):
                continue
            found = self.resolve(answers[status])
            if "schema" in found:
                return found["schema"]
            for media, content in found.get("content", {}).items():
                if "json" in media or media == "*/*":
                    return content.get("schema", {})
        return None

    def problems(self, schema: Any, value: Any) -> list[str]:
        """Return what a value violates of a schema of this document."""
        import jsonschema

        kind = jsonschema.Draft202012Validator if self.draft is DRAFT202012 else jsonschema.Draft4Validator
        based = rebase(schema)
        validator = kind(based, registry=self.registry)
        return [
            f"{'.'.join(str(part) for part in error.absolute_path) or 'body'}: {error.message[:300]}"
            for error in validator.iter_errors(value)
        ]

    def has_path(self, schema: Any, path: str) -> bool:
        """Whether a path of paths.dig() exists in a schema; a schema that says nothing about members allows any."""
        return self._has(schema, [part for part in path.replace("[]", ".[]").split(".") if part], frozenset())

    def _has(self, schema: Any, parts: list[str], seen: frozenset[int]) -> bool:
        schema = self.resolve(schema)
        if not parts or schema is True:
            return True
        if not isinstance(schema, dict):
            return False
        mark = id(schema)
        variants = [entry for key in ("allOf", "anyOf", "oneOf") for entry in schema.get(key, [])]
        if mark in seen and not variants:
            variants = []
        for variant in variants:
            if mark not in seen and self._has(variant, parts, seen | {mark}):
                return True
        head, rest = parts[0], parts[1:]
        if head == "[]" or head.lstrip("-").isdigit():
            items = schema.get("items")
            if items is None:
                return not variants and schema.get("type") in (None, "array") and "properties" not in schema
            choices = items.get("x-slack-items-alternatives") if isinstance(items, dict) else None
            return any(self._has(choice, rest, frozenset()) for choice in choices or [items])
        properties = schema.get("properties", {})
        for length in range(1, len(parts) + 1):  # a member's own name may hold dots
            name = ".".join(parts[:length])
            if name in properties:
                return self._has(properties[name], parts[length:], frozenset())
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict):
            return self._has(extra, rest, frozenset())
        if extra is True:
            return True
        return not properties and not variants and schema.get("type") in (None, "object", ["object", "null"])


def rebase(schema: Any) -> Any:
    """Point the local references of a schema into the whole document."""
    if isinstance(schema, dict):
        return {
            key: f"urn:description{value}"
            if key == "$ref" and isinstance(value, str) and value.startswith("#")
            else rebase(value)
            for key, value in schema.items()
        }
    if isinstance(schema, list):
        return [rebase(value) for value in schema]
    return schema


def discovery_as_openapi(source: dict[str, Any]) -> dict[str, Any]:
    """Return a Google discovery document in OpenAPI's shape."""

    def schema(node: Any) -> Any:
        if isinstance(node, list):
            return [schema(entry) for entry in node]
        if not isinstance(node, dict):
            return node
        result = {
            key: schema(value)
            for key, value in node.items()
            if key not in ("id", "description", "enumDescriptions", "required", "default", "annotations")
            or isinstance(value, dict)
        }
        if isinstance(node.get("$ref"), str) and "/" not in node["$ref"]:
            return {"$ref": f"#/components/schemas/{node['$ref']}"}
        if result.get("type") == "any":
            del result["type"]
        if result.get("format") in ("int64", "uint64") and result.get("type") == "string":
            result["type"] = ["string", "integer"]
        return result

    paths: dict[str, Any] = {}

    def collect(resources: dict[str, Any]) -> None:
        for resource in resources.values():
            for entry in resource.get("methods", {}).values():
                template = "/" + (entry.get("flatPath") or entry["path"]).lstrip("/")
                template = re.sub(r"\{\+?([^}]*)\}", r"{\1}", template)
                names = {**source.get("parameters", {}), **entry.get("parameters", {})}
                parameters = []
                for name, details in names.items():
                    kind = (
                        {"type": "array", "items": {"type": details.get("type", "string")}}
                        if details.get("repeated")
                        else schema(
                            {
                                key: value
                                for key, value in details.items()
                                if key in ("type", "enum", "format")
                            }
                        )
                    )
                    parameters.append(
                        {
                            "in": details.get("location", "query"),
                            "name": name,
                            "schema": kind,
                            "required": bool(details.get("required")),
                        }
                    )
                operation: dict[str, Any] = {"parameters": parameters, "responses": {"200": {}}}
                if "request" in entry:
                    operation["requestBody"] = {
                        "content": {
                            "application/json": {
                                "schema": {"$ref": f"#/components/schemas/{entry['request']['$ref']}"}
                            }
                        }
                    }
                if "response" in entry:
                    operation["responses"]["200"] = {
                        "content": {
                            "application/json": {
                                "schema": {"$ref": f"#/components/schemas/{entry['response']['$ref']}"}
                            }
                        }
                    }
                paths.setdefault(template, {})[entry["httpMethod"].lower()] = operation
            collect(resource.get("resources", {}))

    collect(source.get("resources", {}))
    service = source.get("servicePath", "").strip("/")
    return {
        "openapi": "3.0.0",
        "servers": [{"url": f"/{service}"}],
        "paths": paths,
        "components": {"schemas": {name: schema(entry) for name, entry in source.get("schemas", {}).items()}},
    }


def facts_as_openapi(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the researched shapes of a provider without a public description in OpenAPI's shape."""
    paths: dict[str, Any] = {}
    for action in [*facts.get("actions", []), *facts.get("lookups", [])]:
        if not str(action.get("path", "")).startswith("/") or "method" not in action:
            continue
        path = action["path"].partition("?")[0]
        entry = paths.setdefault(path, {}).setdefault(
            action["method"].lower(),
            {
                "parameters": [],
                "responses": {"200": {"content": {"application/json": {"schema": {"type": "object"}}}}},
            },
        )
        body: dict[str, Any] = {}
        dynamic = False
        for parameter in action.get("params", []):
            name = parameter["name"].replace("[]", "").split(".")[0]
            if parameter.get("in") in ("body", "form"):
                body[name] = {}
                dynamic = dynamic or bool(parameter.get("dynamic")) or name.startswith("<")
            elif parameter.get("in") == "query":
                entry["parameters"].append({"in": "query", "name": name, "schema": {}})
        if body:
            known = entry.setdefault("requestBody", {"content": {}})["content"]
            for media in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data"):
                schema = known.setdefault(
                    media, {"schema": {"type": "object", "properties": {}, "additionalProperties": False}}
                )["schema"]
                schema["properties"].update(body)
                if dynamic:
                    schema["additionalProperties"] = True
    return {"openapi": "3.1.0", "servers": [{"url": str(facts.get("base_url", ""))}], "paths": paths}


@cache
def documents(slug: str) -> tuple[Document, ...]:
    """Return every description of a provider; the facts' shapes when the vendor publishes none."""
    found = []
    for path in sorted(SPECS.glob(f"{slug}*.json")):
        source = json.loads(path.read_text())
        if "paths" in source or "resources" in source:
            found.append(Document(source, name=path.name))
    facts = FACTS / f"{slug}.json"
    if not found and facts.exists() and graphql_schema(slug) is None:
        source = facts_as_openapi(json.loads(facts.read_text()))
        if source["paths"]:
            found.append(Document(source, name=f"facts {slug}.json"))
    return tuple(found)


@cache
def graphql_schema(slug: str) -> Any:
    """Return the provider's GraphQL schema, or None."""
    path = SPECS / f"{slug}.graphql"
    if not path.exists():
        return None
    from graphql import build_schema

    return build_schema(path.read_text(), assume_valid=True)
