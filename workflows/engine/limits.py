"""Ceilings of one run; each fails the step, or the run, with a sentence that names the limit."""

MAX_STEP_OUTPUT_BYTES = 5 * 1024 * 1024  # one step's output as UTF-8 JSON
MAX_STEP_INPUT_BYTES = 5 * 1024 * 1024  # one rendered call, which is kept in the journal
MAX_RUN_STEPS = 100_000  # distinct step paths of one run, loop rounds counted
MAX_WORKFLOW_DEPTH = 10  # runs started by runs started by runs
MAX_PATH_CHARS = 512
MAX_ERROR_CHARS = 2_000  # of a message or a detail kept in the journal
MAX_RETRY_AFTER_SECONDS = 24 * 3600  # a Retry-After beyond a day is treated as a day

DEFAULT_CALL_SECONDS = 120.0  # an outside call without its own timeout
DEFAULT_CODE_SECONDS = 10.0  # running time of a code step without its own timeout
DEFAULT_RUN_SECONDS = 3600.0  # a run whose settings name no timeout
WAITING_RUN_SECONDS = 30 * 24 * 3600.0  # the same, where a step waits for a person, a time or another run
SHORT_WAIT_SECONDS = 10.0  # waits below this stay in memory; longer ones suspend the run
STEPS_PER_TURN = 50  # steps between two turns of the event loop, so that one run cannot hold up the others
