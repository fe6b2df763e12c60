"""Units as recordings spell them: which are the same, but for a power of ten or a factor of time.

Prefixes of the SI are told apart by their case (mV is no MV); a small v is a volt all the same, as
µ and μ are u. Units that are not listed here are the same where their letters are.
"""

from __future__ import annotations

import re
from fractions import Fraction

_PREFIXES = {
    "p": -12, "n": -9, "u": -6, "m": -3, "c": -2, "d": -1, "": 0, "h": 2, "k": 3, "M": 6, "G": 9,
}  # fmt: skip

_BASES = ("V", "A", "Pa", "Hz", "T", "S", "W", "J", "N", "Ohm", "mol", "rad", "m", "s", "g", "l")

_SPELLINGS = {
    "mmhg": "mmHg",
    "cmh2o": "cmH2O",
    "bpm": "bpm",
    "beats/min": "bpm",
    "%": "%",
    "percent": "%",
    "per cent": "%",
    "pct": "%",
    "degc": "degC",
    "deg c": "degC",
    "°c": "degC",
    "celsius": "degC",
}
"""Units without prefixes, by their small letters."""

_WORDS = {"pico": "p", "nano": "n", "micro": "u", "milli": "m", "centi": "c", "kilo": "k", "": ""}
_NAMES = {"volt": "V", "ampere": "A", "pascal": "Pa", "hertz": "Hz", "tesla": "T", "second": "s"}
_SPELLED = re.compile(f"({'|'.join(_WORDS)})({'|'.join(_NAMES)})s?", re.IGNORECASE)

_TIMES: dict[str, int | Fraction] = {
    "sec": 1,
    "secs": 1,
    "msec": Fraction(1, 1000),
    "usec": Fraction(1, 1_000_000),
    "min": 60,
    "mins": 60,
    "minute": 60,
    "minutes": 60,
    "h": 3600,
    "hour": 3600,
    "hours": 3600,
}
"""Units of time that are none of the SI's, in seconds, by their small letters."""


def factor(unit: str, other: str) -> Fraction | None:
    """Return how many of another unit one of a unit is; None where they measure different things.

    Args:
        unit: such as "mV".
        other: such as "µV", of which that is 1000.
    """
    (base, size), (other_base, other_size) = _parsed(unit), _parsed(other)
    return size / other_size if base == other_base else None


def seconds(unit: str) -> Fraction | None:
    """Return how many seconds a unit of time is; None of any other."""
    return factor(unit, "s")


def _parsed(unit: str) -> tuple[str, Fraction]:
    """Return what a unit measures, and its size."""
    text = " ".join(unit.replace("µ", "u").replace("μ", "u").split())
    small = text.casefold()
    if small in _SPELLINGS:
        return _SPELLINGS[small], Fraction(1)
    if small in _TIMES:
        return "s", Fraction(_TIMES[small])
    if spelled := _SPELLED.fullmatch(text):
        text = _WORDS[spelled[1].lower()] + _NAMES[spelled[2].lower()]
    if text.endswith("v"):
        text = text[:-1] + "V"
    for base in _BASES:
        if text.endswith(base) and (prefix := text[: -len(base)]) in _PREFIXES:
            return base, Fraction(10) ** _PREFIXES[prefix]
    return f"? {small}", Fraction(1)
