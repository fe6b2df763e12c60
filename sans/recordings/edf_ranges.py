"""The physical and digital range of an EDF signal, in fields of 8 characters.

They say what gain and baseline are: the physical values of two integers. Such integers are looked
for whose values are decimals that the fields hold.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from sans.errors import DatasetError

WIDTH = 8
"""Characters of a field."""

_CANDIDATES = 1 << 17  # integers that are tried from either end
_SOME_CANDIDATES = 1 << 10  # where none is a decimal


class Range(NamedTuple):
    """A range as the header has it."""

    digital: tuple[int, int]
    """The lowest and the highest integer."""

    physical: tuple[str, str]
    """The values of both."""

    exact: bool
    """Whether they give gain and baseline exactly."""


def range_of(gain: float, baseline: float, ends: tuple[int, int], limits: tuple[int, int]) -> Range:
    """Return a range of integers that has a gain and a baseline.

    Args:
        gain: steps per unit.
        baseline: the integer of 0 units.
        ends: the lowest and the highest integer among the samples.
        limits: those that there may be.

    Raises:
        DatasetError: if the values of these integers are too large for the fields.
    """
    scale, zero = Fraction(repr(gain)), Fraction(repr(baseline))

    def value(integer: int) -> Fraction:
        return (integer - zero) / scale

    # Only multiples of this many steps can be decimals: that is found out without any fractions.
    step = zero.denominator * scale.numerator
    unit = scale.denominator * 10 ** (WIDTH - 2)

    def first(integers: range) -> int | None:
        for integer in islice(integers, _CANDIDATES):
            if (integer * zero.denominator - zero.numerator) * unit % step == 0 and exact_text(
                value(integer)
            ):
                return integer
        return None

    low = first(range(limits[0], min(ends[0], limits[1] - 1) + 1))
    high = first(range(limits[1], max(ends[1], limits[0] + 1) - 1, -1))
    if low is not None and high is not None and low < high:
        return Range((low, high), (exact_text(value(low)), exact_text(value(high))), exact=True)

    def nearest(integers: range) -> int:
        some = islice(integers, _SOME_CANDIDATES)
        return min(some, key=lambda i: abs(Fraction(near_text(value(i))) - value(i)))

    low = nearest(range(limits[0], min(ends[0], limits[1] - 1) + 1))
    high = nearest(range(limits[1], max(ends[1], low + 1) - 1, -1))
    texts = near_text(value(low)), near_text(value(high))
    if float(texts[0]) == float(texts[1]):
        raise DatasetError(f"values such as {float(value(high)):g} are too small for its fields")
    return Range((low, high), texts, exact=False)


def range_around(low: float, high: float, limits: tuple[int, int]) -> Range:
    """Return the range of numbers between two ends, with all integers that there may be.

    Raises:
        DatasetError: if the numbers are too large for the fields.
    """
    texts = near_text(Fraction(low), -1), near_text(Fraction(high), 1)
    if float(texts[0]) == float(texts[1]):
        texts = texts[0], near_text(Fraction(texts[0]) + 1, 1)
    return Range(limits, texts, exact=False)


def exact_text(value: Fraction) -> str:
    """Return a number in a field; "" if it has too many digits."""
    for places in range(WIDTH - 1):
        scaled = value * 10**places
        if scaled.denominator == 1:
            text = _text(scaled.numerator, places)
            return text if len(text) <= WIDTH else ""
    return ""


def near_text(value: Fraction, rounded: int = 0) -> str:
    """Return the number next to one that a field holds; below it, or above, if `rounded` says so.

    Raises:
        DatasetError: if it is too large for the field.
    """
    for places in range(WIDTH - 2, -1, -1):
        scaled = value * 10**places
        near = {0: round(scaled), -1: math.floor(scaled), 1: math.ceil(scaled)}[rounded]
        if len(text := _text(near, places)) <= WIDTH:
            return text
    raise DatasetError(f"values such as {float(value):g} are too large for its fields")


def _text(scaled: int, places: int) -> str:
    digits = str(abs(scaled)).rjust(places + 1, "0")
    cut = len(digits) - places
    decimals = digits[cut:].rstrip("0")
    return ("-" if scaled < 0 else "") + digits[:cut] + (f".{decimals}" if decimals else "")
