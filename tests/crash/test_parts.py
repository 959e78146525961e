"""The short version of each part of the crash suite; `python -m tests.crash` runs the long ones."""

from __future__ import annotations

from typing import Any

import pytest

from config.database import embedded
from tests.crash import answers, clock, schedulers, web

PARTS = [
    (web, {"kills": 4}),
    (schedulers, {"workflows": 12, "seconds": 6, "kills": 1}),
    (clock, {"nights": 2}),
    (answers, {"runs": 12}),
]


@pytest.mark.parametrize(
    ("part", "size"), PARTS, ids=[part.__name__.rpartition(".")[2] for part, _size in PARTS]
)
def test_the_count_is_right_after_a_crash(
    committed_db: str, cluster: embedded.ConnectionUrls, part: Any, size: dict[str, Any]
) -> None:
    counted = part.run(cluster, committed_db, **size)
    assert counted["good"], counted
