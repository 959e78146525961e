"""Files that are no workflows, or workflows meant to harm: refused in words, or brought over in part; never a crash."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from templates_lib.n8n import NotReadable, convert, read
from templates_lib.n8n.javascript import Beyond
from templates_lib.n8n.liquid import to_liquid
from workflows.definition.expressions import compile_value
from workflows.definition.schema import parse_definition

KINDS = [
    "webhook", "manualTrigger", "scheduleTrigger", "set", "if", "switch", "filter", "merge", "splitInBatches", "code",
    "httpRequest", "wait", "splitOut", "aggregate", "sort", "limit", "removeDuplicates", "respondToWebhook", "slack",
    "googleSheets", "gmail", "noOp", "stopAndError", "executeWorkflow", "formTrigger", "cron", "airtable", "telegram",
    "agent", "textClassifier", "openAi", "informationExtractor", "unheardOf", "",
]  # fmt: skip
EXPRESSIONS = [
    "={{ $json.a }}", "={{", "={{ $('B').item.json.x }}", "={{ [1].map(x => x) }}", "=\u0001{{ $json }}",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
    | st.sampled_from(EXPRESSIONS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
KEYS = st.sampled_from([
    "conditions", "rules", "values", "assignments", "options", "jsCode", "url", "jsonBody", "rule", "formFields",
    "batchSize", "amount", "unit", "text", "messages", "mode", "operation", "fieldToSplitOut", "columns", "categories",
])  # fmt: skip
NAMES = st.sampled_from(["A", "B", "C", "D", "E", "F"])
NODE = st.fixed_dictionaries(
    {"name": NAMES, "type": st.sampled_from([f"n8n-nodes-base.{kind}" for kind in KINDS])},
    optional={
        "parameters": st.dictionaries(KEYS, JSON, max_size=4),
        "typeVersion": JSON,
        "onError": st.sampled_from(["continueErrorOutput", "continueRegularOutput", 3]),
        "disabled": st.booleans(),
        "retryOnFail": st.booleans(),
    },
)
TARGET = st.fixed_dictionaries({"node": NAMES, "type": st.just("main"), "index": st.integers(-1, 3)})
CONNECTIONS = st.dictionaries(
    NAMES,
    st.fixed_dictionaries({"main": st.lists(st.lists(TARGET, max_size=3) | st.none(), max_size=3)}),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(nodes=st.lists(NODE, min_size=1, max_size=8), connections=CONNECTIONS)
def test_any_graph_of_any_nodes_becomes_a_valid_draft(nodes: list[Any], connections: dict[str, Any]) -> None:
    made = convert(read(json.dumps({"nodes": nodes, "connections": connections})))
    parse_definition(made.definition)
    assert len(made.reports) == len(nodes)


@settings(max_examples=100, deadline=None)
@given(
    data=JSON | st.fixed_dictionaries({"nodes": JSON, "connections": JSON, "settings": JSON, "name": JSON})
)
def test_any_json_is_read_or_refused_in_words(data: Any) -> None:
    try:
        document = read(json.dumps(data))
    except NotReadable:
        return
    parse_definition(convert(document).definition)


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=60) | st.text(max_size=60))
def test_any_bytes_are_read_or_refused_in_words(content: bytes | str) -> None:
    with pytest.raises(NotReadable):
        read(content)


class Anything:
    def json(self) -> tuple[str, bool]:
        return "trigger.body", False

    def node(self, name: str, which: str) -> tuple[str, bool]:
        return "steps.x.output", False


@settings(max_examples=300, deadline=None)
@given(st.text("$json.abc()[]'\"`{}+-*/?:|&!=<> 019,{%}", max_size=40).map(lambda text: "$json" + text))
def test_what_is_said_in_liquid_is_liquid(source: str) -> None:
    try:
        liquid = to_liquid(source, Anything())
    except Beyond:
        return
    compile_value("{{ " + liquid + " }}")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "valid JSON"),
        ('{"nodes": []}', "no nodes"),
        ('{"a": 1}', "no list of nodes"),
        ("[" * 200_000, "deep"),
        ("[" * 100 + "]" * 100, "deep"),
        ("x" * (2 * 1024 * 1024 + 1), "2 MB"),
    ],
)
def test_the_refusal_says_what_is_wrong(text: str, word: str) -> None:
    with pytest.raises(NotReadable, match=word):
        read(text)


def test_a_long_chain_and_a_ladder_of_decisions_end_in_time() -> None:
    nodes = [{"name": "T", "type": "n8n-nodes-base.manualTrigger"}]
    connections: dict[str, Any] = {"T": {"main": [[{"node": "D0", "index": 0}]]}}
    for index in range(60):
        # Every decision leads to the next two, so that copying would double with each rung.
        nodes.append({"name": f"D{index}", "type": "n8n-nodes-base.if"})
        ways = [[{"node": f"D{index + 1}", "index": 0}], [{"node": f"D{index + 2}", "index": 0}]]
        connections[f"D{index}"] = {"main": ways}
    made = convert(read(json.dumps({"nodes": nodes, "connections": connections})))
    parse_definition(made.definition)


def test_two_nodes_of_one_name_are_both_accounted_for() -> None:
    node = {"name": "Same", "type": "n8n-nodes-base.manualTrigger"}
    assert len(convert(read(json.dumps({"nodes": [node, node]}))).reports) == 2
