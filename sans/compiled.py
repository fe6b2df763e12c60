"""Loops compiled by numba, typed for mypy and cached where the disk allows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` at its first call, and keep the machine code for the next process.

    The compiled function releases the GIL, so that threads may share its work.
    """
    try:
        built = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no folder for the cache can be written: compile in every process
        built = numba.njit(nogil=True)(function)
    return cast("Callable[P, R]", built)
