"""Template tags that draw charts as SVG on the server, each with its numbers in a table behind it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config import charts

register = template.Library()
_ids = itertools.count(1)

Rows = Sequence[charts.Series] | Sequence[Mapping[str, Any]]


@register.inclusion_tag("components/chart.html")
def bar_chart(title: str, labels: Sequence[str], series: Rows, unit: str = "") -> dict[str, Any]:
    """`{% bar_chart _("Runs per day") days series %}`: stacked bars.

    series: charts.Series, or dicts with name, values and tone; values stand in the order of labels.
    """
    rows = _series(series)
    bars, ceiling = charts.stacked_bars(labels, rows)
    return _frame(title, labels, rows, ceiling, unit) | {"bars": bars}


@register.inclusion_tag("components/chart.html")
def line_chart(title: str, labels: Sequence[str], series: Rows, unit: str = "") -> dict[str, Any]:
    """`{% line_chart _("Success rate") days series %}`: one line per series; None in values leaves a gap."""
    rows = _series(series)
    ceiling = charts.nice_ceiling(max((value or 0 for row in rows for value in row.values), default=0))
    lines = []
    for row in rows:
        coordinates = charts.points(row.values, ceiling)
        if not coordinates:
            continue
        base = charts.scale_y(0, ceiling)
        closed = [(coordinates[0][0], base), *coordinates, (coordinates[-1][0], base)]
        lines.append(
            {
                "points": charts.polyline(coordinates),
                "area": charts.polyline(closed) if len(rows) == 1 else "",
                "last": coordinates[-1],
                "tone": row.tone,
            }
        )
    return _frame(title, labels, rows, ceiling, unit) | {"lines": lines}


@register.simple_tag
def sparkline(values: Sequence[float], label: str, tone: str = "accent") -> SafeString:
    """`{% sparkline workflow.recent_runs _("Runs in the last 14 days") %}`: a small line; label says it in words."""
    return format_html(
        '<svg class="sparkline series-{}" viewBox="0 0 96 24" role="img" aria-label="{}">'
        '<polyline class="chart-line" points="{}"/></svg>',
        tone,
        f"{label}: {', '.join(f'{value:g}' for value in values)}",
        charts.sparkline_points(values),
    )


@register.inclusion_tag("components/meter.html")
def meter(label: str, value: float, maximum: float | None, text: str = "", note: str = "") -> dict[str, Any]:
    """`{% meter _("Runs this month") used limit text=_("812 of 1,000") %}`: how much of an allowance is used.

    maximum None means without limit. The tone warns from 80 % and alarms from 100 %.
    """
    share = min(1.0, value / maximum) if maximum else 0.0
    tone = "danger" if maximum and value >= maximum else "warning" if share >= 0.8 else "accent"
    return {
        "label": label,
        "value": value,
        "maximum": maximum,
        "text": text or (f"{_grouped(value)} / {_grouped(maximum)}" if maximum else _grouped(value)),
        "note": note,
        "width": f"{share * 100:.2f}",
        "tone": tone,
    }


def _series(series: Rows) -> list[charts.Series]:
    return [row if isinstance(row, charts.Series) else charts.Series(**row) for row in series]


def _frame(
    title: str, labels: Sequence[str], rows: list[charts.Series], ceiling: float, unit: str
) -> dict[str, Any]:
    return {
        "id": f"chart-{next(_ids)}",
        "title": title,
        "unit": unit,
        "series": rows,
        "labels": charts.label_positions(labels),
        "ticks": charts.ticks(ceiling),
        "table": [(label, [row.values[index] for row in rows]) for index, label in enumerate(labels)],
        "width": charts.WIDTH,
        "height": charts.HEIGHT,
        "left": charts.LEFT,
        "axis_y": charts.HEIGHT - 5,
    }


def _grouped(value: float) -> str:
    """Return a figure as people write it here: 50,000."""
    whole = float(value).is_integer()
    return number_format(int(value) if whole else value, use_l10n=True, force_grouping=True)
