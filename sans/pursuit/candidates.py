"""proto"""
from __future__ import annotations
from sans.compilation.decorators import compiled, lent
from sans.convolution.frames import Floats
from sans.pursuit.atoms import view
from sans.pursuit.exchange import NONE, ExchangeSetting, Group

STEPS = 10


@lent
def strongest_place(
    kernel: int, total: int, centre: tuple[int, int], half: tuple[int, int], scene: ExchangeSetting
) -> tuple[float, int, int]:
    """Return what the strongest atom of a kernel around a place would save, and its place."""
    edges = scene.atoms.edges[kernel]
    _, height, width = scene.residual.shape
    tall, wide = edges[1] - edges[0], edges[3] - edges[2]
    steps = int(scene.tuning[5])
    down, across = max(1, tall // steps), max(1, wide // steps)
    rows, columns = max(half[0], tall // 2), max(half[1], wide // 2)
    if scene.tuning[16] > 0 and height > 1:
        rows, columns = min(rows, int(scene.tuning[16])), min(columns, int(scene.tuning[16]))
    best = 0.0, NONE, NONE
    for i in range(-(rows // down), rows // down + 1):
        for j in range(-(columns // across), columns // across + 1):
            best = _better(best, kernel, centre[0] + i * down, centre[1] + j * across, total, scene)
    while best[1] != NONE and (down > 1 or across > 1):
        down, across = (down + 1) // 2, (across + 1) // 2
        y, x = best[1:]
        beside = 1 if height > 1 else 0
        for i in range(-beside, beside + 1):
            for j in range(-1, 2):
                best = _better(best, kernel, y + i * down, x + j * across, total, scene)
    return best


@lent
def _better(
    best: tuple[float, int, int], kernel: int, y: int, x: int, total: int, scene: ExchangeSetting
) -> tuple[float, int, int]:
    _, height, width = scene.residual.shape
    if not (0 <= y < height and 0 <= x < width):
        return best
    scale = scene.scales[kernel, y, x]
    if scale <= 0:
        return best
    gain = abs(view(scene.atoms, kernel, y, x, scene.weighed)) * scale
    if gain <= best[0] or not is_free(kernel, y, x, total, scene):
        return best
    return gain, y, x


@lent
def is_free(kernel: int, y: int, x: int, total: int, scene: ExchangeSetting) -> bool:
    """Return whether no spike is there, of the image or to come."""
    if scene.tried[kernel, y, x]:
        return False
    own = scene.group.spikes
    for i in range(total):
        if own.kernel[i] == kernel and own.y[i] == y and own.x[i] == x:
            return False
    return True
