"""Ceilings of the workflow language; each one bounds what a single definition may cost to check or to run."""

MAX_DEFINITION_BYTES = 512 * 1024  # the definition as compact JSON
MAX_JSON_DEPTH = 80  # nesting of raw JSON; block nesting is MAX_DEPTH, the rest are values
MAX_STEPS = 500
MAX_DEPTH = 10  # blocks inside blocks; a top-level step stands at depth 1
MAX_BRANCHES = 50
MAX_TRIGGERS = 20
MAX_ATTEMPTS = 20
MAX_LOOP_ITEMS = 10_000
MAX_LOOP_CONCURRENCY = 100
MAX_REPEATS = 1_000
MAX_RUN_CONCURRENCY = 1_000
MAX_CONDITION_DEPTH = 8
MAX_CONDITIONS = 100
MAX_ID_LENGTH = 64
MAX_NAME_LENGTH = 120
MAX_NOTE_LENGTH = 4_000
MAX_TEMPLATE_LENGTH = 100_000  # characters of one Liquid string
MAX_SOURCE_LENGTH = 100_000  # characters of a code step
MAX_PATTERN_LENGTH = 500  # characters of a regular expression
MAX_WAIT_DAYS = 366  # the longest delay, wait, deadline or timeout
MAX_LABELS = 100
MAX_TOOLS = 50
MAX_PAGES = 1_000
MAX_PROBLEMS = 200  # a report longer than this helps nobody
DEFAULT_LOOP_NAME = "item"
