"""When a failed step is tried again."""

from random import Random

from workflows.engine.interface import ErrorClass, StepError
from workflows.engine.limits import MAX_RETRY_AFTER_SECONDS

RETRY_BASE_SECONDS = 2.0
RETRY_CAP_SECONDS = 900.0


def retry_delay(
    attempt: int, *, rng: Random, base: float = RETRY_BASE_SECONDS, cap: float = RETRY_CAP_SECONDS
) -> float:
    """Return how long to wait before trying a failed step again, in seconds.

    Full jitter: the wait is uniform in [0, min(cap, base * 2**attempt)], so a
    service that fails for everyone at once is not hit by everyone at once again.

    attempt: failures so far, 1 after the first. base and cap: seconds.
    rng: passed in, so tests can fix the seed.
    Raises ValueError when attempt is below 1.
    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    if attempt < 1:
        raise ValueError(f"attempt counts from 1, got {attempt}")
    return rng.uniform(0, min(cap, base * 2 ** min(attempt, 64)))


def next_attempt_in(error: StepError, attempt: int, attempts: int, computed: float) -> float | None:
    """Return the seconds until the next try, or None when the step has failed for good.

    attempt: tries made. attempts: tries allowed in all. computed: what retry_delay gave; the other side's
    Retry-After wins when it asks for longer, up to a day.
    """
    if error.error_class is not ErrorClass.TEMPORARY or attempt >= attempts:
        return None
    if error.retry_after is None:
        return computed
    return max(computed, min(error.retry_after, MAX_RETRY_AFTER_SECONDS))
