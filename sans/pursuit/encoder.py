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
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.convolution.frames import Floats, Integers, as_images
from sans.pursuit import loops
from sans.pursuit.atoms import draw_all, drawable
from sans.pursuit.checks import check
from sans.pursuit.dictionary import Dictionary
from sans.pursuit.norms import norms
from sans.pursuit.parts import (
    Found,
    PursuitPlan,
    described,
    joined,
    norms_on,
    plan_of,
    present_in,
    segment_of,
    task_of,
)
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

    def where(self, which: NDArray[np.bool_]) -> Code:
        """Return some of the spikes, by flags ``(spikes,)``."""
        return replace(
            self,
            signal=self.signal[which],
            kernel=self.kernel[which],
            place=self.place[which],
            amplitude=self.amplitude[which],
        )

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
    plan = plan_of(dictionary, atoms_of(dictionary, space), space, stop, refit, weights)
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


def _code(found: Sequence[Found], shape: tuple[int, ...]) -> Code:
    """Return the spikes of all parts as one code."""
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    signal, kernel, y, x, amplitude = columns or [np.empty(0, np.int64)] * 5
    place = x[:, None] if len(shape) == 3 else np.stack((y, x), 1)
    return Code(signal, kernel, place, amplitude.astype(np.float64), shape)


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
    return joined(found)


def _whole(signals: NDArray[Any], plan: PursuitPlan) -> Found:
    """Describe signals of which no sample is missing."""
    images = as_images(signals.astype(np.float64), signals.ndim - 2)
    return _at_once(images, images[0].size, plan)


def _holed(signals: NDArray[Any], plan: PursuitPlan) -> Found:
    """Describe one signal of which samples are missing, ``(1, leads, *space)``."""
    present = present_in(signals)
    if present < plan.dictionary.longest:
        return joined([])
    images, plan = segment_of(as_images(signals, signals.ndim - 2), plan)
    return _at_once(images, present, plan)


def _at_once(images: Floats, samples: int, plan: PursuitPlan) -> Found:
    """Describe images ``(batch, leads, height, width)`` in one segment, each of so many samples."""
    _, _, height, width = images.shape
    task = task_of(plan, samples, 1.0, 0, width)
    return described(images, images, norms(plan.atoms, (height, width)), task, plan)


def _long(signals: NDArray[Any], plan: PursuitPlan) -> Found:
    """Describe one signal that is longer than a segment, ``(1, leads, length)``."""
    (signal,) = signals
    length, reach = signal.shape[1], plan.dictionary.longest
    step = max(SEGMENT, reach)
    counts = [present_in(signal[:, begin : begin + step]) for begin in range(0, length, step)]
    whole, passed, spent = sum(counts), 0, 0
    found: list[Found] = []
    carried: Floats = np.empty((len(signal), 0))
    laid: dict[tuple[int, int, int], Floats] = {}
    for begin, present in zip(range(0, length, step), counts, strict=True):
        end = min(begin + step, length)
        low, high = max(0, begin - reach), min(length, end + reach)
        form = (begin - low, end - low, high - low)
        images, own = segment_of(signal[None, :, None, low:high], plan)
        original = images[..., form[0] : form[1]].copy()
        images[0, :, 0, : carried.shape[1]] = carried
        task, passed = task_of(plan, present, present / whole, *form[:2]), passed + present
        if task.stop == loops.COUNT:  # shares that add up to the count, what is left over included
            task = task._replace(value=float(int(plan.stop.value * passed / whole) - spent))
        if present and whole >= reach:
            spikes = described(images, original, norms_on(form, own, laid), task, own)
            found.append((*spikes[:3], spikes[3] + low, spikes[4]))
            spent += len(spikes[0])
        carried = images[0, :, 0, max(0, end - reach) - low :]
    return joined(found)
