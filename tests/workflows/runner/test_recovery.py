"""Recovery: resume, restart and fork make new linked runs, and finished steps are not repeated."""

from __future__ import annotations

import pytest

from tests.crash.recorder import Recorder
from tests.workflows.runner.working import begin, ended, journal, published, run, working
from tests.worlds import World, make_world
from workflows.runner import recovery

pytestmark = pytest.mark.usefixtures("committed_db")


@pytest.fixture
def alder(committed_db: str) -> World:
    return make_world("Alder")


@pytest.fixture
def recorder(settings: object) -> Recorder:
    server = Recorder(seconds=0)
    settings.ALLOWED_PRIVATE_HOSTS = frozenset({f"127.0.0.1:{server.port}"})  # type: ignore[attr-defined]
    yield server
    server.close()


def broken_in_the_middle(world: World, recorder: Recorder) -> tuple[object, object]:
    return published(
        world, "Breaks",
        {"id": "send", "type": "http", "method": "POST", "url": f"{recorder.url}/each/one", "json": {}},
        {"id": "name", "type": "set", "values": {"text": "{{ inputs.name }}"}},
    )  # fmt: skip


def test_a_resumed_run_does_not_repeat_what_was_done(alder: World, recorder: Recorder) -> None:
    identifier = begin(alder, broken_in_the_middle(alder, recorder), {})
    with working():
        assert ended(identifier).error["step"] == "name"
        with alder.scope():
            again = recovery.resume(run(identifier), alder.owner)
        found = ended(again.pk)
    assert recorder.arrived["/each/one"] == 1
    assert (found.status, found.relation, found.parent_id) == ("FAILED", "RESUME", identifier)
    assert journal(again.pk)["send"].output == journal(identifier)["send"].output
    assert run(identifier).status == "FAILED"


def test_a_restarted_run_does_everything_again_with_the_same_input(alder: World, recorder: Recorder) -> None:
    identifier = begin(alder, broken_in_the_middle(alder, recorder), {"name": "Ada"})
    with working():
        ended(identifier)
        with alder.scope():
            again = recovery.restart(run(identifier), alder.owner)
        found = ended(again.pk)
    assert recorder.arrived["/each/one"] == 2
    assert (found.status, found.relation, found.input) == ("COMPLETED", "RESTART", {"name": "Ada"})


def test_a_fork_begins_at_a_step_with_other_data(alder: World, recorder: Recorder) -> None:
    made = published(
        alder, "Forked",
        {"id": "send", "type": "http", "method": "POST", "url": f"{recorder.url}/each/two", "json": {}},
        {"id": "tell", "type": "set", "values": {"status": "{{ steps.send.output.status }}"}},
    )  # fmt: skip
    identifier = begin(alder, made, {})
    with working():
        assert ended(identifier).output == {"status": 200}
        with alder.scope():
            again = recovery.fork(run(identifier), "tell", {"send": {"status": 418}}, alder.owner)
        found = ended(again.pk)
    assert recorder.arrived["/each/two"] == 1
    assert (found.output, found.relation) == ({"status": 418}, "FORK")


def test_what_has_not_ended_cannot_be_taken_up_again(alder: World, recorder: Recorder) -> None:
    identifier = begin(alder, broken_in_the_middle(alder, recorder), {})
    with alder.scope(), pytest.raises(recovery.NotRecoverable, match="not ended"):
        recovery.restart(run(identifier), alder.owner)


def test_a_fork_needs_a_step_that_was_reached(alder: World, recorder: Recorder) -> None:
    identifier = begin(alder, broken_in_the_middle(alder, recorder), {})
    with working():
        ended(identifier)
    with alder.scope(), pytest.raises(recovery.NotRecoverable, match="never reached"):
        recovery.fork(run(identifier), "nowhere", {}, alder.owner)
