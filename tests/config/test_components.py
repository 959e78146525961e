"""Tags of the components: icons, badges, times, form fields."""

from __future__ import annotations

import datetime

import pytest
from django import forms
from django.template import engines
from django.utils import timezone
from lucide import IconDoesNotExist

from config.navigation import PLACES
from config.templatetags.components import (
    STATUSES,
    duration,
    icon_svg,
    initials,
    monogram,
    relative_time,
    status_badge,
)


def test_every_icon_that_is_named_exists() -> None:
    names = [icon for _, _, icon in STATUSES.values()] + [place.icon for group in PLACES for place in group]
    assert all('aria-hidden="true"' in icon_svg(name) for name in names)


def test_an_icon_that_does_not_exist_is_an_error_at_once() -> None:
    with pytest.raises(IconDoesNotExist):
        icon_svg("no-such-icon")


def test_a_badge_says_its_status_in_words() -> None:
    assert "Timed out" in status_badge("TIMEOUT")
    assert "danger" in status_badge("TIMEOUT")


def test_a_status_nobody_named_yet_is_still_readable() -> None:
    assert "Half done" in status_badge("HALF_DONE")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5, "just now"),
        (-5, "in a moment"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (-180, "in 3 minutes"),
    ],
)
def test_times_read_as_people_say_them(seconds: int, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.datetime(2026, 3, 2, 10, 0, tzinfo=datetime.UTC)
    monkeypatch.setattr(timezone, "now", lambda: now)
    html = relative_time(now - datetime.timedelta(seconds=seconds))
    assert f">{text}</time>" in html
    assert "data-relative" in html


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(None, "–"), (850, "850 ms"), (12_400, "12.4 s"), (185_000, "3 min 5 s"), (7_800_000, "2 h 10 min")],
)
def test_durations_fit_their_size(milliseconds: int | None, text: str) -> None:
    assert duration(milliseconds) == text


@pytest.mark.parametrize(
    ("name", "text"), [("Mara Linden", "ML"), ("Alder", "A"), ("mara@alder.test", "ma"), ("", "")]
)
def test_initials_are_at_most_two_letters(name: str, text: str) -> None:
    assert initials(name) == text


class Signup(forms.Form):
    email = forms.EmailField(help_text="We write here.")
    note = forms.CharField(required=False)


def test_a_wrong_field_points_at_its_error_and_its_help() -> None:
    html = str(Signup({"email": "nope"}))
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_email_helptext id_email_error"' in html
    assert 'id="id_email_error"' in html
    assert 'id="id_email_helptext"' in html


def test_a_field_that_may_stay_empty_says_so_in_words() -> None:
    html = str(Signup())
    assert html.count("(optional)") == 1


def test_a_toast_escapes_what_it_says() -> None:
    html = (
        engines["django"]
        .from_string('{% include "components/toast.html" with text=text %}')
        .render({"text": "<b>x"})
    )
    assert "&lt;b&gt;x" in html


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Slack", "Sl"),
        ("PayPal", "PP"),
        ("Microsoft Teams", "MT"),
        ("Kit (ConvertKit)", "Ki"),
        ("E-mail (SMTP and IMAP)", "Em"),
        ("monday.com", "Mo"),
        ("", "?"),
    ],
)
def test_a_monogram_tells_services_apart(name: str, letters: str) -> None:
    assert monogram(name) == letters
