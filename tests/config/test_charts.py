"""Charts: coordinates that stay in the frame, and the same numbers in a table."""

from __future__ import annotations

import pytest
from django.template import engines
from hypothesis import given
from hypothesis import strategies as st

from config import charts

values = st.lists(st.floats(min_value=0, max_value=1e9, allow_nan=False), min_size=1, max_size=40)


def render(source: str, **context: object) -> str:
    return engines["django"].from_string("{% load charts components %}" + source).render(context)


@given(values)
def test_bars_stay_inside_the_drawing(numbers: list[float]) -> None:
    bars, ceiling = charts.stacked_bars(["day"] * len(numbers), [charts.Series("Runs", numbers)])
    assert max(numbers) <= ceiling
    for bar in bars:
        assert bar.x >= charts.LEFT
        assert bar.x + bar.width <= charts.WIDTH + 0.01
        assert bar.y >= charts.TOP - 0.01
        assert bar.y + bar.height <= charts.HEIGHT - charts.BOTTOM + 0.02


def test_stacked_bars_stand_on_each_other() -> None:
    bars, _ = charts.stacked_bars(
        ["Mon"], [charts.Series("Done", [6]), charts.Series("Failed", [2], "danger")]
    )
    assert bars[1].y + bars[1].height == pytest.approx(bars[0].y)


@pytest.mark.parametrize(
    ("value", "ceiling"), [(0, 4), (4, 4), (7, 8), (10, 12), (41, 60), (100, 100), (101, 120), (1234, 1600)]
)
def test_the_axis_ends_at_a_round_number(value: float, ceiling: float) -> None:
    assert charts.nice_ceiling(value) == ceiling
    assert all("." not in label for _y, label in charts.ticks(ceiling) if ceiling < 1000)


@pytest.mark.parametrize(("value", "text"), [(950, "950"), (1200, "1.2k"), (3_000_000, "3M"), (2.5, "2.5")])
def test_numbers_on_the_axis_are_short(value: float, text: str) -> None:
    assert charts.short_number(value) == text


def test_the_table_behind_a_chart_holds_every_number() -> None:
    html = render(
        '{% bar_chart "Runs" days rows %}', days=["Mon", "Tue"], rows=[{"name": "Done", "values": [41, 0]}]
    )
    assert '<th scope="row">Mon</th><td class="numeric">41</td>' in html
    assert '<th scope="row">Tue</th><td class="numeric">0</td>' in html
    assert "style=" not in html


def test_a_gap_in_a_line_is_no_zero() -> None:
    html = render(
        '{% line_chart "Rate" days rows %}', days=["Mon", "Tue"], rows=[{"name": "Rate", "values": [None, 9]}]
    )
    assert '<th scope="row">Mon</th><td class="numeric">–</td>' in html


def test_an_empty_chart_still_draws_its_frame() -> None:
    assert "<svg" in render(
        '{% line_chart "Rate" days rows %}', days=[], rows=[{"name": "Rate", "values": []}]
    )


@pytest.mark.parametrize(
    ("used", "limit", "tone"),
    [(79, 100, "accent"), (80, 100, "warning"), (100, 100, "danger"), (120, 100, "danger")],
)
def test_a_meter_warns_before_the_limit_and_alarms_at_it(used: int, limit: int, tone: str) -> None:
    assert f"series-{tone}" in render('{% meter "Runs" used limit %}', used=used, limit=limit)


def test_a_meter_without_limit_shows_the_number_alone() -> None:
    html = render('{% meter "Members" 4 None %}')
    assert "<svg" not in html
    assert ">4<" in html


def test_text_from_people_is_escaped_in_charts() -> None:
    html = render("{% sparkline values label %}", values=[1, 2], label='"><script>')
    assert "<script>" not in html
