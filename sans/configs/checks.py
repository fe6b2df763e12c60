"""What the configurations check of their values."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from operator import index
from typing import Any

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


def check_name(kind: str, name: str, known: Collection[str]) -> None:
    """Raise a ValueError that names the nearest of `known` unless `name` is one of them."""
    if name in known:
        return
    near = get_close_matches(name, known, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
    raise ValueError(f"there is no {kind} {name!r}; {hint}")
