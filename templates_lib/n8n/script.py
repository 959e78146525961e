"""JavaScript carried over: programs of code nodes and expressions beyond Liquid, with what n8n puts around them."""

from __future__ import annotations

import json
import re

# What a program of n8n finds around itself, as far as it can exist here. Data is wrapped as n8n wraps it.
AROUND = """\
const wrapped = value => (Array.isArray(value) ? value : value == null ? [] : [value]).map(json => ({ json }));
const view = list => ({ all: () => list, first: () => list[0], last: () => list[list.length - 1],
  item: list[0] || { json: {} }, json: (list[0] || {}).json });
const items = wrapped(given_items), item = items[0], $input = view(items), $json = (item || {}).json || {};
const $ = name => view(wrapped((given_nodes || {})[name]));
const $node = new Proxy({}, { get: (none, name) => $(name) });
const $items = name => name === undefined ? items : $(name).all();
const $now = { toISO: () => new Date().toISOString(), toMillis: () => Date.now() }, $itemIndex = 0, $runIndex = 0;
"""
SINGLE = """\
const made = Array.isArray(result) ? result[0] : result;
return made && typeof made === "object" && "json" in made ? made.json : made;
"""
MANY = """\
return (Array.isArray(result) ? result : result == null ? [] : [result])
  .map(made => made && typeof made === "object" && "json" in made ? made.json : made);
"""
# What a program cannot have here: the network, files, secrets, memory between runs, and n8n's own libraries.
OUT_OF_REACH = re.compile(
    r"\bawait\b|\brequire\s*\(|\bimport\s*\(|\bfetch\s*\(|\bBuffer\b|\bprocess\b|\$env\b|\$vars\b|\bDateTime\b|"
    r"\$getWorkflowStaticData|getWorkflowStaticData|\bhelpers\b|\$binary\b|\.binary\b|\$jmespath|\$fromAI|\$secrets\b|"
    r"\$execution\b|\$workflow\b|\bsetTimeout\b|\$today\b|\$now\.(?!toISO\b|toMillis\b)|\$prevNode"
)
NAMED = re.compile(r"""\$\(\s*(["'`])(.+?)\1\s*\)|\$node\[\s*(["'])(.+?)\3\s*\]|\$items\(\s*(["'])(.+?)\5""")
_ONE = re.compile(r"return\s*(\[\s*\{(?!.*\.\.\.)|\{|\$json\b|item\b|\$input\.(first|item)\b)", re.DOTALL)


def program(source: str, *, is_list: bool) -> str:
    """Return a code step's source that runs a code node's program."""
    return f"{AROUND}const result = (() => {{\n{source}\n}})();\n{MANY if is_list else SINGLE}"


def expression(source: str) -> str:
    """Return a code step's source that gives the value of one expression."""
    return f"{AROUND}return (\n{source}\n);"


def text(parts: list[tuple[str, bool]]) -> str:
    """Return a code step's source that joins texts and (where the flag says so) values of expressions."""
    joined = " + ".join(
        f"shown(() => (\n{part}\n))" if is_code else json.dumps(part) for part, is_code in parts
    )
    return (
        AROUND
        + 'const shown = make => { const value = make(); return value == null ? "" : '
        + 'typeof value === "object" ? JSON.stringify(value) : String(value); };\n'
        + f"return {joined or json.dumps('')};"
    )


def named_in(source: str) -> list[str]:
    """Return the names of the nodes that a program reads, each once."""
    return list(dict.fromkeys(found[2] or found[4] or found[6] for found in NAMED.finditer(source)))


def gives_one(source: str) -> bool:
    """Return whether a program for all items evidently returns a single one."""
    returns = re.findall(r"\breturn\b[^;]*", source)
    last = source[source.rfind("return") :] if returns else ""
    if re.match(r"return\s*\[\s*\]", last):
        return False
    one = _ONE.match(last)
    # `[{json: a}, {json: b}]` is a list after all.
    return bool(one) and not re.search(r"\}\s*,\s*\{\s*[\"']?json", last)
