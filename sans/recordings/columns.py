"""Columns of decimal numbers in text: which integers or floats they are, and the text again.

A column whose cells are plain decimals, such as 1.25, is scaled to integers. Its text is restored
to the letter if all cells have as many decimals, or none ends in a zero that others do without. Any
other column is float64, restored to the letter where one of a few ways to write floats gives all
its cells. Else the text reads as the same numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHORTEST = "r"
"""Python's shortest text of a float."""

_PLAIN = re.compile(r"(?:-?(?:0|[1-9]\d*)(?:\.\d+)?\n)*", re.ASCII)
_DECIMALS = re.compile(r"(?:\.(\d+))?\n", re.ASCII)
_NEGATIVE_ZERO = re.compile(r"^-0(?:\.0+)?$", re.MULTILINE)
_FLOAT = re.compile(r"-?\d+(?:\.(\d*))?(?:([eE])[-+]\d\d+)?", re.ASCII)
_STYLE = re.compile(r"r|\.\d{1,3}[eEf]", re.ASCII)
_LARGEST = 2**62
_MOST_DECIMALS = 18
_TYPES = ("i1", "<i2", "<i4", "<i8")


@dataclass(frozen=True, slots=True)
class Column:
    """How the cells of a column are written."""

    dtype: str
    """Type of its samples: a signed integer, or "<f8"."""

    decimals: int = 0
    """Of integers: the power of ten that they are multiplied by."""

    fewest: int = 0
    """Of integers: decimals that every cell has, zeros or not; further zeros are not written."""

    style: str = SHORTEST
    """Of floats: `SHORTEST`, or a format such as ".3e"."""

    missing: str = "nan"
    """Of floats: the text that stands for no sample."""

    def __post_init__(self) -> None:
        decimals = (self.decimals, self.fewest)
        texts = all(isinstance(text, str) for text in (self.dtype, self.style, self.missing))
        if not texts or not all(type(value) is int for value in decimals):
            raise TypeError(f"no column is like {self}")
        if self.dtype not in (*_TYPES, "<f8") or not _STYLE.fullmatch(self.style):
            raise ValueError(f"no column is of the type {self.dtype!r}, style {self.style!r:.40}")
        if not 0 <= self.fewest <= self.decimals <= _MOST_DECIMALS or len(self.missing) > 4:
            raise ValueError(f"no column has {self.fewest} to {self.decimals} decimals")

    def parse(self, cells: Sequence[str]) -> NDArray[Any]:
        """Return the samples of some cells."""
        if self.dtype == "<f8":
            return np.array(to_floats(cells), self.dtype)
        if self.decimals == self.fewest:
            cells = "\n".join(cells).replace(".", "").split("\n")
            return np.array(list(map(int, cells)), self.dtype)
        return np.array([self._scale(cell) for cell in cells], self.dtype)

    def render(self, samples: NDArray[Any]) -> list[str]:
        """Return the cells of some samples."""
        values = samples.tolist()
        if self.dtype == "<f8":
            return [self._write_float(value) for value in values]
        if self.decimals == 0:
            return list(map(str, values))
        return [self._write(value) for value in values]

    def _scale(self, cell: str) -> int:
        whole, _, decimals = cell.partition(".")
        return int(whole + decimals.ljust(self.decimals, "0"))

    def _write(self, value: int) -> str:
        digits = str(abs(value)).rjust(self.decimals + 1, "0")
        whole, decimals = digits[: -self.decimals], digits[-self.decimals :]
        if self.fewest < self.decimals:
            decimals = decimals.rstrip("0").ljust(self.fewest, "0")
        return f"{'-' if value < 0 else ''}{whole}{'.' if decimals else ''}{decimals}"

    def _write_float(self, value: float) -> str:
        if math.isnan(value):
            return self.missing
        return repr(value) if self.style == SHORTEST else format(value, self.style)


def is_number(cell: str) -> bool:
    """Return whether a cell is a number, inf or nan."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python reads 1_000, a table does not mean it


def to_floats(cells: Sequence[str]) -> list[float]:
    """Return the numbers in some cells; NaN for an empty one."""
    try:
        return list(map(float, cells))
    except ValueError:
        return [float(cell) if cell else math.nan for cell in cells]


class Survey:
    """Collects what is common to the cells of a column, then tells how they are written."""

    def __init__(self) -> None:
        self._plain = True
        self._low = self._high = 0.0
        self._decimals: set[int] = set()
        self._first: str | None = None
        self._missing: str | None = None

    def add(self, cells: Sequence[str]) -> int | None:
        """Take some cells, without spaces around them.

        Returns:
            The position of the first one that is no number, or None.
        """
        text = "\n".join(cells) + "\n"
        if _PLAIN.fullmatch(text) and not _NEGATIVE_ZERO.search(text):
            self._add_plain(cells, text)
            return None
        self._plain = False
        for i, cell in enumerate(cells):
            if cell and not is_number(cell):
                return i
            if not cell or math.isnan(float(cell)):
                self._missing = cell if self._missing is None else self._missing
            elif self._first is None:
                self._first = cell
        return None

    def _add_plain(self, cells: Sequence[str], text: str) -> None:
        self._first = self._first or cells[0]
        if not self._plain:
            return
        values = np.array(list(map(float, cells)))
        self._low = min(self._low, float(values.min()))
        self._high = max(self._high, float(values.max()))
        self._decimals |= set(map(len, _DECIMALS.findall(text))) if "." in text else {0}

    def scaled(self) -> Column | None:
        """Return the column as integers, or None if its cells are not plain decimals."""
        decimals, fewest = max(self._decimals, default=0), min(self._decimals, default=0)
        if not self._plain or decimals > _MOST_DECIMALS:
            return None
        size = max(-self._low, self._high) * 10.0**decimals + 1
        if size >= _LARGEST:
            return None
        return Column(next(t for t in _TYPES if size < np.iinfo(t).max), decimals, fewest)

    def floats(self) -> list[Column]:
        """Return the ways to write the column as floats that its first cell suggests."""
        missing = "nan" if self._missing is None else self._missing
        styles = [SHORTEST]
        if self._first is not None and (found := _FLOAT.fullmatch(self._first)):
            style = f".{len(found[1] or '')}{found[2] or 'f'}"
            styles += [style] if _STYLE.fullmatch(style) else []
        return [Column("<f8", style=style, missing=missing) for style in styles]


def agree(column: Column, cells: Iterable[str]) -> bool:
    """Return whether a column gives just these cells again."""
    kept = list(cells)
    return column.render(column.parse(kept)) == kept
