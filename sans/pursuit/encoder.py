"""Pursuit of signals of any number and length, on numpy arrays.

from sans.pursuit.encoder import pursue

code = pursue(signals, kernels)

Signals do not know of each other: they may be described in any company. A signal longer than a
segment is described segment by segment, each on what the one before has left of it, with its share
of weights and spikes: memory is that of a segment, and time grows with the length.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.convolution.frames import Floats, Integers, as_images
from sans.pursuit import loops, rounds
from sans.pursuit.absolute import ROUNDS, refit_all
from sans.pursuit.atoms import Atoms, draw_all, drawable
from sans.pursuit.cosines import table
from sans.pursuit.dictionary import Dictionary
from sans.pursuit.norms import norms, similarity
from sans.pursuit.places import rearrange_all
from sans.pursuit.products import atoms_of
from sans.pursuit.stop import Stop

SEGMENT = 2**14
"""Samples of a signal that are described at once; enough for borders between them to be rare."""

CHUNK = 2**18
"""Entries of similarity computed at once: what fits a processor's cache is computed fastest."""

PHI = Stop()


@dataclass(frozen=True, slots=True, eq=False)
class Code:
    """Spikes that describe signals, by signal and then by place."""

    signal: Integers
    """``(spikes,)``: which signal."""

    kernel: Integers
    """``(spikes,)``: which kernel."""

    place: Integers
    """``(spikes, dimensions)``: where the kernel's origin lies, in samples."""

    amplitude: Floats
    """``(spikes,)``: how strongly the kernel is drawn."""

    shape: tuple[int, ...]
    """Signals, kernels, and samples along each dimension of space."""

    @property
    def counts(self) -> Integers:
        """How many spikes each signal has, ``(signals,)``."""
        return np.bincount(self.signal, minlength=self.shape[0])

    def dense(self, dtype: Any = np.float32) -> NDArray[Any]:
        """Return the activations, ``(signals, kernels, *space)``, zero where there is no spike."""
        activations = np.zeros(self.shape, dtype)
        activations[self.signal, self.kernel, *self.place.T] = self.amplitude
        return activations

    def draw(self, kernels: Sequence[NDArray[Any]] | Dictionary) -> Floats:
        """Return what the spikes draw with kernels.

        Args:
            kernels: of one lead, or a dictionary, as for `pursue`.

        Returns:
            ``(signals, *space)``; of a dictionary ``(signals, leads, *space)``.
        """
        space = self.shape[2:]
        dictionary = Dictionary.of(kernels, len(space))
        images = np.zeros((self.shape[0], dictionary.leads, *(1, *space)[-2:]))
        y = self.place[:, 0] if len(space) == 2 else np.zeros_like(self.signal)
        spikes = (self.signal, self.kernel, y, self.place[:, -1], self.amplitude)
        draw_all(images, drawable(dictionary, space), *spikes)
        leads = (dictionary.leads,) if isinstance(kernels, Dictionary) else ()
        return images.reshape(self.shape[0], *leads, *space)


class PursuitPlan(NamedTuple):
    """What all signals of a pursuit share."""

    dictionary: Dictionary
    """What spikes may draw."""

    atoms: Atoms
    """The same for the compiled loops."""

    stop: Stop
    """When to stop."""

    refit: str
    """What is refitted at last."""

    weights: float
    """What φ counts as weights."""

    cost: float
    """What φ counts for a spike."""


Found = tuple[Integers, Integers, Integers, Integers, Floats]
"""Signal, kernel, row, column and amplitude of spikes."""


def pursue(
    signals: NDArray[Any],
    kernels: Sequence[NDArray[Any]] | Dictionary,
    stop: Stop = PHI,
    refit: str = "squares",
    weights: float | None = None,
    threads: int = 1,
) -> Code:
    """Describe signals by spikes of kernels.

    Every round takes the largest extrema, over all kernels, of what is not described yet, and
    refits all amplitudes by least squares. Where φ says when to stop, spikes without which it is
    lower are taken out again.

    Args:
        signals: ``(signals, *space)``, with one or two dimensions of space; where the kernels are a
            dictionary, ``(signals, leads, *space)``.
        kernels: ``(size,)`` or ``(size, size)`` each, of any norm; or a dictionary, whose kernels
            may have several leads: a spike draws in all of them.
        stop: when to stop.
        refit: "squares", or "absolute": at last, amplitudes of the least sum of absolute errors, or
            "places": then, spikes move where φ falls by it.
        weights: what φ counts as weights; None: all of the kernels.
        threads: how many share the work; the result is the same.

    Returns:
        The spikes; a signal of zeros has none.

    Raises:
        ValueError: if kernels do not fit the signals, or a sample or weight is not finite.

    Examples:
        >>> import numpy as np
        >>> from sans.pursuit.encoder import pursue
        >>> kernel, signal = np.array([1.0, 2.0, 1.0]), np.zeros((1, 20))
        >>> signal[0, 4:7] = 3 * kernel
        >>> code = pursue(signal, [kernel])
        >>> code.place.tolist(), code.amplitude.round(6).tolist()  # where the kernel's middle lies
        ([[5]], [3.0])
        >>> bool(np.allclose(code.draw([kernel]), signal))
        True
    """
    dictionary = check(signals, kernels)
    if not isinstance(kernels, Dictionary):
        signals = signals[:, None]
    space = signals.shape[2:]
    counted = dictionary.numbers if weights is None else weights
    cost = stop.cost(len(space), dictionary.shapes, math.prod(space))
    plan = PursuitPlan(dictionary, atoms_of(dictionary, space), stop, refit, counted, cost)
    if len(space) == 1 and space[0] > SEGMENT:
        parts, work = [(i, i + 1) for i in range(len(signals))], _long
    else:
        each = max(1, CHUNK // (dictionary.shapes * max(1, math.prod(space))))
        each = min(each, max(1, -(-len(signals) // threads)))
        bounds = [*range(0, len(signals), each), len(signals)]
        parts, work = list(pairwise(bounds)), _short

    def perform(part: tuple[int, int]) -> Found:
        signal, kernel, y, x, amplitude = work(signals[slice(*part)], plan)
        return signal + part[0], kernel, y, x, amplitude

    if threads > 1 and len(parts) > 1:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(perform, parts))
    else:
        found = [perform(part) for part in parts]
    return _code(found, (len(signals), dictionary.shapes, *space))


def check(signals: NDArray[Any], kernels: Sequence[NDArray[Any]] | Dictionary) -> Dictionary:
    """Return kernels as a dictionary, or raise a ValueError unless they can describe the signals.

    Args:
        signals: as for `pursue`.
        kernels: as for `pursue`.
    """
    given = isinstance(kernels, Dictionary)
    dimensions = signals.ndim - 1 - given
    if dimensions not in (1, 2):
        axes = "signals, leads" if given else "signals"
        raise ValueError(
            f"signals must be ({axes}, length) or ({axes}, height, width), not {signals.shape}"
        )
    dictionary = Dictionary.of(kernels, dimensions)
    _check_fit(signals.shape, dictionary, dimensions)
    _check_samples(signals)
    return dictionary


def _check_samples(signals: NDArray[Any]) -> None:
    """Raise a ValueError where a sample is infinite, or all samples of a signal are missing."""
    if not signals.size:
        return
    # The least and the largest sample take no memory, as a flag for every sample would.
    extremes = [ufunc.reduce(signals.reshape(len(signals), -1), 1) for ufunc in (np.fmin, np.fmax)]
    for number, (least, largest) in enumerate(zip(*extremes, strict=True)):
        if np.isnan(least):
            raise ValueError(f"all samples of signal {number} are missing")
        if np.isinf(least) or np.isinf(largest):
            raise ValueError(f"signal {number} holds infinity: leave it out")


def _check_fit(shape: tuple[int, ...], dictionary: Dictionary, dimensions: int) -> None:
    """Raise a ValueError unless a dictionary is for signals of a shape."""
    if dictionary.dimensions != dimensions:
        raise ValueError(
            f"the dictionary is for {dictionary.dimensions}-D, the signals are {dimensions}-D"
        )
    if len(shape) == dimensions + 2 and shape[1] != dictionary.leads:
        raise ValueError(f"the dictionary has {dictionary.leads} leads, the signals {shape[1]}")
    least = min(shape[-dimensions:])
    if dictionary.cosines:
        table(max(shape[-dimensions:]))
    for size in dictionary.sizes:
        if size > least:
            raise ValueError(f"the kernel size must be between 1 and {least}, not {size}")


def _code(found: Sequence[Found], shape: tuple[int, ...]) -> Code:
    """Return the spikes of all parts as one code."""
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    signal, kernel, y, x, amplitude = columns or [np.empty(0, np.int64)] * 5
    place = x[:, None] if len(shape) == 3 else np.stack((y, x), 1)
    return Code(signal, kernel, place, amplitude.astype(np.float64), shape)


def _task(plan: PursuitPlan, samples: int, share: float, first: int, last: int) -> loops.Aim:
    """Return what is to be described of an image; its size and energy are filled in later."""
    rule, value = loops.RULES[plan.stop.kind], float(plan.stop.value)
    weights = plan.weights * share
    return loops.Aim(0.0, 0.0, first, last, float(samples), weights, plan.cost, rule, value)


def room_of(task: loops.Aim) -> int:
    """Return how many spikes an image can have: none that would cost more than no spike at all."""
    if task.stop == loops.COUNT:
        return int(min(task.value, task.samples))
    if task.stop == loops.PHI:
        return int(
            min(
                math.hypot(1, task.weights / task.samples) * task.samples / task.cost + 1,
                task.samples,
            )
        )
    return int(task.samples)


def _short(signals: NDArray[Any], plan: PursuitPlan) -> Found:
    """Describe signals ``(signals, leads, *space)`` that are no longer than a segment."""
    holed = np.isnan(signals.reshape(len(signals), -1).min(1))
    if not holed.any():
        return _whole(signals, plan)
    found = []
    bounds = sorted({0, len(signals), *np.flatnonzero(holed), *(np.flatnonzero(holed) + 1)})
    for begin, end in pairwise(bounds):
        part = signals[begin:end]
        signal, *spikes = _holed(part, plan) if holed[begin] else _whole(part, plan)
        found.append((signal + begin, *spikes))
    return _joined(found)


def _whole(signals: NDArray[Any], plan: PursuitPlan) -> Found:
    """Describe signals of which no sample is missing."""
    images = as_images(signals.astype(np.float64), signals.ndim - 2)
    _, leads, height, width = images.shape
    task = _task(plan, leads * height * width, 1.0, 0, width)
    found, _ = _described(images, images, norms(plan.atoms, (height, width)), task, plan)
    return found


def _holed(signals: NDArray[Any], plan: PursuitPlan) -> Found:
    """Describe one signal of which samples are missing, ``(1, leads, *space)``."""
    present = _present(signals)
    if present < plan.dictionary.longest:
        return _joined([])
    images, plan = _segment(as_images(signals, signals.ndim - 2), plan)
    space = images.shape[2:]
    task = _task(plan, present, 1.0, 0, space[1])
    found, _ = _described(images, images, norms(plan.atoms, (space[0], space[1])), task, plan)
    return found


def _joined(found: Sequence[Found]) -> Found:
    """Return spikes of several parts as those of one."""
    none = np.empty(0, np.int64)
    parts = [*found, (none, none, none, none, np.empty(0))]
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))  # type: ignore[return-value]


def _maps(images: Floats, atoms: Atoms) -> Floats:
    """Return the similarity of images ``(batch, leads, height, width)`` with every atom."""
    maps = similarity(images, atoms.kernels, atoms.edges)
    if not atoms.wide.size:
        return maps
    waves = atoms.tall @ images[:, 0] @ atoms.wide.T
    return np.concatenate((maps, waves[:, None]), 1)


def _described(
    images: Floats, originals: Floats, laid: Floats, task: loops.Aim, plan: PursuitPlan
) -> tuple[Found, Floats]:
    """Return the spikes of images ``(batch, leads, height, width)``, and what they leave of them.

    Args:
        images: the images; changed.
        originals: ``(batch, leads, height, last - first)``: what φ and an error are measured by.
        laid: 1 / norm of every atom.
        task: what is to be described, and until when.
        plan: what all signals share.
    """
    batch = len(images)
    maps = _maps(images, plan.atoms)
    room = room_of(task)
    spikes = loops.room_for(batch * room)
    measures = _measures(images, originals, task) if plan.refit == "places" else None
    counts = rounds.pursue_all(images, originals, maps, plan.atoms, laid, task, spikes)
    begins = room * np.arange(batch)
    if plan.refit != "squares":
        refit_all(spikes, begins, counts, plan.atoms, images, ROUNDS)
    if measures:
        sizes, beyond = measures
        rearrange_all(spikes, counts, plan.atoms, laid, task, sizes, images, beyond)
        refit_all(spikes, begins, counts, plan.atoms, images, ROUNDS)
    signal = np.repeat(np.arange(batch), counts)
    at = signal * room + np.arange(len(signal)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = at[spikes.amplitude[at] != 0]
    found = (spikes.kernel[kept], spikes.y[kept], spikes.x[kept], spikes.amplitude[kept])
    return (kept // max(room, 1), *found), images


def _measures(images: Floats, originals: Floats, task: loops.Aim) -> tuple[Floats, Floats]:
    """Return what φ measures errors by, and what of the images does not count, ``(batch,)`` each.

    The arguments are those of `_described`, before anything is described.
    """
    before, after = (
        np.abs(images[..., part]).sum((1, 2, 3))
        for part in (slice(task.first), slice(task.last, None))
    )
    return np.abs(originals).sum((1, 2, 3)), before + after


def _long(signals: NDArray[Any], plan: PursuitPlan) -> Found:
    """Describe one signal that is longer than a segment, ``(1, leads, length)``."""
    (signal,) = signals
    length, reach = signal.shape[1], plan.dictionary.longest
    step = max(SEGMENT, reach)
    counts = [_present(signal[:, begin : begin + step]) for begin in range(0, length, step)]
    whole, passed, spent = sum(counts), 0, 0
    found: list[Found] = []
    carried: Floats = np.empty((len(signal), 0))
    laid: dict[tuple[int, int, int], Floats] = {}
    for begin, present in zip(range(0, length, step), counts, strict=True):
        end = min(begin + step, length)
        low, high = max(0, begin - reach), min(length, end + reach)
        form = (begin - low, end - low, high - low)
        images, own = _segment(signal[None, :, None, low:high], plan)
        original = images[..., form[0] : form[1]].copy()
        images[0, :, 0, : carried.shape[1]] = carried
        task, passed = _task(plan, present, present / whole, *form[:2]), passed + present
        if task.stop == loops.COUNT:  # shares that add up to the count, what is left over included
            task = task._replace(value=float(int(plan.stop.value * passed / whole) - spent))
        if present and whole >= reach:
            spikes, _ = _described(images, original, _norms_on(form, own, laid), task, own)
            found.append((*spikes[:3], spikes[3] + low, spikes[4]))
            spent += len(spikes[0])
        carried = images[0, :, 0, max(0, end - reach) - low :]
    return _joined(found)


def _present(signal: NDArray[Any]) -> int:
    """Return how many samples of a signal are not missing."""
    return signal.size - int(np.count_nonzero(np.isnan(signal)))


def _segment(signals: NDArray[Any], plan: PursuitPlan) -> tuple[Floats, PursuitPlan]:
    """Return an image ``(1, leads, height, width)`` with 0 for what is missing, and its plan."""
    images = signals.astype(np.float64)
    missing = np.isnan(images[0])
    if missing.any():
        images[0][missing] = 0.0
        plan = plan._replace(atoms=plan.atoms._replace(missing=missing))
    return images, plan


def _norms_on(
    form: tuple[int, int, int], plan: PursuitPlan, laid: dict[tuple[int, int, int], Floats]
) -> Floats:
    """Return 1 / norm of every atom on a segment, 0 where spikes of other segments lie.

    Args:
        form: the first column of the segment's own spikes, the one behind the last, and the width.
        plan: that of the segment.
        laid: those of segments without missing samples; added to.
    """
    if form in laid and not plan.atoms.missing.size:
        return laid[form]
    found = norms(plan.atoms, (1, form[2]))
    found[..., : form[0]] = found[..., form[1] :] = 0
    if not plan.atoms.missing.size:
        laid[form] = found
    return found
