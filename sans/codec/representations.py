"""Stored samples of any type as whole numbers, and back to the last bit.

========== =====================================================================================
whole      integers stand for themselves
decimal    floating-point numbers that are whole numbers over a power of ten, as text mostly holds
multiple   floating-point numbers, rounded to multiples of a quantum: where loss is allowed
pattern    anything else: the bits as they are
========== =====================================================================================

A missing sample is the storage format's invalid value, or NaN; it is kept apart, in a mask.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.codec.masks import Mask

Array = NDArray[Any]
Integers = NDArray[np.int64]

WHOLE, DECIMAL, MULTIPLE, PATTERN = range(4)

DIGITS = 10
"""Decimal places that are tried, at most."""

END = 1 << 33
"""Whole numbers are below this in magnitude."""


class Integral(NamedTuple):
    """Samples as whole numbers."""

    kind: int
    """`WHOLE`, `DECIMAL` or `MULTIPLE`."""

    digits: int
    """Decimal places of a `DECIMAL`."""

    numbers: Integers
    """``(samples,)``; at missing samples, anything."""

    mask: Mask
    """``(samples,)``: which samples are missing."""


def to_whole(samples: Array, missing: int | None, quantum: float = 0.0) -> Integral | None:
    """Return samples as whole numbers, or nothing if only their bits will do.

    Args:
        samples: of any type of integer or floating-point number, ``(samples,)``.
        missing: the integer that stands for a missing sample, if there is one.
        quantum: what floating-point numbers are rounded to multiples of; 0: they are kept exactly.
    """
    if samples.dtype.kind in "iu":
        mask = samples == missing if missing is not None else np.zeros(len(samples), np.bool_)
        if samples.dtype.itemsize == 8 and len(samples) and not _small(samples, mask):
            return None
        return Integral(WHOLE, 0, samples.astype(np.int64), mask)
    mask = np.isnan(samples)
    if quantum:
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = np.rint(np.where(mask, 0, samples).astype(np.float64) / quantum)
        if len(numbers) and not np.abs(numbers).max() < END:
            return None
        return Integral(MULTIPLE, 0, numbers.astype(np.int64), mask)
    return _decimal(samples, mask)


def from_whole(
    whole: Integral, dtype: np.dtype[Any], missing: int | None, quantum: float = 0.0
) -> Array:
    """Return the samples that `to_whole` made whole numbers of, or what is left of them."""
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        numbers = whole.numbers
        if dtype != np.uint64:
            numbers = np.clip(numbers, limits.min, limits.max)
        else:
            numbers = np.maximum(numbers, 0)
        samples = numbers.astype(dtype)
        if missing is not None:
            # A sample that is there must not look as if it were not, whatever was lost.
            samples[samples == missing] = missing + (1 if missing < limits.max else -1)
            samples[whole.mask] = missing
        return samples
    if whole.kind == MULTIPLE:
        values = whole.numbers * np.float64(quantum)
    else:
        values = whole.numbers / np.float64(10**whole.digits)
    with np.errstate(over="ignore"):
        samples = values.astype(dtype)
    samples[whole.mask] = np.nan
    return samples


def _small(samples: Array, mask: Mask) -> bool:
    seen = samples[~mask]
    return not len(seen) or (int(seen.min()) > -END and int(seen.max()) < END)


def _decimal(samples: Array, mask: Mask) -> Integral | None:
    """Return floating-point numbers as whole numbers over a power of ten, if all of them are."""
    probe = slice(0, 256)
    for digits in range(DIGITS + 1):
        if _as_decimal(samples[probe], mask[probe], digits) is not None:
            found = _as_decimal(samples, mask, digits)
            if found is not None:
                return found
    return None


def _as_decimal(samples: Array, mask: Mask, digits: int) -> Integral | None:
    with np.errstate(over="ignore", invalid="ignore"):
        numbers = np.rint(np.where(mask, 0, samples).astype(np.float64) * 10**digits)
    if len(numbers) and not np.abs(numbers).max() < END:
        return None
    whole = Integral(DECIMAL, digits, numbers.astype(np.int64), mask)
    again = from_whole(whole, samples.dtype, None)
    return whole if again.tobytes() == samples.tobytes() else None
