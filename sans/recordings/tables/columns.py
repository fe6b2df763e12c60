"""Columns of decimal numbers in text: which integers or floats they are, and the text again.

A column whose cells are plain decimals, such as 1.25, is scaled to integers. Its text is restored
to the letter if all cells have as many decimals, or none ends in a zero that others do without. Any
other column is float64, restored to the letter where one of a few ways to write floats gives all
its cells. Of others `Survey` tells that their texts must be kept.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHORTEST = "r"
"""Python's shortest text of a float."""

_PLAIN = re.compile(r"(?:-?(?:0|[1-9]\d*)(?:\.\d+)?\n)*", re.ASCII)
_DECIMALS = re.compile(r"(?:\.(\d+))?\n", re.ASCII)
_LOOSE = re.compile(r"(?:[-+]?(?:\d{1,999}(?:\.\d*)?|\.\d+)\n)*", re.ASCII)  # int() takes no more
_LOOSE_DECIMALS = re.compile(r"(?:\.(\d*))?\n", re.ASCII)
_NEGATIVE_ZERO = re.compile(r"^-[0.]+$", re.MULTILINE)
_NUMBER = re.compile(
    r"[-+]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?|inf|infinity|nan)", re.ASCII | re.IGNORECASE
)
_FLOAT = re.compile(r"-?\d+(?:\.(\d*))?(?:([eE])[-+]\d\d+)?", re.ASCII)
_STYLE = re.compile(r"r|\.\d{1,3}[eEf]", re.ASCII)
_LARGEST = 2**62
_HUGE = 2.0**61
_SURE = 2.0**49
"""Up to which integers scaled by a power of ten are told apart by floats, and by their decimals."""

_ZEROS = re.compile(r"\.?0+$", re.MULTILINE)
_WHOLE = range(-(2**63), 2**63)
MISSING = ("", "nan", "na", "n/a", "null", "none", "-", "--", "?")
"""What programs write where there is no sample, in small letters."""

LONGEST_MISSING = 4
"""Letters of what a column writes where there is no sample, at most."""

_MOST_DECIMALS = 18
_TYPES = ("i1", "<i2", "<i4", "<i8")


@dataclass(frozen=True, slots=True)
class Column:
    """How the cells of a column are written."""

    dtype: str
    """Type of its samples: a signed integer, or "<f8"."""

    decimals: int = 0
    """The power of ten that integers are multiplied by."""

    fewest: int = 0
    """Decimals that every cell of integers has, zeros or not; no further zeros are written."""

    style: str = SHORTEST
    """How floats are written: `SHORTEST`, or a format such as ".3e"."""

    missing: str = "nan"
    """The text that stands for no sample, in a column of floats."""

    def __post_init__(self) -> None:
        decimals = (self.decimals, self.fewest)
        texts = all(isinstance(text, str) for text in (self.dtype, self.style, self.missing))
        if not texts or not all(type(value) is int for value in decimals):
            raise TypeError(f"no column is like {self}")
        if self.dtype not in (*_TYPES, "<f8") or not _STYLE.fullmatch(self.style):
            raise ValueError(f"no column is of the type {self.dtype!r}, style {self.style!r:.40}")
        if (
            not 0 <= self.fewest <= self.decimals <= _MOST_DECIMALS
            or len(self.missing) > LONGEST_MISSING
        ):
            raise ValueError(f"no column has {self.fewest} to {self.decimals} decimals")

    def parse(self, cells: Sequence[str]) -> NDArray[Any]:
        """Return the samples of some cells."""
        if self.dtype == "<f8":
            return np.array(to_floats(cells), self.dtype)
        values = np.fromiter(map(float, cells), np.float64, len(cells)) * 10.0**self.decimals
        if np.abs(values).max(initial=0.0) < min(_SURE, np.iinfo(self.dtype).max):
            return np.rint(values).astype(self.dtype)
        return np.array([self._scale(cell) for cell in cells], self.dtype)

    def render(self, samples: NDArray[Any]) -> list[str]:
        """Return the cells of some samples."""
        if self.dtype == "<f8":
            return self._write_floats(samples)
        if self.decimals == 0:
            return list(map(str, samples.tolist()))
        if np.abs(samples.astype(np.float64)).max(initial=0.0) < _SURE:
            text = _formatted(f".{self.decimals}f", samples / 10.0**self.decimals)
            return self._trim(text).split("\n")[:-1]
        return [self._write(value) for value in samples.tolist()]

    def _scale(self, cell: str) -> int:
        whole, _, decimals = cell.partition(".")
        return int(whole + decimals.ljust(self.decimals, "0"))

    def _write(self, value: int) -> str:
        digits = str(abs(value)).rjust(self.decimals + 1, "0")
        cell = f"{'-' if value < 0 else ''}{digits[: -self.decimals]}.{digits[-self.decimals :]}"
        return self._trim(cell + "\n")[:-1]

    def _trim(self, text: str) -> str:
        """Return lines without the zeros at their ends that are not written."""
        if self.fewest == self.decimals:
            return text
        if self.fewest == 0:
            return _ZEROS.sub("", text)
        return re.sub(rf"(\.\d{{{self.fewest}}}\d*?)0+$", r"\1", text, flags=re.MULTILINE)

    def _write_floats(self, samples: NDArray[Any]) -> list[str]:
        if self.style == SHORTEST:
            cells = list(map(repr, samples.tolist()))
        else:
            cells = _formatted(self.style, samples).split("\n")[:-1]
        for place in np.flatnonzero(np.isnan(samples)).tolist():
            cells[place] = self.missing
        return cells


def _formatted(style: str, values: NDArray[Any]) -> str:
    """Return numbers as lines."""
    return f"%{style}\n" * len(values) % tuple(values.tolist())


def is_number(cell: str) -> bool:
    """Return whether a cell is a number, inf or nan."""
    return _NUMBER.fullmatch(cell) is not None


def to_floats(cells: Sequence[str]) -> list[float]:
    """Return the numbers in some cells; NaN for an empty one."""
    try:
        return list(map(float, cells))
    except ValueError:
        return [float(cell) if cell else math.nan for cell in cells]


def only_numbers(cells: Sequence[str]) -> list[str]:
    """Return cells with an empty one for each that holds no number."""
    return [cell if is_number(cell) else "" for cell in cells]


def _all_floats(cells: Sequence[str]) -> list[float] | None:
    """Return the numbers in some cells, or None if one may be no number."""
    text = "".join(cells)
    if "_" in text or not (text.isascii() and text.isprintable()):  # float() takes more than is one
        return None
    try:
        return to_floats(cells)
    except ValueError:
        return None


class Survey:
    """Collects what is common to the cells of a column, then tells how they are written."""

    def __init__(self) -> None:
        self.odd = False
        """Whether there may be cells that are no numbers, and not empty."""
        self.same = True
        """Whether integers give again the text that they are read from."""
        self._numbers = self._words = 0
        self._plain = True
        self._low = self._high = 0.0
        self._huge = [0, 0]
        self._decimals: set[int] = set()
        self._zeros: set[int] = set()
        self._first: str | None = None
        self._missing: str | None = None

    def add(self, cells: Sequence[str]) -> None:
        """Take some cells, without what stands around their numbers."""
        text = "\n".join(cells) + "\n" if self._plain else ""
        strict = self._plain and _PLAIN.fullmatch(text)
        loose = strict or (self._plain and _LOOSE.fullmatch(text))
        self._plain = bool(loose) and not _NEGATIVE_ZERO.search(text)
        if self._plain:
            self.same = self.same and bool(strict)
            self._add_plain(cells, text, _DECIMALS if strict else _LOOSE_DECIMALS)
        else:
            self._add_floats(cells)

    def is_text(self) -> bool:
        """Return whether the column has more words than numbers."""
        return self._words > self._numbers

    def _add_floats(self, cells: Sequence[str]) -> None:
        values = _all_floats(cells)
        if values is None:
            self.odd = True
            self._add_words(cells)
            return
        missing = np.isnan(np.array(values))
        self._numbers += len(cells) - int(missing.sum())
        if self._missing is None and missing.any():
            self._missing = cells[int(missing.argmax())]
        if self._first is None and not missing.all():
            self._first = cells[int(missing.argmin())]

    def _add_words(self, cells: Sequence[str]) -> None:
        for cell in cells:
            number = is_number(cell)
            if number and not math.isnan(float(cell)):
                self._first = cell if self._first is None else self._first
                self._numbers += 1
                continue
            self._missing = cell if self._missing is None else self._missing
            if not number and cell.lower() not in MISSING:
                self._words += 1

    def _add_plain(self, cells: Sequence[str], text: str, pattern: re.Pattern[str]) -> None:
        self._first = self._first or cells[0]
        self._numbers += len(cells)
        values = np.array(list(map(float, cells)))
        low, high = float(values.min()), float(values.max())
        self._low, self._high = min(self._low, low), max(self._high, high)
        if "." not in text:
            self._decimals.add(0)
            if (size := max(-low, high)) >= _HUGE:  # where floats are too coarse to tell what fits
                whole = list(map(int, cells)) if size < 8 * _HUGE else [_WHOLE.stop]
                self._huge = [min(*whole, self._huge[0]), max(*whole, self._huge[1])]
            return
        found = pattern.findall(text)
        decimals = set(map(len, found))
        self._decimals |= decimals
        if "0\n" in text:
            mixed = len(decimals) > 1
            self._zeros |= {len(d) for d in found if d[-1:] == "0"} if mixed else decimals

    def scaled(self) -> Column | None:
        """Return the column as integers, or None if its cells are not plain decimals."""
        decimals, fewest = max(self._decimals, default=0), min(self._decimals, default=0)
        if not self._plain or decimals > _MOST_DECIMALS:
            return None
        self.same = self.same and max(self._zeros, default=0) <= fewest
        size = max(-self._low, self._high) * 10.0**decimals + 1
        if size < _LARGEST:
            return Column(next(t for t in _TYPES if size < np.iinfo(t).max), decimals, fewest)
        fits = decimals == 0 and all(value in _WHOLE for value in self._huge)
        return Column("<i8") if fits else None

    def floats(self) -> list[Column]:
        """Return the ways to write the column as floats that its first cell suggests."""
        missing = self._missing
        if missing is None or len(missing) > LONGEST_MISSING:
            missing = "nan"
        styles = [SHORTEST]
        if self._first is not None and (found := _FLOAT.fullmatch(self._first)):
            style = f".{len(found[1] or '')}{found[2] or 'f'}"
            styles += [style] if _STYLE.fullmatch(style) else []
        return [Column("<f8", style=style, missing=missing) for style in styles]


def agree(column: Column, numbers: Sequence[str], cells: Sequence[str]) -> bool:
    """Return whether a column gives just these cells again, of which some are numbers."""
    return column.render(column.parse(numbers)) == cells
