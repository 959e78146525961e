"""What becomes of workflows written after the measured frequencies: all valid, and a table of how faithful they are."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from integrations.framework.catalog import ConnectorCatalog
from templates_lib.n8n import Fidelity, convert, read
from workflows.definition.schema import parse_definition
from workflows.definition.tree import places
from workflows.definition.validate import check_data

FIXTURES = sorted((Path(__file__).parent / "fixtures").glob("*.json"))
# Drafts that a person has to complete before they can be published, and what they lack.
INCOMPLETE = {"airtable-notion": "Properties", "sub-workflow": "choose-a-workflow"}


def imported(name: str) -> Any:
    path = Path(__file__).parent / "fixtures" / f"{name}.json"
    return convert(read(path.read_text()))


def types(name: str) -> list[str]:
    return [step["type"] for step in imported(name).definition["steps"]]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_every_fixture_becomes_a_draft_that_can_be_published_but_for_what_the_report_names(
    path: Path,
) -> None:
    made = convert(read(path.read_text()))
    planned = [{**made.schedule, "type": "schedule"}] if made.schedule else []
    _definition, problems = check_data(
        made.definition, [*made.triggers, *planned], ConnectorCatalog(), workflows={}
    )
    errors = [problem.message for problem in problems if problem.severity == "error"]
    expected = INCOMPLETE.get(path.stem)
    assert all(expected is not None and expected in message for message in errors), errors
    assert len(made.reports) == len(json.loads(path.read_text())["nodes"])


def test_there_are_forty_fixtures_and_most_nodes_survive(capsys: pytest.CaptureFixture[str]) -> None:
    total: Counter[str] = Counter()
    lines = [f"{'workflow':<28}{'exact':>7}{'adapted':>9}{'placeholder':>13}"]
    for path in FIXTURES:
        counts = convert(read(path.read_text())).counts
        total.update(counts)
        lines.append(f"{path.stem:<28}{counts['EXACT']:>7}{counts['ADAPTED']:>9}{counts['PLACEHOLDER']:>13}")
    lines.append(f"{'all':<28}{total['EXACT']:>7}{total['ADAPTED']:>9}{total['PLACEHOLDER']:>13}")
    with capsys.disabled():
        sys.stdout.write("\n" + "\n".join(lines) + "\n")
    assert len(FIXTURES) >= 40
    assert total["PLACEHOLDER"] < total.total() * 0.1


def test_ways_that_meet_again_are_one_branch_and_what_follows_reads_the_way_taken() -> None:
    branch, post = imported("if-rejoin").definition["steps"]
    assert branch["type"] == "branch"
    assert post["with"]["text"] == "Level {{ steps." + branch["id"] + ".output.data.level }}"


def test_a_way_that_ends_while_others_meet_ends_the_run() -> None:
    branch, post = imported("switch-partly-meets").definition["steps"]
    assert post["type"] == "action"
    assert [arm["steps"][-1]["type"] for arm in branch["branches"]] == ["set", "set", "stop"]
    assert branch["otherwise"][-1]["type"] == "stop"


def test_ways_side_by_side_become_a_parallel_step() -> None:
    (parallel,) = imported("fan-out").definition["steps"]
    assert parallel["type"] == "parallel"
    assert len(parallel["branches"]) == 3


def test_batches_of_one_become_a_loop_over_the_rows() -> None:
    rows, loop, done = imported("split-in-batches").definition["steps"]
    assert loop["items"] == "{{ steps." + rows["id"] + '.output.rows | compact | map: "values" }}'
    assert [step["type"] for step in loop["steps"]][:2] == ["http", "delay"]
    # What follows the loop runs once per row there too, unless it is told to run once.
    assert done["type"] == "loop"


def test_larger_batches_are_cut_first() -> None:
    assert types("batches-of-ten") == ["action", "transform", "loop"]


def test_an_edge_that_leads_back_becomes_a_repeat_step() -> None:
    begin, repeat, _post = imported("poll-until-done").definition["steps"]
    assert repeat["until"]["to"] == "done"
    assert "steps." + begin["id"] in repeat["steps"][1]["url"]


def test_what_waits_behind_the_question_is_not_done_after_the_last_round() -> None:
    repeat = imported("poll-with-wait-behind").definition["steps"][1]
    assert repeat["steps"][-1]["type"] == "delay"
    assert repeat["steps"][-1]["if"] == {"not": repeat["until"]}


def test_an_output_for_failures_becomes_a_way_of_its_own() -> None:
    step, branch = imported("error-output").definition["steps"]
    assert step["on_error"] == "continue"
    assert branch["branches"][0]["when"]["to"] == "FAILED"
    assert branch["otherwise"][0]["with"]["text"] == "ok"


def test_a_list_that_flows_without_a_loop_gets_one() -> None:
    made = imported("implicit-for-each")
    assert "loop" in [step["type"] for step in made.definition["steps"]]
    report = next(each for each in made.reports if each.name == "Enrich")
    assert report.fidelity is Fidelity.ADAPTED


def test_expressions_become_liquid_and_the_rest_stays_javascript() -> None:
    *programs, said = imported("expressions").definition["steps"]
    values = said["values"]
    assert values["a"] == "{{ trigger.body.name | strip | upcase }}"
    assert values["b"] == '{{ trigger.body.tags | join: "; " }}'
    assert values["c"] == '{{ trigger.body.nick | default: "friend" }}'
    assert values["d"] == '{{ now | subtract_time: "7d" | date: "%Y-%m-%d" }}'
    assert values["k"] == '{{ trigger.body.name | prepend: "Dear " }}'
    assert values["g"] == "{{ steps." + programs[0]["id"] + ".output }}"
    assert {step["language"] for step in programs} == {"javascript"}


def test_keys_written_into_headers_stay_behind() -> None:
    text = json.dumps(imported("http-with-secrets").definition)
    assert "not-a-real-key" not in text
    assert "application/json" in text


def test_unknown_nodes_are_named_placeholders_that_are_switched_off() -> None:
    made = imported("unknown-nodes")
    off = [place.step for place in places(parse_definition(made.definition)) if place.step.disabled]
    assert [step.name for step in off] == ["Print", "Files"]
    assert "n8n-nodes-printer" in off[0].note


def test_triggers_that_lead_to_different_steps_each_get_their_way() -> None:
    (branch,) = imported("two-flows").definition["steps"]
    assert [arm["when"]["to"] for arm in branch["branches"]] == [["hook"], ["daily"]]
