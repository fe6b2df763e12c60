"""Where samples are missing, and straight lines in their place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def spans(where: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the spans of places at which something holds, in order.

    Args:
        where: ``(length,)``.

    Returns:
        ``(spans, 2)``: the first place of each, and the one behind its last.
    """
    edges = np.flatnonzero(np.diff(where.astype(np.int8), prepend=0, append=0))
    return edges.reshape(-1, 2)


def interpolated(row: NDArray[Any]) -> NDArray[Any]:
    """Return samples with straight lines where some are missing, level at both ends.

    Args:
        row: ``(length,)``; NaN is a missing sample.

    Returns:
        The same; 0 throughout where all are missing.
    """
    gone = np.isnan(row)
    if not gone.any():
        return row
    if gone.all():
        return np.zeros_like(row)
    places = np.arange(row.size)
    return np.asarray(np.interp(places, places[~gone], row[~gone]))
