"""Every pair of text and ground in tokens.css meets WCAG 2.2 AA in both themes."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

TEXT = 4.5
CONTROL = 3.0  # WCAG 1.4.11: edges of fields, focus rings
GROUNDS = ["canvas", "surface", "surface-raised", "surface-sunken", "surface-hover"]
PAIRS = (
    [(text, ground, TEXT) for text in ("text", "text-muted", "accent-text", "danger") for ground in GROUNDS]
    + [(tone, f"{tone}-soft", TEXT) for tone in ("warm", "success", "warning", "danger", "info")]
    + [
        ("text", f"{tone}-soft", TEXT)
        for tone in ("accent", "warm", "success", "warning", "danger", "info", "neutral")
    ]
    + [
        ("accent-text", "accent-soft", TEXT),
        ("text-muted", "neutral-soft", TEXT),
        ("text-muted", "accent-soft", TEXT),
    ]
    + [("text-on-accent", "accent", TEXT), ("text-on-accent", "accent-hover", TEXT)]
    + [("border-strong", ground, CONTROL) for ground in ("canvas", "surface", "surface-raised")]
    + [("focus", ground, CONTROL) for ground in GROUNDS]
)


def tokens() -> dict[str, tuple[str, str]]:
    """Return each colour token as (light, dark)."""
    text = (settings.BASE_DIR / "static" / "css" / "tokens.css").read_text()
    return {
        name: (light, dark)
        for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", text)
    }


def luminance(colour: str) -> float:
    """Return the relative luminance, 0 to 1. Source: WCAG 2.2, definition of relative luminance."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "ground", "least"), PAIRS)
def test_a_pair_of_colours_can_be_told_apart(front: str, ground: str, least: float, theme: str) -> None:
    index = ("light", "dark").index(theme)
    colours = tokens()
    assert contrast(colours[front][index], colours[ground][index]) >= least


def test_black_on_white_has_the_highest_contrast() -> None:
    assert round(contrast("#000000", "#ffffff"), 2) == 21.0
