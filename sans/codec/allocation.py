"""Memory that is freed stays at hand: chunk after chunk takes arrays of the same sizes."""

from __future__ import annotations

from functools import cache

import numpy as np

_LARGEST = 31 << 20
"""Bytes of a block after whose release glibc keeps the largest of others: its own limit is 2²⁵."""


@cache
def keep_freed_memory() -> None:
    """Let the allocator keep blocks of some megabytes that are freed, once for a process.

    glibc gives such blocks back to the system, and every page is filled with zeros when it is taken
    again, which costs more than some loops that work on it. How large blocks are that it keeps, it
    learns from the largest that has been freed: so one is, which is never written to.
    """
    np.empty(_LARGEST, np.uint8)
