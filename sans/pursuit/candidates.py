"""What may come instead of a spike: the strongest of every shape near it.

Compiled loops on numpy arrays; a signal is an image of height 1.
"""

from __future__ import annotations

from sans.compilation.decorators import apart, lent
from sans.pursuit.areas import common
from sans.pursuit.atoms import Part, view
from sans.pursuit.cosines import transform
from sans.pursuit.groups import NONE, VACANT, ExchangeSetting, area_of, join
from sans.pursuit.loops import SpikeArrays

STEP = 10
"""Places are looked at in steps of a part like this of a kernel, and then around the strongest."""

BESIDE = 2
"""How far from the frequency of a cosine others are looked at."""

SHARE = 16
"""A cosine may come instead of what draws on the inverse of this share of the image at least."""

Found = tuple[float, int, int]
"""What an atom would draw, by its weights, and its row and column; NONE: there is none."""


@lent
def strongest_near(
    shape: int, near: int, place: tuple[int, int], area: Part, total: int, scene: ExchangeSetting
) -> Found:
    """Return the strongest atom of a shape near another atom.

    Args:
        shape: of which shape.
        near: the shape of the other atom.
        place: its row and column.
        area: where it draws.
        total: how many spikes the group has.
        scene: what all moves share.
    """
    waves, half = scene.atoms.kernels.shape[0], ((area[1] - area[0]) // 2, (area[3] - area[2]) // 2)
    if shape < waves and near < waves:
        return strongest_around(shape, place, half, total, scene)
    if shape < waves:  # anywhere below a cosine
        return strongest_around(shape, half, half, total, scene)
    if near < waves:
        return strongest_wave(total, scene)
    best: Found = (0.0, NONE, NONE)
    for y in range(place[0] - BESIDE, place[0] + BESIDE + 1):
        for x in range(place[1] - BESIDE, place[1] + BESIDE + 1):
            best = _better(best, shape, y, x, total, scene)
    return best


@lent
def strongest_around(
    kernel: int, centre: tuple[int, int], half: tuple[int, int], total: int, scene: ExchangeSetting
) -> Found:
    """Return the strongest atom of a kernel around a place.

    Args:
        kernel: of which kernel.
        centre: row and column of the place.
        half: how many rows and columns around it count; where the kernel is larger, half of it.
        total: how many spikes the group has.
        scene: what all moves share.
    """
    edges, beside = scene.atoms.edges[kernel], min(1, scene.residual.shape[1] - 1)
    tall, wide = edges[1] - edges[0], edges[3] - edges[2]
    down, across = max(1, tall // STEP), max(1, wide // STEP)
    rows, columns = max(half[0], tall // 2) // down, max(half[1], wide // 2) // across
    best: Found = (0.0, NONE, NONE)
    for i in range(-rows, rows + 1):
        for j in range(-columns, columns + 1):
            y, x = centre[0] + i * down, centre[1] + j * across
            best = _better(best, kernel, y, x, total, scene)
    while best[1] != NONE and (down > 1 or across > 1):
        down, across = (down + 1) // 2, (across + 1) // 2
        _, y, x = best
        for i in range(-beside, beside + 1):
            for j in range(-1, 2):
                best = _better(best, kernel, y + i * down, x + j * across, total, scene)
    return best


@apart
def strongest_wave(total: int, scene: ExchangeSetting) -> Found:
    """Return the strongest cosine."""
    atoms, spectrum = scene.atoms, scene.spectrum
    transform(atoms.tall, atoms.wide, scene.weighed, spectrum)
    shape, best = atoms.kernels.shape[0], (0.0, NONE, NONE)
    for y in range(spectrum.shape[0]):
        for x in range(spectrum.shape[1]):
            strength = abs(spectrum[y, x]) * scene.scales[shape, y, x]
            if strength > best[0] and is_free(shape, y, x, total, scene):
                best = strength, y, x
    return best


@lent
def _better(best: Found, shape: int, y: int, x: int, total: int, scene: ExchangeSetting) -> Found:
    """Return an atom if it is stronger than the best, and may come; else the best."""
    if not is_inside(y, x, scene):
        return best
    scale = scene.scales[shape, y, x]
    if scale <= 0:
        return best
    strength = abs(view(scene.atoms, shape, y, x, scene.weighed)) * scale
    if strength <= best[0] or not is_free(shape, y, x, total, scene):
        return best
    return strength, y, x


@lent
def is_inside(y: int, x: int, scene: ExchangeSetting) -> bool:
    """Return whether a place is one of the image."""
    _, height, width = scene.residual.shape
    return bool(0 <= y < height and 0 <= x < width)


@lent
def is_free(shape: int, y: int, x: int, total: int, scene: ExchangeSetting) -> bool:
    """Return whether no such spike is at a place, of the image or of those that come."""
    if scene.tried[shape, y, x] != VACANT:
        return False
    own = scene.group.spikes
    for i in range(total):
        if own.kernel[i] == shape and own.y[i] == y and own.x[i] == x:
            return False
    return True


@lent
def propose(
    spikes: SpikeArrays, goer: int, total: int, beside: bool, scene: ExchangeSetting
) -> int:
    """Write what may come instead of a spike, the best of every shape; return how many they are.

    With `beside`, the spike next door as well, and any cosine instead of what
    is wide; else cosines beside a cosine only.
    """
    near, y, x = spikes.kernel[goer], spikes.y[goer], spikes.x[goer]
    area, found = area_of(spikes, goer, scene), 0
    waves, shapes = scene.atoms.kernels.shape[0], scene.scales.shape[0]
    wide = beside and SHARE * common(area, area) >= scene.spectrum.size
    for shape in range(shapes if wide or near >= waves else waves):
        _, row, column = strongest_near(shape, near, (y, x), area, total, scene)
        found = _note(found, shape, row, column, total, scene)
    if beside and near < waves:
        down = min(1, scene.residual.shape[1] - 1)
        for row in range(y - down, y + down + 1):
            for column in range(x - 1, x + 2):
                if is_inside(row, column, scene) and is_free(near, row, column, total, scene):
                    found = _note(found, near, row, column, total, scene)
    return found


@lent
def _note(found: int, shape: int, y: int, x: int, total: int, scene: ExchangeSetting) -> int:
    """Write a candidate and what it saves, if it may come; return how many there are."""
    if y == NONE or scene.scales[shape, y, x] <= 0:
        return found
    scene.candidates[found, 0] = shape
    scene.candidates[found, 1], scene.candidates[found, 2] = y, x
    scene.gains[found] = join(total, shape, y, x, scene)
    return found + 1


@lent
def best_of(found: int, scene: ExchangeSetting) -> int:
    """Return which candidate saves most; NONE: none saves anything."""
    best, most = NONE, 0.0
    for i in range(found):
        if scene.gains[i] > most:
            best, most = i, scene.gains[i]
    return best
