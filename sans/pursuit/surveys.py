"""What is strongest in an image, looked at again where something has changed."""

from __future__ import annotations

from sans.compilation.decorators import apart, lent, reordered
from sans.convolution.frames import Floats
from sans.pursuit.atoms import Atoms, Index, view
from sans.pursuit.loops import ERROR, Aim, total
from sans.pursuit.state import BLOCK, PursuitState, mark_all


@lent
def remaining(state: PursuitState) -> float:
    """Return the sum of what is left of all blocks."""
    return total(state.left)


@lent
def survey(state: PursuitState, task: Aim) -> float:
    """Look again where something has changed; return the norm of the strongest atom of all."""
    # The state is taken apart once: to hand it on whole would take longer than to look.
    stale, tops, strongest, residual = state.stale, state.tops, state.strongest, state.residual
    maps, scales, left, kernels = state.maps, state.scales, state.left, len(state.reaches)
    _, height, width = residual.shape
    squared, top = task.stop == ERROR, -1.0
    for y in range(height):
        for block in range(stale.shape[1]):
            if stale[y, block]:
                stale[y, block] = False
                begin, end = block * BLOCK, min(block * BLOCK + BLOCK, width)
                first, last = max(begin, task.first), min(end, task.last)
                if first > begin or last < end or kernels == 0:
                    _lower(strongest, y, begin, end)
                if first < last and kernels > 0:
                    _raise(kernels, maps, scales, y, first, last, strongest)
                tops[y, block] = _largest(strongest, y, begin, end)
                counted = last if squared else end
                left[y, block] = _left(residual, y, begin, counted, squared)
            top = max(top, tops[y, block])
    return max(top, crest(state)) if kernels < maps.shape[0] else top


@apart
def crest(state: PursuitState) -> float:
    """Return the norm of the strongest cosine; -1 where there are none."""
    kernels, maps, scales, top = len(state.reaches), state.maps, state.scales, -1.0
    for k in range(kernels, maps.shape[0]):
        for y in range(maps.shape[1]):
            for x in range(maps.shape[2]):
                top = max(top, abs(maps[k, y, x]) * scales[k, y, x])
    return top


@apart
def look_again(atoms: Atoms, state: PursuitState) -> None:
    """Write the similarity of the residual with every kernel, and note that all has changed."""
    maps, scales, residual = state.maps, state.scales, state.residual
    for k in range(atoms.kernels.shape[0]):
        for y in range(maps.shape[1]):
            for x in range(maps.shape[2]):
                if scales[k, y, x] > 0:
                    maps[k, y, x] = view(atoms, k, y, x, residual)
    mark_all(state.stale)


@lent
def _lower(strongest: Floats, y: int, first: int, last: int) -> None:
    """Let no atom lie in a part of a row."""
    for x in range(Index(first), Index(last)):
        strongest[Index(y), x] = -1.0


@lent
def _raise(
    kernels: int, maps: Floats, scales: Floats, y: int, first: int, last: int, strongest: Floats
) -> None:
    """Write the norm of the strongest atom everywhere in a part of a row."""
    row, begin = Index(y), Index(first)
    for i in range(Index(last - first)):
        strongest[row, begin + i] = abs(maps[0, row, begin + i]) * scales[0, row, begin + i]
    for k in range(Index(1), Index(kernels)):
        for i in range(Index(last - first)):
            norm = abs(maps[k, row, begin + i]) * scales[k, row, begin + i]
            before = strongest[row, begin + i]
            strongest[row, begin + i] = norm if norm > before else before


@lent
def _largest(image: Floats, y: int, first: int, last: int) -> float:
    """Return the largest entry of a part of a row; by fours, so that none waits for another."""
    row, i, end = Index(y), Index(first), Index(last)
    a = b = c = d = float(image[row, i])
    while i + Index(4) <= end:
        a, b = max(a, image[row, i]), max(b, image[row, i + Index(1)])
        c, d = max(c, image[row, i + Index(2)]), max(d, image[row, i + Index(3)])
        i += Index(4)
    while i < end:
        a = max(a, image[row, i])
        i += Index(1)
    return max(max(a, b), max(c, d))


@reordered
def _left(residual: Floats, y: int, first: int, last: int, squared: bool) -> float:
    """Return the sum of absolute values of a part of a row in all leads, or of squares."""
    row, begin, count, total = Index(y), Index(first), Index(max(last - first, 0)), 0.0
    for lead in range(Index(residual.shape[0])):
        if squared:
            for i in range(count):
                total += residual[lead, row, begin + i] * residual[lead, row, begin + i]
        else:
            for i in range(count):
                total += abs(residual[lead, row, begin + i])
    return total


@lent
def strongest_kernel(state: PursuitState, y: int, x: int) -> int:
    """Return the kernel of the strongest atom at a place, the first of equals; not a cosine."""
    maps, scales = state.maps, state.scales
    strongest, which = -1.0, 0
    for k in range(len(state.reaches)):
        norm = abs(maps[k, y, x]) * scales[k, y, x]
        if norm > strongest:
            strongest, which = norm, k
    return which
