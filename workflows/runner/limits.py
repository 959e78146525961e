"""The figures of the runner, in one place."""

import os

# All workers of an installation need the same two figures; tests of crashes hurry.
HEARTBEAT_SECONDS = float(os.environ.get("STEWARD_HEARTBEAT_SECONDS", "5"))
STALE_SECONDS = float(
    os.environ.get("STEWARD_STALE_SECONDS", "20")
)  # silent for longer: its runs go to others
POLL_SECONDS = 1.0  # between two looks for what is due, when nobody says that there is something
DRAIN_SECONDS = 10.0  # after SIGTERM: what has not finished by then is handed back
CANCEL_GRACE_SECONDS = 3.0  # for a live worker to end a run by itself; then it is ended in the database
DEADLINE_GRACE_SECONDS = 5.0  # the same for a run whose time is up
MAX_QUEUES_PER_CLAIM = 2_000  # (organization, workflow) pairs looked at in one claim
MAX_DUE = 2_000  # waiting runs put back into the queue in one statement
COMMIT_RECORDS = 2_000  # journal records in one commit
COMMIT_BYTES = 8 * 1024 * 1024
APPENDED_SECONDS = 0.5  # a record that nobody waits for is written after so long, so that pages show progress
APPENDED_RECORDS = 1_000  # or when a run has so many of them
KEPT_DEFINITIONS = 500  # compiled versions in memory
FAILURE_NOTICE_SECONDS = (
    600.0  # after the first failure of a workflow, the others in this time are told of together
)
