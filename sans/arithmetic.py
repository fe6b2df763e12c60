"""Arithmetic of numpy arrays and of tensors by the same lines; torch is not imported for that."""

from __future__ import annotations

import math
import sys
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

Values: TypeAlias = Any
"""A numpy array, a tensor, or a number."""


def library(values: Values) -> Any:
    """Return torch for tensors, numpy for anything else."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(values, torch.Tensor) else np


def double(values: Values) -> Values:
    """Return values in float64; a number alone is one that arrays and tensors take alike."""
    if isinstance(values, Real):
        return float(values)
    return values.double() if library(values) is not np else np.asarray(values, np.float64)


def absolute_sums(values: Values) -> Values:
    """Return the sums of absolute values of every signal, ``(batch,)``, in float64."""
    of, shape = library(values), (len(values), math.prod(values.shape[1:]))
    return of.abs(values).reshape(shape).sum(1, dtype=of.float64)


def hypot(first: Values, second: Values) -> Values:
    """Return the length of the vector (first, second)."""
    return library(first).hypot(first, second)


def decibels(ratio: Values) -> Values:
    """Return 10 log₁₀ of a ratio of powers, infinite both ways at its ends."""
    with np.errstate(divide="ignore"):
        return 10 * library(ratio).log10(ratio)


def percentage(error: Values, size: Values) -> Values:
    """Return 100 √(error / size) of sums of squares: 0 of no error, infinite of nothing but error.

    Args:
        error: Σ (x − x̂)², one for each signal or one alone.
        size: Σ (x − offset)², like `error`.
    """
    of = library(error)
    some = of.where(error == 0, 1.0, error)  # √ has no slope at 0
    with np.errstate(divide="ignore", invalid="ignore"):
        return of.where(error == 0, 0.0, 100 * of.sqrt(some / size))


def rounded(values: Values, dtype: Any) -> Values:
    """Return floating-point numbers in another precision; counts as they are."""
    if library(values) is np:
        found = np.asarray(values)
        return found.astype(dtype) if found.dtype.kind == "f" else found
    return values.to(dtype) if values.is_floating_point() else values
