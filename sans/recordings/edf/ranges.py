"""The physical and digital range of an EDF signal, in fields of 8 characters.

They say what gain and baseline are: the physical values of two integers. Such integers are looked
for whose values are decimals that the fields hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from sans.errors import DatasetError

WIDTH = 8
"""Characters of a field."""

LOWEST, HIGHEST = 1 - 10 ** (WIDTH - 1), 10**WIDTH - 1
"""The least and the greatest number of a field."""

_CANDIDATES = 1 << 9  # integers that are tried from either end


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

    fitting = sorted(end * scale + zero for end in (LOWEST, HIGHEST))
    lowest, highest = max(limits[0], math.ceil(fitting[0])), min(limits[1], math.floor(fitting[1]))
    if not lowest <= ends[0] <= ends[1] <= highest:
        worst = max(map(value, ends), key=abs)
        raise DatasetError(f"values such as {float(worst):g} are too large for its fields")
    lows = range(lowest, min(ends[0], highest - 1) + 1)
    highs = range(highest, max(ends[1], lowest + 1) - 1, -1)
    first, step = _decimals(scale, zero)
    if step:
        low, high = (_first_that_fits(each, first, step, value) for each in (lows, highs))
        if low is not None and high is not None and low < high:
            return Range((low, high), (exact_text(value(low)), exact_text(value(high))), exact=True)

    def off(integer: int) -> Fraction:
        return abs(Fraction(near_text(value(integer))) - value(integer))

    low = min(lows[:_CANDIDATES], key=off)
    high = min(highs[: min(_CANDIDATES, highest - low)], key=off)
    texts = near_text(value(low)), near_text(value(high))
    if float(texts[0]) == float(texts[1]):
        raise DatasetError(f"values such as {float(value(high)):g} are too small for its fields")
    return Range((low, high), texts, exact=False)


def _decimals(scale: Fraction, zero: Fraction) -> tuple[int, int]:
    """Return one integer whose value is a decimal of few places, and the step to all others.

    They are the solutions of a linear congruence; the step is 0 if there is none.
    """
    places = 10 ** (WIDTH - 2)
    factor = zero.denominator * scale.denominator * places
    modulus = abs(zero.denominator * scale.numerator)
    wanted = zero.numerator * scale.denominator * places
    common = math.gcd(factor, modulus)
    if wanted % common:
        return 0, 0
    step = modulus // common
    return wanted // common * pow(factor // common, -1, step) % step, step


def _first_that_fits(
    integers: range, first: int, step: int, value: Callable[[int], Fraction]
) -> int | None:
    """Return the first integer whose value a field holds, of those that are decimals."""
    begin = integers.start + (first - integers.start) * integers.step % step * integers.step
    for integer in range(begin, integers.stop, step * integers.step)[:_CANDIDATES]:
        if exact_text(value(integer)):
            return integer
    return None


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
