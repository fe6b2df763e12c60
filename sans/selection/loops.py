"""Which entries of a map a sparse activation keeps: compiled loops on numpy arrays.

A map is one kernel's similarity with one signal. Every function takes maps ``(maps, *space)`` with
one or two dimensions of space and one density for each map, and returns a boolean array of the same
shape that is true where an entry is kept. Ties go to the smaller index, and NaN is never kept.
Nothing here needs torch; `sans.activations` wraps these for tensors.

[SAN]: P. Bizopoulos, D. Koutsouris, "Sparsely Activated Networks", IEEE TNNLS 2020.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import compiled

Maps = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
Densities = NDArray[np.int64]


def topk(maps: Maps, counts: Densities) -> Mask:
    """Keep the entries of largest magnitude of each map ([SAN] Algorithm 1).

    Args:
        maps: ``(maps, *space)``.
        counts: entries to keep in each map, ``(maps,)``, from 1 to all.

    Returns:
        Where an entry is kept, like `maps`.

    Raises:
        ValueError: if the counts do not fit the maps.
    """
    counts = _one_each(counts, maps, math.prod(maps.shape[1:]))
    flat = np.abs(maps).reshape(len(maps), math.prod(maps.shape[1:]))
    flat[np.isnan(flat)] = -1  # NaN comes last
    # Sorted, not partitioned: numpy's partition is twenty times slower where many are equal.
    thresholds = np.sort(flat, axis=1)[np.arange(len(flat)), flat.shape[1] - counts]
    return _topk(flat, thresholds, counts).reshape(maps.shape)


def extrema_pool(maps: Maps, sizes: Densities) -> Mask:
    """Keep the entry of largest magnitude in each cell of a regular grid ([SAN] Algorithm 2).

    Args:
        maps: ``(maps, *space)``.
        sizes: side of a cell of each map, ``(maps,)``; a cell cut off at the far border keeps none.

    Returns:
        Where an entry is kept, like `maps`.

    Raises:
        ValueError: if the sizes do not fit the maps.
    """
    sizes = _one_each(sizes, maps, min(maps.shape[1:]))
    images, heights = np.ascontiguousarray(maps), sizes
    if maps.ndim == 2:  # a signal is an image of height 1
        images, heights = images[:, None], np.ones_like(sizes)
    return _extrema_pool(images, heights, sizes).reshape(maps.shape)


def extrema(maps: Maps, distances: Densities) -> Mask:
    """Keep the local extrema that survive a greedy selection by magnitude ([SAN] Algorithm 3).

    A candidate is a positive local maximum or a non-positive local minimum, along every axis. From
    the largest magnitude down, one is kept if no kept one lies within the distance on every axis.

    Args:
        maps: ``(maps, *space)``.
        distances: minimum distance of each map, ``(maps,)``, from 1.

    Returns:
        Where an entry is kept, like `maps`.

    Raises:
        ValueError: if the distances do not fit the maps.
    """
    distances = _one_each(distances, maps, None)
    distances = np.minimum(distances, max(maps.shape[1:]))  # farther reaches no more, and overflows
    if maps.ndim == 2:
        return _extrema_1d(np.ascontiguousarray(maps), distances)
    return _compete(np.ascontiguousarray(maps)[:, None], distances[:, None], False)[:, 0]


def competing_extrema(maps: Maps, distances: Densities, rivals: int) -> Mask:
    """Keep the extrema that survive a greedy selection among the maps of several kernels.

    The candidates of a map are those of `extrema`. Those of all rivals are visited together, from
    the largest magnitude down, and of equal ones the one of the first map first. One is kept if it
    lies beyond the distance of every kept one on some axis: the distance is that of the map of the
    kept one, whosever the other is.

    Args:
        maps: ``(networks * rivals, *space)``, the maps of a network one after the other.
        distances: minimum distance around what is kept of each map, ``(maps,)``, from 1.
        rivals: how many maps in a row compete, from 1.

    Returns:
        Where an entry is kept, like `maps`.

    Raises:
        ValueError: if the distances or the rivals do not fit the maps.
    """
    distances = _one_each(distances, maps, None)
    if rivals < 1 or len(maps) % rivals:
        raise ValueError(f"{rivals} rivals among {len(maps)} maps: give as many to each network")
    distances = np.minimum(distances, max(maps.shape[1:])).reshape(-1, rivals)
    height = 1 if maps.ndim == 2 else maps.shape[1]
    images = np.ascontiguousarray(maps).reshape(len(distances), rivals, height, maps.shape[-1])
    return _compete(images, distances, maps.ndim == 2).reshape(maps.shape)


def _one_each(densities: Densities, maps: Maps, most: int | None) -> Densities:
    """Return one density for each map; the compiled loops trust that there is."""
    if maps.ndim not in (2, 3):
        raise ValueError(f"maps must be (maps, *space) of 1 or 2 dimensions, not {maps.shape}")
    if densities.shape != (len(maps),):
        raise ValueError(f"densities of shape {densities.shape} for {len(maps)} maps: one for each")
    if densities.size and (densities.min() < 1 or (most is not None and densities.max() > most)):
        wanted = "at least 1" if most is None else f"between 1 and {most}"
        raise ValueError(f"densities must be {wanted}, not {densities.min()} to {densities.max()}")
    return densities.astype(np.int64, copy=False)


@compiled
def _topk(magnitudes: Maps, thresholds: Maps, counts: Densities) -> Mask:
    """Keep what is above the threshold of its map, then the first of those that equal it."""
    kept = magnitudes > thresholds[:, None]
    for row in range(magnitudes.shape[0]):
        free = counts[row] - kept[row].sum()
        for t in range(magnitudes.shape[1]):
            if free > 0 and magnitudes[row, t] == thresholds[row] >= 0:
                kept[row, t] = True
                free -= 1
    return kept


@compiled
def _extrema_pool(maps: Maps, heights: Densities, widths: Densities) -> Mask:
    kept = np.zeros(maps.shape, np.bool_)
    for row in range(maps.shape[0]):
        height, width = heights[row], widths[row]
        for top in range(0, maps.shape[1] - height + 1, height):
            for left in range(0, maps.shape[2] - width + 1, width):
                best, y, x = -1.0, -1, -1
                for i in range(top, top + height):
                    for j in range(left, left + width):
                        if abs(maps[row, i, j]) > best:
                            best, y, x = abs(maps[row, i, j]), i, j
                if y >= 0:
                    kept[row, y, x] = True
    return kept


@compiled
def _extrema_1d(maps: Maps, distances: Densities) -> Mask:
    """Select in linear time, whatever the signal.

    The largest candidate of a stretch is kept; what lies within the distance of it goes, and what
    is left falls into two stretches that cannot touch each other. Walking down the Cartesian tree
    of the candidates (each node the largest of its subtree) meets the largest of every stretch.
    """
    kept = np.zeros(maps.shape, np.bool_)
    length = maps.shape[1]
    places = np.empty(length, np.int32)
    magnitudes = np.empty(places.size, maps.dtype)
    left = np.empty(places.size, np.int32)
    right = np.empty(places.size, np.int32)
    stack = np.empty((places.size + 1, 3), np.int32)
    for row in range(maps.shape[0]):
        candidates = _candidates(maps[row], places, magnitudes)
        root = _cartesian_tree(magnitudes[:candidates], left, right, stack)
        _walk(root, places, left, right, distances[row], kept[row], stack)
    return kept


@compiled
def _candidates(signal: Maps, places: NDArray[np.int32], magnitudes: Maps) -> int:
    """Write place and magnitude of every candidate of one signal and return how many there are."""
    count, last = 0, signal.size - 1
    for t in range(signal.size):
        value = signal[t]
        before, after = signal[max(t - 1, 0)], signal[min(t + 1, last)]
        peak = (value > 0) & (after <= value) & (before < value)
        dip = (value <= 0) & (after > value) & (before >= value)
        places[count] = t
        magnitudes[count] = abs(value)
        count += peak | dip  # without a branch: noise cannot be predicted
    return count


@compiled
def _cartesian_tree(
    magnitudes: Maps, left: NDArray[np.int32], right: NDArray[np.int32], stack: NDArray[np.int32]
) -> int:
    """Write the children of every node (-1: none) and return the root (-1: no node).

    A node is the largest of its subtree, the first of equals.
    """
    depth = 0
    for node in range(magnitudes.size):
        child = -1
        while depth > 0 and magnitudes[stack[depth - 1, 0]] < magnitudes[node]:
            depth -= 1
            child = stack[depth, 0]
        left[node] = child
        right[node] = -1
        if depth > 0:
            right[stack[depth - 1, 0]] = node
        stack[depth, 0] = node
        depth += 1
    return stack[0, 0] if depth > 0 else -1


@compiled
def _walk(
    root: int,
    places: NDArray[np.int32],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    distance: int,
    kept: Mask,
    stack: NDArray[np.int32],
) -> None:
    """Keep the largest candidate of every stretch, from the whole signal down."""
    node, low, high, depth = root, 0, kept.size, 0
    while True:
        if node < 0:
            if depth == 0:
                return
            depth -= 1
            node, low, high = stack[depth]
            continue
        place = places[node]
        if place < low:
            node = right[node]
        elif place >= high:
            node = left[node]
        else:
            kept[place] = True
            if right[node] >= 0 and place + distance + 1 < high:
                stack[depth, 0] = right[node]
                stack[depth, 1] = max(low, place + distance + 1)
                stack[depth, 2] = high
                depth += 1
            node, high = left[node], min(high, place - distance)


@compiled
def _compete(images: Maps, distances: Densities, signals: bool) -> Mask:
    """Select among the candidates of all rivals, ``(networks, rivals, height, width)``.

    Linear in the samples but for the sorting: what is kept of one map lies apart, so that no entry
    is taken more than four times for each rival.

    Args:
        images: similarities.
        distances: ``(networks, rivals)``.
        signals: whether the images have a height of 1 because they have no height at all.
    """
    kept = np.zeros(images.shape, np.bool_)
    rivals, height, width = images.shape[1:]
    taken = np.empty((height, width), np.bool_)
    places = np.empty(rivals * height * width, np.int32)
    magnitudes = np.empty(places.size, images.dtype)
    ends = np.empty(rivals, np.int64)
    for network in range(images.shape[0]):
        count = 0
        for k in range(rivals):
            if signals:
                count += _candidates(images[network, k, 0], places[count:], magnitudes[count:])
            else:
                count += _candidates_2d(images[network, k], places[count:], magnitudes[count:])
            ends[k] = count
        taken[:] = False
        for best in np.argsort(-magnitudes[:count], kind="mergesort"):  # stable: ties in order
            y, x = places[best] // width, places[best] % width
            if taken[y, x]:
                continue
            k = np.searchsorted(ends, best, "right")
            distance = distances[network, k]
            kept[network, k, y, x] = True
            for i in range(max(y - distance, 0), min(y + distance + 1, height)):
                for j in range(max(x - distance, 0), min(x + distance + 1, width)):
                    taken[i, j] = True
    return kept


@compiled
def _candidates_2d(image: Maps, places: NDArray[np.int32], magnitudes: Maps) -> int:
    """Write flat place and magnitude of every candidate of one image and return their count."""
    height, width = image.shape
    count = 0
    for y in range(height):
        for x in range(width):
            value = image[y, x]
            above, below = image[max(y - 1, 0), x], image[min(y + 1, height - 1), x]
            before, after = image[y, max(x - 1, 0)], image[y, min(x + 1, width - 1)]
            peak = (value > 0) & (after <= value) & (before < value)
            peak &= (below <= value) & (above < value)
            dip = (value <= 0) & (after > value) & (before >= value)
            dip &= (below > value) & (above >= value)
            places[count] = y * width + x
            magnitudes[count] = abs(value)
            count += peak | dip
    return count
