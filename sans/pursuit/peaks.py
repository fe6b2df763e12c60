"""Which spikes a round of a pursuit chooses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import apart, compiled, lent
from sans.convolution.frames import Floats, Integers
from sans.pursuit.atoms import Index
from sans.pursuit.state import BLOCK, PursuitState, mark_all


@lent
def choose(
    strongest: Floats,
    tops: Floats,
    least: float,
    distance: int,
    taken: NDArray[np.bool_],
    chosen: Integers,
) -> int:
    """Choose extrema, borders included, from the largest down, none within a distance of another.

    Args:
        strongest: ``(height, width)``, positive where there is anything.
        tops: ``(height, blocks)``, the largest entry of every block.
        least: what an entry is at least.
        distance: along every axis.
        taken: room for a flag a place.
        chosen: room for all places; the chosen ones are written, from the largest down.

    Returns:
        How many are chosen.
    """
    height, width = strongest.shape
    candidates = _candidates(strongest, tops, least, chosen)
    if candidates > 1:
        _sort(chosen[:candidates], strongest)
        _clear(taken)
    count = 0
    for i in range(candidates):
        place = chosen[i]
        y, x = place // width, place % width
        if candidates == 1 or not taken[y, x]:
            chosen[count] = place
            count += 1
            if candidates > 1:
                first, last = max(x - distance, 0), min(x + distance + 1, width)
                for row in range(max(y - distance, 0), min(y + distance + 1, height)):
                    for column in range(Index(first), Index(last)):
                        taken[Index(row), column] = True
    return count


@lent
def _clear(flags: NDArray[np.bool_]) -> None:
    for y in range(Index(flags.shape[0])):
        for x in range(Index(flags.shape[1])):
            flags[y, x] = False


@apart
def crests(state: PursuitState, least: float, places: Integers) -> int:
    """Write the frequencies of the strongest cosines, from the largest down; return their count.

    No cosine meets another: all are taken that are strong enough.

    Args:
        state: what is known of an image.
        least: what the norm of a cosine is at least.
        places: room for all frequencies.
    """
    # Norms of kernels are not wanted now, and all are looked at again when cosines have come.
    maps, scales, norms = state.maps, state.scales, state.strongest
    mark_all(state.stale)
    k, count = len(state.reaches), 0
    height, width = norms.shape
    for y in range(height):
        for x in range(width):
            norms[y, x] = abs(maps[k, y, x]) * scales[k, y, x]
            if norms[y, x] >= least:
                places[count] = y * width + x
                count += 1
    if count > 1:
        _sort(places[:count], norms)
    return count


@compiled
def _sort(places: Integers, strongest: Floats) -> None:
    """Sort places from the largest entry down, equal ones in their order, by merging."""
    width, count = strongest.shape[1], places.size
    other, step = np.empty_like(places), 1
    while step < count:
        for i in range(count):
            other[i] = places[i]
        for begin in range(0, count, 2 * step):
            i, j = begin, min(begin + step, count)
            middle, end = j, min(begin + 2 * step, count)
            for at in range(begin, end):
                first = i < middle
                if first and j < end:
                    one, two = other[i], other[j]
                    first = (
                        strongest[one // width, one % width] >= strongest[two // width, two % width]
                    )
                places[at] = other[i] if first else other[j]
                i, j = i + first, j + (not first)
        step *= 2


@lent
def _candidates(strongest: Floats, tops: Floats, least: float, places: Integers) -> int:
    """Write the places of peaks in their order; return how many there are."""
    height, width = strongest.shape
    count = 0
    for y in range(height):
        for block in range(tops.shape[1]):
            if tops[y, block] >= least:
                for x in range(block * BLOCK, min((block + 1) * BLOCK, width)):
                    if strongest[y, x] >= least and _is_peak(strongest, y, x):
                        places[count] = y * width + x
                        count += 1
    return count


@lent
def _is_peak(image: Floats, y: int, x: int) -> bool:
    """Return whether no neighbour along an axis is larger; of equal ones the first is a peak."""
    value = image[y, x]
    return not (
        (x > 0 and image[y, x - 1] >= value)
        or (y > 0 and image[y - 1, x] >= value)
        or (x + 1 < image.shape[1] and image[y, x + 1] > value)
        or (y + 1 < image.shape[0] and image[y + 1, x] > value)
    )
