"""Geometry of the server-rendered SVG charts: numbers in, coordinates out. No HTML here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 640.0
HEIGHT = 200.0
LEFT = 36.0  # room for the numbers of the vertical axis
BOTTOM = 22.0  # room for the labels of the horizontal axis
TOP = 8.0
MAXIMUM_LABELS = 8
TONES = ("accent", "warm", "info", "success", "danger", "neutral", "warning")


@dataclass(frozen=True)
class Series:
    """One row of numbers. values: one per label of the chart; None leaves a gap. tone: one of TONES."""

    name: str
    values: Sequence[float | None]
    tone: str = "accent"


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    tone: str
    title: str


def nice_ceiling(value: float) -> float:
    """Return a round number not below value whose quarters, the grid lines, are round as well; at least 4."""
    if value <= 4:
        return 4.0
    power = 10.0 ** math.floor(math.log10(value))
    steps = {1.0: (8, 12), 10.0: (1.2, 1.6, 2, 4, 6, 8, 12)}.get(power, (1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10))
    return next(round(step * power) for step in steps if step * power >= value)


def scale_y(value: float, ceiling: float) -> float:
    """Return the vertical coordinate of a value between 0 (bottom of the plot) and ceiling (top)."""
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / ceiling), 2)


def ticks(ceiling: float) -> list[tuple[float, str]]:
    """Return the five grid lines as (y, number to print)."""
    return [(scale_y(ceiling * part / 4, ceiling), short_number(ceiling * part / 4)) for part in range(5)]


def short_number(value: float) -> str:
    """Return a number in at most five characters: 950, 1.2k, 3M."""
    for size, suffix in ((1_000_000, "M"), (1_000, "k")):
        if abs(value) >= size:
            return f"{value / size:.1f}".removesuffix(".0") + suffix
    return f"{value:.1f}".removesuffix(".0")


def label_positions(labels: Sequence[str]) -> list[tuple[float, str]]:
    """Return (x, label) for evenly chosen labels, few enough not to collide."""
    slot = (WIDTH - LEFT) / max(len(labels), 1)
    every = max(1, math.ceil(len(labels) / MAXIMUM_LABELS))
    return [
        (round(LEFT + slot * (index + 0.5), 2), label)
        for index, label in enumerate(labels)
        if index % every == 0
    ]


def stacked_bars(labels: Sequence[str], series: Sequence[Series]) -> tuple[list[Bar], float]:
    """Return the bars of every label, series stacked from the bottom, and the ceiling of the axis."""
    totals = [sum(one.values[index] or 0 for one in series) for index in range(len(labels))]
    ceiling = nice_ceiling(max(totals, default=0))
    slot = (WIDTH - LEFT) / max(len(labels), 1)
    width = min(36.0, slot * 0.64)
    bars = []
    for index, label in enumerate(labels):
        base = 0.0
        for one in series:
            value = one.values[index] or 0
            if not value:
                continue
            top, bottom = scale_y(base + value, ceiling), scale_y(base, ceiling)
            x = round(LEFT + slot * index + (slot - width) / 2, 2)
            title = f"{label}: {one.name} {value:g}"
            bars.append(Bar(x, top, round(width, 2), round(bottom - top, 2), one.tone, title))
            base += value
    return bars, ceiling


def points(values: Sequence[float | None], ceiling: float) -> list[tuple[float, float]]:
    """Return the coordinates of one line, gaps left out."""
    slot = (WIDTH - LEFT) / max(len(values), 1)
    return [
        (round(LEFT + slot * (index + 0.5), 2), scale_y(value, ceiling))
        for index, value in enumerate(values)
        if value is not None
    ]


def polyline(coordinates: Sequence[tuple[float, float]]) -> str:
    """Return coordinates as SVG's points attribute."""
    return " ".join(f"{x:g},{y:g}" for x, y in coordinates)


def sparkline_points(values: Sequence[float], width: float = 96, height: float = 24) -> str:
    """Return the points of a small line without axes, 2 units clear of the edges."""
    if not values:
        return ""
    low, high = min(values), max(values)
    spread = (high - low) or 1
    step = (width - 4) / max(len(values) - 1, 1)
    return polyline(
        [
            (round(2 + step * index, 2), round(height - 2 - (height - 4) * (value - low) / spread, 2))
            for index, value in enumerate(values)
        ]
    )
