"""What the compiled loops of a pursuit know of an image, kept up to date where something changes.

Images are divided into blocks, pieces of one row: what has changed in none of a block's places is
not looked at again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import compiled, lent
from sans.convolution.frames import Floats, Integers
from sans.pursuit.atoms import Atoms
from sans.pursuit.loops import write
from sans.pursuit.products import clipped_products

BLOCK = 64
"""Places of a block, at most."""

KEPT = 2**20
"""Products of clipped atoms that are kept from one image to the next, at most."""


class PursuitState(NamedTuple):
    """What a pursuit knows of an image beside its spikes."""

    residual: Floats
    """``(leads, height, width)``: the image without what the spikes draw."""

    maps: Floats
    """``(kernels, height, width)``: the similarity of the residual with every kernel; where there
    are cosines, they are one more, here and in `scales`."""

    scales: Floats
    """``(kernels, height, width)``: 1 / norm of every atom, 0 where none may lie."""

    strongest: Floats
    """``(height, width)``: the norm of the strongest atom at every place, -1 where none may lie."""

    tops: Floats
    """``(height, blocks)``: the largest of them in every block."""

    left: Floats
    """``(height, blocks)``: the sum of absolute values of the residual; where it is an error that
    stops, of squares, without what lies behind the last place of a spike."""

    stale: NDArray[np.bool_]
    """``(height, blocks)``: whether something has changed in a block."""

    clipped: Floats
    """``(clipped atoms, kernels, 2 height - 1, 2 width - 1)``: the products of atoms at the border,
    of the kernels' height and width."""

    slots: Integers
    """``(kernels, height, width)``: where in `clipped` those of an atom are, -1: nowhere yet."""

    used: Integers
    """``(1,)``: how many of them there are."""

    reaches: Integers
    """``(kernels, 4)``: from which row to which, and column, an atom changes what is around it."""


@compiled
def state_for(kernels: Floats, edges: Integers, scales: Floats) -> PursuitState:
    """Return what is known of no image yet, for images of the shape of `scales`."""
    _, height, width = scales.shape
    blocks = (width + BLOCK - 1) // BLOCK
    rows, columns = 2 * kernels.shape[2] - 1, 2 * kernels.shape[3] - 1
    slots = np.empty(scales.shape, np.int64)
    empty(slots)
    return PursuitState(
        np.empty((kernels.shape[1], height, width)),
        np.empty((1, 1, 1)),
        scales,
        np.empty((height, width)),
        np.empty((height, blocks)),
        np.empty((height, blocks)),
        np.empty((height, blocks), np.bool_),
        np.empty((4, kernels.shape[0], rows, columns)),
        slots,
        np.zeros(1, np.int64),
        reaches(edges),
    )


@lent
def empty(slots: Integers) -> None:
    """Let no atom have clipped products, see `PursuitState.slots`."""
    for k in range(slots.shape[0]):
        for y in range(slots.shape[1]):
            for x in range(slots.shape[2]):
                slots[k, y, x] = -1


@lent
def mark_all(flags: NDArray[np.bool_]) -> None:
    """Set all flags ``(rows, columns)``."""
    for y in range(flags.shape[0]):
        for x in range(flags.shape[1]):
            flags[y, x] = True


@compiled
def state_of(known: PursuitState, residual: Floats, maps: Floats) -> PursuitState:
    """Return what is known of another image of the same shape, all of it to be looked at."""
    mark_all(known.stale)
    if known.clipped[0].size * known.used[0] > KEPT:
        empty(known.slots)
        known.used[0] = 0
    return _with(known, residual, maps, known.clipped)


@compiled
def _with(known: PursuitState, residual: Floats, maps: Floats, clipped: Floats) -> PursuitState:
    return PursuitState(
        residual,
        maps,
        known.scales,
        known.strongest,
        known.tops,
        known.left,
        known.stale,
        clipped,
        known.slots,
        known.used,
        known.reaches,
    )


@lent
def has_room(state: PursuitState, more: int) -> bool:
    """Return whether there is room for more clipped atoms."""
    return bool(state.used[0] + more <= state.clipped.shape[0])


@compiled
def with_room(state: PursuitState, more: int) -> PursuitState:
    """Return the same with room for more clipped atoms."""
    used = state.used[0]
    _, kernels, rows, columns = state.clipped.shape
    clipped = np.empty((2 * used + more, kernels, rows, columns))
    for slot in range(used):
        write(state.clipped[slot], clipped[slot])
    return _with(state, state.residual, state.maps, clipped)


@lent
def slot_of(atoms: Atoms, kernel: int, y: int, x: int, state: PursuitState) -> int:
    """Return where the products of a clipped atom are; there must be room for them."""
    slot = int(state.slots[kernel, y, x])
    if slot < 0:
        slot = int(state.used[0])
        state.used[0] += 1
        state.slots[kernel, y, x] = slot
        _, height, width = state.residual.shape
        clipped_products(atoms, kernel, y, x, (height, width), state.clipped[slot])
    return slot


@lent
def touch(stale: NDArray[np.bool_], y: int, x: int, reach: Integers) -> None:
    """Note that something has changed around a place.

    Args:
        stale: as in `PursuitState`.
        y: row of the place.
        x: column of the place.
        reach: from which row to which, and from which column to which, both included, seen from
            there, ``(4,)``.
    """
    height, blocks = stale.shape
    begin, end = max(0, x + reach[2]) // BLOCK, min(blocks - 1, (x + reach[3]) // BLOCK)
    for row in range(max(0, y + reach[0]), min(height, y + reach[1] + 1)):
        for block in range(begin, end + 1):
            stale[row, block] = True


@compiled
def reaches(edges: Integers) -> Integers:
    """Return how far what every kernel changes lies from where it is drawn, ``(kernels, 4)``.

    Args:
        edges: as in `sans.pursuit.atoms.Atoms`.
    """
    found = np.empty_like(edges)
    for side in range(0, 4, 2):
        least, most = edges[0, side], edges[0, side + 1]
        for k in range(edges.shape[0]):
            least, most = min(least, edges[k, side]), max(most, edges[k, side + 1])
        for k in range(edges.shape[0]):
            found[k, side] = edges[k, side] - most + 1
            found[k, side + 1] = edges[k, side + 1] - least - 1
    return found
