"""What the configurations check of their values."""

from __future__ import annotations

from collections.abc import Iterable
from operator import index
from typing import Any

from sans.names import check_name as check_name

LARGEST = 2**63
"""Sizes, counts and seeds lie below this, as the integers of numpy and torch do."""


def integers(name: str, values: Iterable[Any]) -> tuple[int, ...]:
    """Return `values` as Python integers, numpy's too.

    Raises:
        TypeError: if one of them is not a whole number.
        ValueError: if one of them is not below `LARGEST`.
    """
    values = tuple(values)
    if any(isinstance(value, bool) or not hasattr(value, "__index__") for value in values):
        raise TypeError(f"{name} must be integers, not {list(values)}")
    if any(abs(value) >= LARGEST for value in values):
        raise ValueError(f"{name} must be below {LARGEST}, not {list(values)}")
    return tuple(index(value) for value in values)
