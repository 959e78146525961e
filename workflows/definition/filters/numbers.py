"""Filters on numbers: arithmetic, rounding, and how numbers and money are written."""

import math
import operator as operators
from collections.abc import Callable
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from workflows.definition.filters.bounds import (
    FilterRefused,
    FilterTable,
    count_of,
    number_of,
    text_of,
    whole,
)
from workflows.definition.wording import gettext as _

Number = int | float
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "CN¥", "INR": "₹", "KRW": "₩", "BRL": "R$"}
WITHOUT_CENTS = {"JPY", "KRW", "CLP", "VND", "ISK", "HUF"}


def _exact(value: Number) -> Decimal:
    return Decimal(str(value))


def _result(value: Decimal) -> float:
    """Return the number, worked out in decimals, so that 0.1 + 0.2 is 0.3."""
    if not value.is_finite() or (value and not -330 < value.adjusted() < 60):
        raise FilterRefused(_("the result is out of range"))
    return float(value)


def _calculate(operator: str, left: Any, right: Any) -> Number:
    a, b = number_of(left), number_of(right)
    if operator in {"divided_by", "modulo"} and b == 0:
        raise FilterRefused(_("a number cannot be divided by zero"))
    if isinstance(a, int) and isinstance(b, int):
        return whole(_WHOLE[operator](a, b))
    if max(abs(a), abs(b)) > 1e60:
        raise FilterRefused(_("the number is out of range"))
    return _result(_DECIMAL[operator](_exact(a), _exact(b)))


_WHOLE: dict[str, Callable[[int, int], int]] = {
    "plus": operators.add, "minus": operators.sub, "times": operators.mul, "divided_by": operators.floordiv,
    "modulo": operators.mod,
}  # fmt: skip
_DECIMAL: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "plus": operators.add, "minus": operators.sub, "times": operators.mul, "divided_by": operators.truediv,
    "modulo": lambda a, b: a - b * (a / b).to_integral_value(rounding=ROUND_FLOOR),
}  # fmt: skip


def _round(value: Any, places: Any = 0) -> Number:
    digits = min(max(count_of(places), 0), 15)
    number = number_of(value)
    if isinstance(number, int):
        return number
    if abs(number) > 1e15:
        return int(number) if digits == 0 else number
    rounded = _exact(number).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return int(rounded) if digits == 0 else float(rounded)


def format_number(value: Any, decimals: Any = None, thousands: Any = ",", point: Any = ".") -> str:
    """Return a number with grouped thousands: 1234567.5 gives "1,234,567.50" with two decimals."""
    number = number_of(value)
    exact = _exact(number)
    if decimals is not None:
        places = min(max(count_of(decimals), 0), 15)
        if abs(number) < 1e15:
            exact = exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
        plain = f"{exact:,.{places}f}"
    else:
        plain = f"{exact:,f}"
    return plain.translate({ord(","): text_of(thousands)[:3], ord("."): text_of(point)[:3]})


def _currency(value: Any, code: Any = "USD", decimals: Any = None) -> str:
    name = text_of(code).upper()
    if len(name) != 3 or not name.isalpha() or not name.isascii():
        raise FilterRefused(_("a currency is written with three letters, like EUR"))
    places = (0 if name in WITHOUT_CENTS else 2) if decimals is None else decimals
    amount = format_number(value, places)
    sign, digits = ("-", amount[1:]) if amount.startswith("-") else ("", amount)
    symbol = SYMBOLS.get(name)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits} {name}"


def _integer(value: Any) -> int:
    return whole(math.trunc(number_of(value)))


FILTERS: FilterTable = {
    "abs": lambda value: abs(number_of(value)),
    "at_least": lambda value, low: max(number_of(value), number_of(low)),
    "at_most": lambda value, high: min(number_of(value), number_of(high)),
    "ceil": lambda value: whole(math.ceil(number_of(value))),
    "floor": lambda value: whole(math.floor(number_of(value))),
    "round": _round,
    "plus": lambda value, other: _calculate("plus", value, other),
    "minus": lambda value, other: _calculate("minus", value, other),
    "times": lambda value, other: _calculate("times", value, other),
    "divided_by": lambda value, other: _calculate("divided_by", value, other),
    "modulo": lambda value, other: _calculate("modulo", value, other),
    "to_number": number_of,
    "to_integer": _integer,
    "format_number": format_number,
    "currency": _currency,
}
