"""proto"""
from __future__ import annotations
import os
import numpy as np
from sans.compilation.decorators import compiled, inlined, lent
from sans.convolution.frames import Floats, Integers
from sans.pursuit.atoms import Atoms, Part, extent
from sans.pursuit.candidates import is_free, strongest_place
from sans.pursuit.exchange import *
from sans.pursuit.exchange import Goers
from sans.pursuit.loops import PHI, Aim, SpikeArrays, absolute, part, phi, sized

SWEEPS = 8
ROUNDS = 3
# 0 look level, 1 tol, 2 slack, 3 rounds, 4 pairs, 5 steps, 6 sweeps 7 stop share
OPTS=[float(v) for v in os.environ.get("PL","0.6,0.3,2,3,1,10,8,0,0.3,0.1,0,0,0,0,0,3,0,0,0,0").split(",")]
STATS=np.zeros(40)


@lent
def worth_of(count: int, error: float, scene: ExchangeSetting) -> float:
    """Return how much less error makes up for one spike more."""
    task = scene.task
    verbosity = (task.weights + task.cost * count) / task.samples
    return verbosity * task.cost / task.samples * task.size**2 / max(error, 1e-300)


@lent
def rebuild(spikes: SpikeArrays, count: int, error: float, goers: Goers, move: int, scene: ExchangeSetting) -> tuple[int, float, bool]:
    task, tuning = scene.task, scene.tuning
    _, height, width = scene.residual.shape
    space = (height, width)
    gone = 1 + (goers[1] != NONE)
    area = area_of(spikes, goers[0], scene)
    if gone == 2:
        area = joined(area, area_of(spikes, goers[1], scene))
    ck, cy, cx = spikes.kernel[goers[0]], spikes.y[goers[0]], spikes.x[goers[0]]
    members, area = take_out(spikes, count, area, goers, scene)
    lost = weighed_in(area, scene) - squares_in(area, scene)
    free = task.stop == PHI
    limit = worth_of(count, error - scene.beyond, scene)
    tuning[32 + gone] += 1
    total = members
    steps = gone + (1 if free and gone == 1 else 0)
    n_kernels = scene.atoms.kernels.shape[0]
    for step in range(steps + 1):
        spare = limit * (gone - step)
        tuning[10] += 1
        if step or free:
            if (free or step == gone) and seen(total, area, scene) < spare + tuning[1] * limit:
                count, error, moved = perform(spikes, count, error, goers, members, total, area, move, scene)
                if moved:
                    return count, error, True
        if step == steps:
            break
        # what comes
        goer = goers[step % gone]
        own = area_of(spikes, goer, scene)
        centre = (spikes.y[goer], spikes.x[goer])
        half = ((own[1] - own[0]) // 2, (own[3] - own[2]) // 2)
        if step == 1 and gone == 1 and 0.5 * lost > tuning[15] * limit:
            break
        shifts = (9 if height > 1 else 3) if step == 0 and gone == 1 else 0
        best, bk, by, bx = 0.0, NONE, 0, 0
        spare = limit * (gone - step - 1)
        for c in range(n_kernels + shifts):
            if c < n_kernels:
                k = c
                gain, y, x = strongest_place(k, total, centre, half, scene)
                if y == NONE:
                    continue
            else:
                d = c - n_kernels
                k, y, x = ck, cy + (d // 3 - 1 if height > 1 else 0), cx + d % 3 - 1
                if not (0 <= y < height and 0 <= x < width) or scene.scales[k, y, x] <= 0 or not is_free(k, y, x, total, scene):
                    continue
            gain = join(total, k, y, x, scene)
            if gain <= 0:
                continue
            value = gain
            if (free or step == gone - 1) and step == 0 and gone == 1:
                if 0.5 * (lost - gain) < spare + tuning[2] * limit:
                    tuning[10] += 1
                    grown = joined(area, extent(scene.atoms, k, y, x, space))
                    change = seen(total + 1, grown, scene)
                    if change < spare + tuning[1] * limit:
                        count, error, moved = perform(spikes, count, error, goers, members, total + 1, grown, move, scene)
                        if moved:
                            return count, error, True
            if value > best:
                best, bk, by, bx = value, k, y, x
        if bk == NONE:
            break
        lost -= join(total, bk, by, bx, scene)
        total += 1
        area = joined(area, extent(scene.atoms, bk, by, bx, space))
        if step == 0 and gone == 1:
            settle(total, scene.left, scene)
            weighed_in(area, scene)
            if step + 1 == steps:
                break
            # not seen again
        else:
            settle(total, scene.left, scene)
            weighed_in(area, scene)
    restore(area, scene)
    return count, error, False


@lent
def restore(area: Part, scene: ExchangeSetting) -> None:
    copy_in(area, scene.residual, scene.left)
    weighed_in(area, scene)


@reordered
def squares_in(area: Part, scene: ExchangeSetting) -> float:
    total = 0.0
    for lead in range(Index(scene.residual.shape[0])):
        for y in range(Index(area[0]), Index(area[1])):
            for x in range(Index(area[2]), Index(area[3])):
                total += scene.importance[lead, y, x] * scene.residual[lead, y, x] * scene.residual[lead, y, x]
    return total


@lent
def come(spikes: SpikeArrays, count: int, error: float, k: int, y: int, x: int, move: int, scene: ExchangeSetting) -> tuple[int, float, bool]:
    _, height, width = scene.residual.shape
    goers = (NONE, NONE)
    area = extent(scene.atoms, k, y, x, (height, width))
    members, area = take_out(spikes, count, area, goers, scene)
    weighed_in(area, scene)
    limit = worth_of(count, error - scene.beyond, scene)
    scene.tuning[32] += 1
    gain = join(members, k, y, x, scene)
    if gain > 0:
        scene.tuning[10] += 1
        if seen(members + 1, area, scene) < (scene.tuning[1] - 1) * limit:
            count, error, moved = perform(spikes, count, error, goers, members, members + 1, area, move, scene)
            if moved:
                return count, error, True
    restore(area, scene)
    return count, error, False


@lent
def fresh(spikes: SpikeArrays, i: int, scene: ExchangeSetting) -> bool:
    stamp = scene.tried[spikes.kernel[i], spikes.y[i], spikes.x[i]]
    top, bottom, left, right = area_of(spikes, i, scene)
    for y in range(top, bottom):
        for x in range(left, right):
            if scene.changed[y, x] > stamp:
                return True
    return False


@lent
def coupled(spikes: SpikeArrays, count: int, i: int, scene: ExchangeSetting) -> int:
    """The spike most coupled with it."""
    best, at = 0.0, NONE
    own = area_of(spikes, i, scene)
    best = scene.tuning[18] * product(scene.atoms, (spikes.kernel[i], spikes.kernel[i]), spikes.y[i], spikes.x[i], (0, 0), scene.importance)
    for j in range(count):
        if (j > i or (j < i and scene.tuning[19] == 0)) and common(own, area_of(spikes, j, scene)):
            k, y, x = spikes.kernel[j], spikes.y[j], spikes.x[j]
            c = product(scene.atoms, (spikes.kernel[i], k), spikes.y[i], spikes.x[i], (spikes.y[i] - y, spikes.x[i] - x), scene.importance)
            e = product(scene.atoms, (k, k), y, x, (0, 0), scene.importance)
            if c * c > best * e:
                best, at = c * c / e, j
    return at


@lent
def fill(spikes: SpikeArrays, count: int, error: float, move: int, since: int, scene: ExchangeSetting) -> tuple[int, float, int]:
    _, height, width = scene.residual.shape
    for k in range(scene.atoms.kernels.shape[0]):
        if scene.tuning[17] > 0 and since > 0:
            break
        e = scene.atoms.edges[k]
        rows, columns = max(e[1] - e[0], 4 if height > 1 else 1), max(e[3] - e[2], 4 if height > 1 else 16)
        for y in range(0, height, rows):
            for x in range(0, width, columns):
                new = False
                for i in range(y, min(y + rows, height)):
                    for j in range(x, min(x + columns, width)):
                        new |= scene.changed[i, j] > since
                if new and count < spikes.x.size:
                    centre = (min(height - 1, y + rows // 2), min(width - 1, x + columns // 2))
                    gain, row, column = strongest_place(k, 0, centre, (rows // 2, columns // 2), scene)
                    promise = 0.0
                    if row != NONE:
                        energy = product(scene.atoms, (k, k), row, column, (0, 0), scene.importance)
                        promise = 0.5 * gain**2 / (energy * scene.scales[k, row, column]**2)
                    if promise > scene.tuning[8] * worth_of(count, error - scene.beyond, scene):
                        count, error, moved = come(spikes, count, error, k, row, column, move, scene)
                        move += moved
    return count, error, move


@compiled
def rearrange(spikes: SpikeArrays, count: int, scene: ExchangeSetting) -> int:
    error = absolute(scene.residual)
    scene.changed[:] = 1
    scene.tried[:] = 0
    for i in range(count):
        scene.tried[spikes.kernel[i], spikes.y[i], spikes.x[i]] = 1
    _, height, width = scene.residual.shape
    whole = (0, height, 0, width)
    move, since = 2, 0
    scene.changed[:] = 2
    move = 3
    for sweep in range(int(scene.tuning[6])):
        least = max(error / scene.residual.size, 1e-300)
        scene.tuning[14] = scene.tuning[0] * least
        copy_in(whole, scene.residual, scene.left)
        weigh_in(whole, scene.tuning[14], scene)
        start = move
        was = phi(scene.task, count, error - scene.beyond)
        i = 0
        while i < count:
            if fresh(spikes, i, scene):
                k, y, x = spikes.kernel[i], spikes.y[i], spikes.x[i]
                count, error, moved = rebuild(spikes, count, error, (i, NONE), move, scene)
                move += moved
                if not moved and scene.tuning[4] > 0:
                    j = coupled(spikes, count, i, scene)
                    if j != NONE:
                        count, error, moved = rebuild(spikes, count, error, (i, j), move, scene)
                        move += moved
                if not moved:
                    scene.tried[k, y, x] = move - 1
            i += 1
        if scene.task.stop == PHI:
            count, error, move = fill(spikes, count, error, move, since, scene)
        since = start - 1
        if move == start or phi(scene.task, count, error - scene.beyond) > was * (1 - scene.tuning[7]):
            break
    return count


@compiled
def rearrange_loop(spikes: SpikeArrays, counts: Integers, atoms: Atoms, scales: Floats, task: Aim, sizes: Floats, residuals: Floats, beyond: Floats, tuning: Floats) -> None:
    batch, leads, height, width = residuals.shape
    room = spikes.x.size // max(batch, 1)
    group = group_for()
    changed = np.empty((height, width), np.int64)
    tried = np.empty(scales.shape, np.int64)
    sheet = np.empty((4, leads, height, width))
    for b in range(batch):
        own = part(spikes, b * room, (b + 1) * room)
        measured = sized(task, sizes[b], task.energy)
        scene = ExchangeSetting(atoms, scales, measured, residuals[b], beyond[b], sheet[0], sheet[1], sheet[2], sheet[3], group, changed, tried, tuning)
        if sizes[b] > 0:
            counts[b] = rearrange(own, counts[b], scene)


def rearrange_all(spikes, counts, atoms, scales, task, sizes, residuals, beyond, rounds):
    tuning = np.zeros(64)
    tuning[:len(OPTS)] = OPTS
    rearrange_loop(spikes, counts, atoms, scales, task, sizes, residuals, beyond, tuning)
    STATS[:3] += tuning[10:13]; STATS[3:35] += tuning[32:64]
