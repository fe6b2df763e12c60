"""The pursuit of `sans.pursuit.encoder` as tensor operations, for devices its loops cannot reach.

The same rule, in float64 as there, so that the same spikes are found, and amplitudes alike to
rounding. All signals take a round at once, each by its own stop: who has finished waits, unchanged.
No operation is repeated for a signal or a spike, and a round waits for the device a few times: to
see which extrema are left, how many spikes are new, whether any atoms depend on each other, and
whether refits leave anything to refit.

Sums are added up in another order than in the loops. Where the loops choose between what differs by
rounding alone, the choice may differ, and with it all that follows: between entries of similarity
that are equal but for rounding (in a signal that repeats itself or is its own mirror image, of
kernels that are multiples of each other, or are so where the border leaves one sample of them),
between an entry and a limit that it meets exactly (`SHARE` of the largest, an error, a threshold),
between two φ that are equal, and where spikes are so many that their normal equations are singular
but for rounding, or an atom has just the share `DEPENDENT` of its own.

Everything here is an image ``(batch, height, width)``; a signal is an image of height 1. A place
counts along the rows of an image.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sans.convolution import tensors as convolution
from sans.convolution.frames import Floats, Integers
from sans.pursuit import encoder
from sans.pursuit.absolute import ROUNDS, SMALL
from sans.pursuit.atoms import align, scales
from sans.pursuit.least_squares import DEPENDENT
from sans.pursuit.loops import COUNT, ERROR, NOTHING, PATIENCE, PHI, SHARE, THRESHOLD, Task
from sans.pursuit.pruning import LITTLE
from sans.pursuit.rounds import FALL, SLIGHT
from sans.pursuit.stop import KINDS, Stop

CHUNK = 2**27
"""Numbers that all images described at once may hold at a time: a gigabyte."""

FEW = 2**22
"""Numbers that a device handles in the time that it takes to ask it to."""

LOOKS = 2
"""Extrema that hide behind one another are taken so many deep between two looks at the device."""

MAPS = 10
"""Arrays as large as the activations that a round holds at a time."""

HUGE = 1e40
"""A row of the normal equations with so many times its diagonal takes part in nothing."""


class Plan(NamedTuple):
    """What all signals of a pursuit share."""

    kernels: Floats
    """``(kernels, *side)``, origins aligned."""

    sizes: Integers
    """Samples along a side of each kernel."""

    stop: Stop
    """When to stop."""

    refit: str
    """What the amplitudes minimise."""

    weights: int
    """What φ counts as weights."""


class Scene(NamedTuple):
    """What all images of one shape share."""

    kernels: Tensor
    """``(kernels, rows, columns)``, origins aligned, zero beyond the size of each."""

    scales: Tensor
    """``(kernels, height, width)``, 1 / norm of every atom, 0 where none may lie."""

    task: Task
    """What is to be described, and until when; its size and energy are those of no image."""

    @property
    def places(self) -> int:
        """How many places an image has, which is the place of a spike that is not there."""
        return self.scales[0].numel()


class Spikes(NamedTuple):
    """The spikes of every image in the order of their places, last those that are not there."""

    kernel: Tensor
    """``(batch, room)``, as all others but the last."""

    place: Tensor
    """Where it lies; behind the last place: there is no such spike."""

    amplitude: Tensor
    """How strongly the kernel is drawn; 0 where there is no spike."""

    born: Tensor
    """The round that chose it."""

    best: Tensor
    """Its amplitude where φ was lowest."""

    dependent: Tensor
    """Whether the atoms before it leave nothing of its own."""

    gram: Tensor
    """``(batch, room, room)``: the inner products of the atoms; anything for those not there."""


class Progress(NamedTuple):
    """How far every image is, ``(batch,)``."""

    size: Tensor
    """The sum of absolute values of what is to be described."""

    energy: Tensor
    """Its sum of squares."""

    beyond: Tensor
    """What does not count of what is left: that of the columns where no spikes lie."""

    room: Tensor
    """How many spikes it can have."""

    floor: Tensor
    """Norms that are rounding."""

    top: Tensor
    """The norm of the strongest atom."""

    lowest: Tensor
    """The lowest φ so far."""

    kept: Tensor
    """How many rounds led to it."""

    worse: Tensor
    """How many rounds there were since."""

    active: Tensor
    """Whether the image goes on."""


@torch.no_grad()
def pursue(
    signals: Tensor,
    kernels: Sequence[Tensor],
    stop: Stop = encoder.PHI,
    refit: str = "squares",
    weights: int | None = None,
) -> Tensor:
    """Describe signals by spikes of kernels, as `sans.pursuit.encoder.pursue` does.

    No gradient passes.

    Args:
        signals: ``(signals, *space)``, with one or two dimensions of space.
        kernels: ``(size,)`` or ``(size, size)`` each, of any norm.
        stop: when to stop.
        refit: "squares", or "absolute": at last, amplitudes of the least sum of absolute errors.
        weights: what φ counts as weights; None: all of the kernels.

    Returns:
        The activations, ``(signals, kernels, *space)``, like `signals` in type and device.

    Raises:
        ValueError: if kernels do not fit the signals, or a sample or weight is not finite.
    """
    arrays = [kernel.detach().cpu().double().numpy() for kernel in kernels]
    encoder._check(np.empty((0, *signals.shape[1:])), arrays)
    silent = signals.isfinite().flatten(1).all(1).logical_not().nonzero()
    if len(silent):
        raise ValueError(f"signal {silent[0].item()} holds NaN or infinity: leave it out")
    sizes = np.array([len(array) for array in arrays], np.int64)
    counted = sum(array.size for array in arrays) if weights is None else weights
    plan = Plan(align(arrays), sizes, stop, refit, counted)
    found = signals.new_zeros((len(signals), len(kernels), *signals.shape[1:]))
    each = max(1, CHUNK // (MAPS * max(1, found[:1].numel())))
    for begin in range(0, len(signals), each):
        part = signals[begin : begin + each].double()
        activations = _described(part if part.ndim == 3 else part[:, None], plan)
        found[begin : begin + each] = activations.view(-1, *found.shape[1:])
    return found


def _described(images: Tensor, plan: Plan) -> Tensor:
    """Return the activations of images ``(batch, height, width)``, segment by segment."""
    batch, height, length = images.shape
    activations = images.new_zeros((batch, len(plan.kernels), height, length))
    carried, scales = images[..., :0], dict[tuple[int, ...], Tensor]()
    spent = torch.zeros(batch, dtype=torch.int64, device=images.device)
    reach = int(plan.sizes.max())
    for begin, end in _segments(length, plan):
        low, high = max(0, begin - reach), min(length, end + reach)
        segment = torch.cat((carried, images[..., low + carried.shape[2] : high]), 2)
        form = (begin - low, end - low, high - low)
        if form not in scales:
            scales[form] = _scales(plan, segment)
        scene = _scene(plan, scales[form], form, (end - begin) / length)
        room = torch.full_like(spent, encoder._room(scene.task))
        if scene.task.stop == COUNT:  # shares that add up to the count, what is left over included
            room = (int(plan.stop.value * end / length) - spent).clamp(max=room)
        state = _start(segment, images[..., begin:end], room, scene)
        found, left = _describe(state, scene, plan.refit)
        activations[..., begin:end] = found[..., begin - low : end - low]
        spent += found.flatten(1).count_nonzero(1)
        carried = left[..., max(0, end - reach) - low :]
    return activations


def _segments(length: int, plan: Plan) -> Iterator[tuple[int, int]]:
    """Yield where each segment begins and ends; an image is one, whatever its size."""
    step = max(encoder.SEGMENT, int(plan.sizes.max())) if plan.kernels.ndim == 2 else length
    for begin in range(0, length, step):
        yield begin, min(begin + step, length)


def _scales(plan: Plan, images: Tensor) -> Tensor:
    """Return 1 / norm of every atom on such images, ``(kernels, height, width)``.

    They are the loops' own: a rounding apart, they would choose others among equals.
    """
    space = images.shape[4 - plan.kernels.ndim :]
    return torch.from_numpy(scales(plan.kernels, plan.sizes, tuple(space))).to(images.device)


def _scene(plan: Plan, laid: Tensor, form: tuple[int, int, int], share: float) -> Scene:
    """Return what some segment of all signals shares.

    Args:
        plan: what all segments share.
        laid: the scales on such a segment.
        form: the first column where spikes lie, the one behind the last, and how many there are.
        share: of the signal that is to be described.
    """
    first, last, _ = form
    task = Task(
        size=0.0,
        energy=0.0,
        first=first,
        last=last,
        samples=float((last - first) * laid.shape[1]),
        weights=plan.weights * share,
        cost=float(plan.kernels.ndim),
        stop=KINDS.index(plan.stop.kind),
        value=float(plan.stop.value),
    )
    kernels = torch.from_numpy(plan.kernels).to(laid.device)
    return Scene(kernels if kernels.ndim == 3 else kernels[:, None], laid, task)


class State(NamedTuple):
    """Images in the middle of a pursuit."""

    images: Tensor
    """``(batch, height, width)``."""

    residual: Tensor
    """The images without what their spikes draw."""

    maps: Tensor
    """``(batch, kernels, height, width)``: the similarity of the residual with every kernel."""

    occupied: Tensor
    """Where there are spikes, like `maps`."""

    spikes: Spikes
    """What describes the images so far."""

    progress: Progress
    """How far each is."""

    def of(self, rows: Tensor) -> State:
        """Return some of the images."""
        return State(
            self.images[rows],
            self.residual[rows],
            self.maps[rows],
            self.occupied[rows],
            Spikes(*(each[rows] for each in self.spikes)),
            Progress(*(each[rows] for each in self.progress)),
        )


def _start(images: Tensor, originals: Tensor, room: Tensor, scene: Scene) -> State:
    """Return images before the first round.

    Args:
        images: ``(batch, height, width)``.
        originals: ``(batch, height, last - first)``: what φ and the error are measured by.
        room: how many spikes each can have, ``(batch,)``.
        scene: what they share.
    """
    maps = _similarity(images, scene.kernels)
    none = torch.zeros((len(images), 0), dtype=torch.int64, device=images.device)
    gram = images.new_zeros((len(images), 0, 0))
    spikes = Spikes(none, none, none.double(), none, none.double(), none.bool(), gram)
    size, energy = _absolute(originals), originals.square().sum((1, 2))
    top, never = _norms(maps, scene)[0].amax((1, 2)), torch.zeros_like(room)
    beyond, floor = _beyond(images, scene.task), NOTHING * top
    start = Progress(size, energy, beyond, room, floor, top, size, never, never, size > 0)
    start = start._replace(lowest=_phi(scene.task, start, never, size))
    return State(images, images, maps, torch.zeros_like(maps, dtype=torch.bool), spikes, start)


def _beyond(images: Tensor, task: Task) -> Tensor:
    """Return what of images does not count of what is left, ``(batch,)``, as the loops have it."""
    before, after = images[..., : task.first], images[..., task.last :]
    if task.stop == ERROR:
        return before.square().sum((1, 2))
    return _absolute(before) + _absolute(after)


def _describe(state: State, scene: Scene, refit: str, turn: int = 0) -> tuple[Tensor, Tensor]:
    """Go on with images to the end of their pursuit.

    Args:
        state: the images, and what is known of them.
        scene: what they share.
        refit: what the amplitudes minimise at last.
        turn: how many rounds there were.

    Returns:
        The activations, ``(batch, kernels, height, width)``, and what they leave of the images.
    """
    while True:
        chosen, which, state = _choose_new(state, scene)
        added = chosen.sum(1)
        totals = added + _present(state.spikes, scene).sum(1)
        counts = torch.stack((added.max(), totals.max(), state.progress.active.sum()))
        most, width, going = counts.tolist()
        if most == 0:
            return _finish(state, scene, refit)
        together = _together(len(state.images), going, _numbers(width, scene, refit))
        if together < len(state.images):
            return _describe_apart(state, scene, refit, turn, together)
        turn += 1
        state = _settle(_insert_new(state, chosen, which, most, width, turn, scene), scene)
        if scene.task.stop == PHI:
            state = _judge(state, scene, turn)


def _together(images: int, going: int, numbers: int) -> int:
    """Return how many images to go on with together: first those that go on, then the others.

    Those that wait are set aside where there are many and it saves time, and half of the images
    where all would hold too many numbers.
    """
    if going <= images // 2 and images * numbers > FEW:
        return going
    return images if images * numbers <= CHUNK else max(1, images // 2)


def _describe_apart(
    state: State, scene: Scene, refit: str, turn: int, together: int
) -> tuple[Tensor, Tensor]:
    """Go on with the first images that go on, so many, and then with all others.

    Arguments and result are those of `_describe`.
    """
    # What this round chose is forgotten; each part chooses it again.
    order = state.progress.active.int().argsort(descending=True, stable=True)
    parts = [
        _describe(state.of(rows), scene, refit, turn)
        for rows in (order[:together], order[together:])
    ]
    back = order.argsort()
    activations, residual = (torch.cat(each)[back] for each in zip(*parts, strict=True))
    return activations, residual


def _numbers(width: int, scene: Scene, refit: str) -> int:
    """Return how many numbers an image of so many spikes holds at a time."""
    atom, around = scene.kernels[0].numel(), len(scene.kernels) * _around(scene).numel()
    return width * (5 * width + 4 * atom + 2 * around * (refit == "absolute"))


def _insert_new(
    state: State, chosen: Tensor, which: Tensor, most: int, width: int, turn: int, scene: Scene
) -> State:
    """Return images with new spikes of amplitude 0.

    Args:
        state: the images, and what is known of them.
        chosen: where there are new spikes, ``(batch, places)``.
        which: of which kernel.
        most: how many new ones an image has at most.
        width: how many spikes an image has then at most.
        turn: which round it is.
        scene: what the images share.
    """
    place = _listed(chosen, most)
    kernel = which.gather(1, place.clamp(max=scene.places - 1))
    spikes = _insert(state.spikes, kernel, place, turn, width, scene)
    occupied = state.occupied.flatten(2)
    here = occupied.gather(1, which[:, None]) | chosen[:, None]
    occupied = occupied.scatter(1, which[:, None], here).view_as(state.occupied)
    return state._replace(occupied=occupied, spikes=spikes)


def _settle(state: State, scene: Scene) -> State:
    """Return images with all amplitudes refitted, and again where hardly anything is left."""
    images, _, maps, _, spikes, progress = state
    moving, top = progress.active, progress.top
    while True:
        spikes = _refit(spikes, maps, moving, SLIGHT * top, scene)
        residual = images - _drawing(_dense(spikes, scene), scene.kernels)
        maps = _similarity(residual, scene.kernels)
        before, top = top, torch.where(moving, _norms(maps, scene)[0].amax((1, 2)), top)
        moving = moving & (top <= FALL * before) & (top > 0)
        if not bool(moving.any()):
            progress = progress._replace(top=top)
            return State(images, residual, maps, state.occupied, spikes, progress)


def _choose_new(state: State, scene: Scene) -> tuple[Tensor, Tensor, State]:
    """Return where images get new spikes, of which kernel, ``(batch, places)``, and who goes on."""
    task, progress = scene.task, state.progress
    norms, which = _norms(state.maps, scene)
    top, count = progress.top, _present(state.spikes, scene).sum(1)
    active = progress.active & (count < progress.room) & (top > progress.floor)
    least = SHARE * top
    if task.stop == ERROR:
        left = state.residual[..., : task.last].square().sum((1, 2)) - progress.beyond
        active &= left > task.value**2 * progress.energy
    if task.stop == THRESHOLD:
        active &= top >= task.value
        least = least.clamp(min=task.value)
    chosen = _choose(norms, least, progress.room - count, scene) & active[:, None]
    which = which.flatten(1)
    chosen &= ~state.occupied.flatten(2).gather(1, which[:, None])[:, 0]
    progress = progress._replace(active=active & chosen.any(1))
    return chosen, which, state._replace(progress=progress)


def _norms(maps: Tensor, scene: Scene) -> tuple[Tensor, Tensor]:
    """Return the norm of the strongest atom at every place, and its kernel, the first of equals.

    Where no spikes may lie it is -1.
    """
    strongest, which = (maps.abs() * scene.scales).max(1)
    strongest[..., : scene.task.first] = -1
    strongest[..., scene.task.last :] = -1
    return strongest, which


def _choose(norms: Tensor, least: Tensor, most: Tensor, scene: Scene) -> Tensor:
    """Choose extrema as `sans.pursuit.peaks.choose` does, and of these the largest.

    Rounds: who is the largest within the distance among those still alive is kept, and all within
    the distance of it die; until nobody is alive. Of equals the first is the largest.

    Args:
        norms: ``(batch, height, width)``, -1 where no spikes may lie.
        least: what an entry is at least, ``(batch,)``.
        most: how many to choose at most, ``(batch,)``.
        scene: what the images share.

    Returns:
        Whether a place is chosen, ``(batch, places)``.
    """
    distance = max(scene.kernels.shape[1:])
    candidates = _peaks(norms) & (norms >= least[:, None, None])
    order = norms.flatten(1).argsort(dim=1, descending=True, stable=True)
    ranks = torch.arange(scene.places, 0, -1, device=norms.device).to(norms).expand(order.shape)
    alive = torch.zeros_like(ranks).scatter(1, order, ranks).view_as(norms) * candidates
    kept = torch.zeros_like(candidates)
    while bool(alive.any()):
        for _ in range(LOOKS):  # once nobody is alive, nobody wins, and nothing changes
            winners = (alive > 0) & (alive == _largest_within(alive, distance))
            kept |= winners
            alive = alive * (1 - _largest_within(winners.to(alive), distance))
    ranked = kept.flatten(1).gather(1, order)
    ranked &= ranked.cumsum(1) <= most[:, None]
    return torch.zeros_like(ranked).scatter(1, order, ranked)


def _peaks(images: Tensor) -> Tensor:
    """Return where no neighbour along an axis is larger; of equal ones the first is a peak."""
    peaks = torch.ones_like(images, dtype=torch.bool)
    for axis in (1, 2):
        size = images.shape[axis] - 1
        before, after = images.narrow(axis, 0, size), images.narrow(axis, 1, size)
        peaks.narrow(axis, 1, size).logical_and_(after > before)
        peaks.narrow(axis, 0, size).logical_and_(after <= before)
    return peaks


def _largest_within(images: Tensor, distance: int) -> Tensor:
    """Return the largest entry within a distance along both axes."""
    window = 2 * distance + 1
    rows = F.max_pool2d(images[:, None], (1, window), 1, (0, distance))
    if images.shape[1] == 1:
        return rows[:, 0]
    return F.max_pool2d(rows, (window, 1), 1, (distance, 0))[:, 0]


def _listed(chosen: Tensor, most: int) -> Tensor:
    """Return the places chosen of each image, ``(batch, most)``, in order, then those of none."""
    places = chosen.shape[1]
    slots = torch.where(chosen, chosen.cumsum(1) - 1, most)  # the last is for all others
    found = torch.full((len(chosen), most + 1), places, device=chosen.device)
    index = torch.arange(places, device=chosen.device).expand_as(slots)
    return found.scatter(1, slots, index)[:, :most]


def _present(spikes: Spikes, scene: Scene) -> Tensor:
    """Return whether there is a spike, ``(batch, room)``."""
    return spikes.place < scene.places


def _insert(
    spikes: Spikes, kernel: Tensor, place: Tensor, turn: int, width: int, scene: Scene
) -> Spikes:
    """Insert spikes of amplitude 0 in the order of places, behind those at the same place.

    Args:
        spikes: those there are.
        kernel: those of the new ones, ``(batch, new)``.
        place: where they lie.
        turn: the round that chose them.
        width: room for spikes, as many as any image has then.
        scene: what the images share.
    """
    zeros = torch.zeros_like(kernel)
    new = kernel, place, zeros.double(), zeros + turn, zeros.double(), zeros.bool()
    fields = [torch.cat(pair, 1) for pair in zip(spikes[:6], new, strict=True)]
    met = _products(_atoms(kernel, place, scene), place, fields[0], fields[1], scene)
    known = spikes.place.shape[1]
    gram = torch.cat((torch.cat((spikes.gram, met[..., :known].mT), 2), met), 1)
    return _ordered(Spikes(*fields, gram), width)  # type: ignore[call-arg]


def _ordered(spikes: Spikes, width: int) -> Spikes:
    """Return the first spikes in the order of their places, `width` of each image."""
    order = spikes.place.argsort(dim=1, stable=True)[:, :width]
    gram = spikes.gram.gather(1, order[:, :, None].expand(-1, -1, spikes.gram.shape[2]))
    gram = gram.gather(2, order[:, None].expand(-1, width, -1))
    return Spikes(*(each.gather(1, order) for each in spikes[:6]), gram)  # type: ignore[call-arg]


def _atoms(kernel: Tensor, place: Tensor, scene: Scene) -> Tensor:
    """Return atoms, ``(batch, atoms, rows, columns)``, zero beyond the border."""
    atoms = scene.kernels[kernel]
    for axis, samples in enumerate(_samples(place, scene)):
        inside = (samples >= 0) & (samples < scene.scales.shape[1 + axis])
        atoms = atoms * (inside[..., :, None] if axis == 0 else inside[..., None, :])
    return atoms


def _samples(place: Tensor, scene: Scene) -> tuple[Tensor, Tensor]:
    """Return the rows and the columns of an image under atoms, each ``(batch, atoms, side)``."""
    origins = place // scene.scales.shape[2], place % scene.scales.shape[2]
    down, across = (
        origin[..., None] - (side - 1) // 2 + torch.arange(side, device=place.device)
        for origin, side in zip(origins, scene.kernels.shape[1:], strict=True)
    )
    return down, across


def _under(images: Tensor, place: Tensor, scene: Scene) -> Tensor:
    """Return what of images lies under atoms, ``(batch, atoms, rows, columns)``.

    Beyond the border it is anything, for atoms are zero there.
    """
    height, width = images.shape[1:]
    down, across = _samples(place, scene)
    index = down.clamp(0, height - 1)[..., :, None] * width
    index = index + across.clamp(0, width - 1)[..., None, :]
    return images.flatten(1).gather(1, index.flatten(1)).view(index.shape)


def _around(scene: Scene) -> Tensor:
    """Return one image of the size on which a kernel meets every other at any distance."""
    rows, columns = scene.kernels.shape[1:]
    return scene.kernels.new_empty((2 * rows - 1, 2 * columns - 1))


def _products(atoms: Tensor, place: Tensor, kernel: Tensor, other: Tensor, scene: Scene) -> Tensor:
    """Return the inner products of some atoms with others.

    Args:
        atoms: as they lie on the image, ``(batch, atoms, rows, columns)``, zero beyond the border.
        place: where they lie, ``(batch, atoms)``.
        kernel: the kernels of the others, ``(batch, others)``.
        other: where the others lie.
        scene: what the images share.

    Returns:
        ``(batch, atoms, others)``.
    """
    (rows, columns), width = scene.kernels.shape[1:], scene.scales.shape[2]
    margins = (columns // 2, (columns - 1) // 2, rows // 2, (rows - 1) // 2)
    met = _similarity(F.pad(atoms.flatten(0, 1), margins), scene.kernels)
    down = other[:, None] // width - place[..., None] // width + rows - 1
    across = other[:, None] % width - place[..., None] % width + columns - 1
    height, length = met.shape[2:]
    near = (down >= 0) & (down < height) & (across >= 0) & (across < length)
    index = (kernel[:, None] * height + down) * length + across
    met = met.view(*place.shape, -1).gather(2, torch.where(near, index, 0))
    return torch.where(near, met, 0)


def _index(spikes: Spikes, scene: Scene) -> Tensor:
    """Return where spikes lie in flat activations; where there is no spike, the first entry."""
    index = spikes.kernel * scene.places + spikes.place
    return torch.where(_present(spikes, scene), index, 0)


def _dense(spikes: Spikes, scene: Scene) -> Tensor:
    """Return the activations, ``(batch, kernels, height, width)``."""
    flat = spikes.amplitude.new_zeros((len(spikes.place), scene.scales.numel()))
    # No two spikes are one entry, and those that are not there add 0: any order adds up to this.
    flat = flat.scatter_add(1, _index(spikes, scene), spikes.amplitude)
    return flat.view(-1, *scene.scales.shape)


def _refit(
    spikes: Spikes, maps: Tensor, moving: Tensor, negligible: Tensor, scene: Scene
) -> Spikes:
    """Change amplitudes to those of the least sum of squares; what changes less is left.

    Args:
        spikes: the spikes.
        maps: the similarity of what they leave with every kernel.
        moving: which images to change, ``(batch,)``.
        negligible: the norm of what does not matter, ``(batch,)``.
        scene: what the images share.
    """
    index, present = _index(spikes, scene), _present(spikes, scene)
    seen, scales = maps.flatten(1).gather(1, index), scene.scales.flatten()[index]
    change, dependent, _ = _solve(spikes.gram, seen, present, spikes.dependent)
    norms = torch.where(present, seen.abs() * scales, 0)
    moved = _largest_of_part(norms, spikes, scene) > negligible[:, None]
    moved &= (change.abs() > negligible[:, None] * scales) & present & moving[:, None]
    amplitude = spikes.amplitude + torch.where(moved, change, 0)
    return spikes._replace(amplitude=amplitude, dependent=dependent)


def _largest_of_part(norms: Tensor, spikes: Spikes, scene: Scene) -> Tensor:
    """Return the largest norm among the spikes of every spike's part, ``(batch, room)``.

    A part ends where the next spike meets nothing of those before.
    """
    (rows, columns), width = scene.kernels.shape[1:], scene.scales.shape[2]
    apart = (spikes.place // width).diff(dim=1) >= rows
    if rows == 1:
        apart |= (spikes.place % width).diff(dim=1).abs() >= columns
    parts = F.pad(apart, (1, 0)).cumsum(1)
    return torch.zeros_like(norms).scatter_reduce(1, parts, norms, "amax").gather(1, parts)


def _polish(
    spikes: Spikes, atoms: Tensor, images: Tensor, moving: Tensor, scene: Scene
) -> tuple[Spikes, Tensor, Tensor]:
    """Change all amplitudes to those of the least sum of squares, to the last digit.

    Args:
        spikes: the spikes.
        atoms: what each draws with amplitude 1.
        images: what they are to draw.
        moving: which images to change, ``(batch,)``.
        scene: what the images share.

    Returns:
        The spikes, what they leave of the images, and the factor of the normal equations.
    """
    residual = images - _drawing(_dense(spikes, scene), scene.kernels)
    seen, present = (
        (_under(residual, spikes.place, scene) * atoms).sum((2, 3)),
        _present(spikes, scene),
    )
    change, dependent, factor = _solve(spikes.gram, seen, present, spikes.dependent)
    amplitude = spikes.amplitude + torch.where(present & moving[:, None], change, 0)
    spikes = spikes._replace(amplitude=amplitude, dependent=dependent)
    residual = images - _drawing(_dense(spikes, scene), scene.kernels)
    return spikes, residual, factor


def _solve(
    gram: Tensor, vector: Tensor, present: Tensor, dependent: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Solve normal equations as `sans.pursuit.least_squares.solve` does.

    A row that depends on those before it is as good as not there. Which ones do shows only where
    those before are right; so from a guess, of which the rows up to the first wrong one are right.

    Args:
        gram: ``(batch, room, room)``.
        vector: ``(batch, room)``.
        present: which rows there are, ``(batch, room)``.
        dependent: a guess at which depend on those before.

    Returns:
        The solution, ``(batch, room)``, 0 where a row depends on others, which do, and the factor
        of the matrix, in which they take part in nothing.
    """
    identity = torch.eye(gram.shape[1], dtype=torch.bool, device=gram.device)
    matrix = torch.where(present[:, :, None] & present[:, None], gram, identity.to(gram))
    own = matrix.diagonal(dim1=1, dim2=2)
    index = torch.arange(gram.shape[1], device=gram.device)
    dependent, right = dependent & present, -torch.ones_like(index[:1])
    while True:
        apart = torch.where(identity & dependent[:, None], HUGE * matrix, matrix)
        factor, failed = torch.linalg.cholesky_ex(apart)
        failed = torch.where(failed == 0, len(index) + 1, failed)[:, None]  # rows count from 1
        left = own - factor.tril(-1).square().sum(2)
        lost = ~(left > DEPENDENT * own) | (index == failed - 1)
        wrong = (lost != dependent) & (index < failed) & (index > right)
        if not bool(wrong.any()):
            break
        right = torch.where(wrong, index, len(index)).amin(1, keepdim=True)  # from now on
        dependent = dependent ^ (index == right)
    return _substituted(factor, torch.where(present, vector, 0), dependent), dependent, factor


def _substituted(factor: Tensor, vector: Tensor, dependent: Tensor) -> Tensor:
    """Return the solution of equations of which `_solve` has found the factor."""
    solution = torch.cholesky_solve(torch.where(dependent, 0, vector)[..., None], factor)
    return torch.where(dependent, 0, solution[..., 0])


def _judge(state: State, scene: Scene, turn: int) -> State:
    """Return who goes on after a round: whose φ falls, or may fall yet."""
    task, progress, spikes = scene.task, state.progress, state.spikes
    count = _present(spikes, scene).sum(1)
    now = _phi(task, progress, count, _absolute(state.residual) - progress.beyond)
    better = progress.active & (now < progress.lowest)
    lowest = torch.where(better, now, progress.lowest)
    worse = torch.where(better, 0, progress.worse + 1)
    hope = _phi(task, progress, count, torch.zeros_like(now)) < lowest
    progress = progress._replace(
        lowest=lowest,
        kept=torch.where(better, turn, progress.kept),
        worse=worse,
        active=progress.active & (better | ((worse < PATIENCE) & hope)),
    )
    best = torch.where(better[:, None], spikes.amplitude, spikes.best)
    return state._replace(spikes=spikes._replace(best=best), progress=progress)


def _phi(task: Task, progress: Progress, count: Tensor, error: Tensor) -> Tensor:
    """Return φ of images with so many spikes and so large sums of absolute errors."""
    verbosity = (task.weights + task.cost * count.double()) / task.samples
    return (verbosity.square() + (error / progress.size).square()).sqrt()


def _absolute(images: Tensor) -> Tensor:
    """Return the sums of absolute values, ``(batch,)``."""
    return images.abs().sum((1, 2))


def _finish(state: State, scene: Scene, refit: str) -> tuple[Tensor, Tensor]:
    """Return the activations of images that have been seen enough, and what they leave of them."""
    if scene.task.stop == PHI:
        state = _go_back(state, scene)
    spikes, residual = state.spikes, state.residual
    if width := int(_present(spikes, scene).sum(1).max()):
        spikes = _ordered(spikes, width)
        atoms = _atoms(spikes.kernel, spikes.place, scene)
        if scene.task.stop == PHI:
            spikes, residual = _prune(spikes, atoms, state.images, state.progress, scene)
        else:
            every = torch.ones_like(state.progress.active)
            spikes, residual, _ = _polish(spikes, atoms, state.images, every, scene)
        if refit == "absolute":
            spikes, residual = _refit_absolute(spikes, atoms, state.images, residual, scene)
    return _dense(spikes, scene), residual


def _go_back(state: State, scene: Scene) -> State:
    """Return to the spikes of the lowest φ: those of the rounds that led to it."""
    spikes = state.spikes
    kept = spikes.born <= state.progress.kept[:, None]
    place = torch.where(kept, spikes.place, scene.places)
    amplitude = torch.where(kept, spikes.best, 0)
    spikes = spikes._replace(place=place, amplitude=amplitude)
    residual = state.images - _drawing(_dense(spikes, scene), scene.kernels)
    return state._replace(spikes=spikes, residual=residual)


def _prune(
    spikes: Spikes, atoms: Tensor, images: Tensor, progress: Progress, scene: Scene
) -> tuple[Spikes, Tensor]:
    """Take out spikes without which φ is lower, as `sans.pursuit.pruning` does.

    Args:
        spikes: the spikes.
        atoms: what each draws with amplitude 1.
        images: what they are to draw.
        progress: what φ wants to know of the images.
        scene: what the images share.

    Returns:
        The spikes that stay, and what they leave of the images.
    """

    def phi(spikes: Spikes, residual: Tensor) -> Tensor:
        count, error = _present(spikes, scene).sum(1), _absolute(residual) - progress.beyond
        return _phi(scene.task, progress, count, error)

    every = torch.ones_like(progress.active)
    spikes, residual, factor = _polish(spikes, atoms, images, every, scene)
    lowest = phi(spikes, residual)
    tried, failed = torch.zeros_like(spikes.dependent), torch.zeros_like(progress.kept)
    while True:
        under = _under(residual, spikes.place, scene)
        out = _weakest(spikes, atoms, under, tried | ~_present(spikes, scene))
        out &= (failed < PATIENCE)[:, None]
        if not bool(out.any()):
            return spikes, residual
        trial = _without(spikes, out, factor, scene)
        now = phi(trial, images - _drawing(_dense(trial, scene), scene.kernels))
        better = out.any(1) & (now < lowest)
        spikes = spikes._replace(
            place=torch.where(better[:, None], trial.place, spikes.place),
            amplitude=torch.where(better[:, None], trial.amplitude, spikes.amplitude),
        )
        spikes, residual, factor = _polish(spikes, atoms, images, better, scene)
        lowest = torch.where(better, phi(spikes, residual), lowest)
        tried = (tried | out) & ~better[:, None]
        failed = torch.where(better, 0, failed + 1)


def _weakest(spikes: Spikes, atoms: Tensor, under: Tensor, excluded: Tensor) -> Tensor:
    """Return the mask of the spike without which the sum of absolute errors would grow least.

    Args:
        spikes: the spikes.
        atoms: what each draws with amplitude 1.
        under: what is left of the image there.
        excluded: which not to think of, ``(batch, room)``.
    """
    drawn = spikes.amplitude[..., None, None] * atoms
    loss = ((under + drawn).abs() - under.abs()).sum((2, 3))
    weakest = loss.masked_fill(excluded, math.inf).argmin(1)  # the first of equals
    index = torch.arange(loss.shape[1], device=loss.device)
    return (index == weakest[:, None]) & ~excluded


def _without(spikes: Spikes, out: Tensor, factor: Tensor, scene: Scene) -> Spikes:
    """Return the spikes without one of each image, the others of the least sum of squares.

    The inverse of the matrix says how they change: its column of the spike, times what makes the
    spike's own amplitude 0.

    Args:
        spikes: the spikes; their amplitudes are those of the least sum of squares.
        out: which to take out, ``(batch, room)``, none or one of each image.
        factor: of the normal equations.
        scene: what the images share.
    """
    taken = torch.where(out, spikes.amplitude, 0)
    amplitude = taken.sum(1, keepdim=True)
    column = _substituted(factor, out.to(factor), spikes.dependent)
    own = torch.where(out, column, 0).sum(1, keepdim=True)
    change = torch.where(own > 0, -amplitude / own, 0) * column
    change = torch.where(change.abs() > LITTLE * amplitude.abs(), change, 0)
    place = torch.where(out, scene.places, spikes.place)
    left = torch.where(out, 0, spikes.amplitude + change)
    return spikes._replace(place=place, amplitude=left)


def _refit_absolute(
    spikes: Spikes, atoms: Tensor, images: Tensor, residual: Tensor, scene: Scene
) -> tuple[Spikes, Tensor]:
    """Change amplitudes towards the least sums of absolute errors.

    As `sans.pursuit.absolute` does: least squares again and again, each sample weighted by 1 over
    what was left of it; the best amplitudes are kept.

    Args:
        spikes: the spikes.
        atoms: what each draws with amplitude 1.
        images: what they are to draw.
        residual: what they leave of it.
        scene: what the images share.

    Returns:
        The spikes, and what they leave of the images.
    """
    present = _present(spikes, scene)
    now, left, dependent = spikes, residual, torch.zeros_like(present)
    lowest = _absolute(residual)
    for _ in range(ROUNDS):
        weighted = atoms * _under(_importance(left), spikes.place, scene)
        gram = _products(weighted, spikes.place, spikes.kernel, spikes.place, scene)
        seen = (weighted * _under(left, spikes.place, scene)).sum((2, 3))
        change, dependent, _ = _solve(gram, seen, present, dependent)
        now = now._replace(amplitude=now.amplitude + change)
        left = images - _drawing(_dense(now, scene), scene.kernels)
        total = _absolute(left)
        better = total < lowest
        lowest = torch.where(better, total, lowest)
        residual = torch.where(better[:, None, None], left, residual)
        amplitude = torch.where(better[:, None], now.amplitude, spikes.amplitude)
        spikes = spikes._replace(amplitude=amplitude)
    return spikes, residual


def _importance(residual: Tensor) -> Tensor:
    """Return the weight of every sample: 1 over the magnitude of what is left of it."""
    magnitudes = residual.abs()
    least = SMALL * magnitudes.mean((1, 2), keepdim=True)
    # Where nothing is left, amplitudes are as they should be, whatever the weights.
    return 1 / torch.where(least > 0, torch.maximum(magnitudes, least), 1)


def _similarity(images: Tensor, kernels: Tensor) -> Tensor:
    """Return ``(batch, kernels, height, width)`` of images ``(batch, height, width)``."""
    if images.shape[1] == 1:  # then kernels have one row, too
        return convolution.correlate(images, kernels[:, 0][None])[:, :, None]
    return convolution.correlate(images[:, None], kernels[None])


def _drawing(activations: Tensor, kernels: Tensor) -> Tensor:
    """Return what activations draw, ``(batch, height, width)``."""
    if activations.shape[2] == 1:
        return convolution.decode(activations[:, :, 0], kernels[:, 0][None], "adjoint")
    return convolution.decode(activations, kernels[None], "adjoint")[:, 0]
