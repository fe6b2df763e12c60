"""Kernels of all leads, learned on the windows of a recording in which nothing is missing.

A kernel has its own shape in every lead, so that a spike that is seen in one lead says what the
others look like. They are learned as in a pursuit: spikes are found, and each kernel becomes the
mean of what its spikes stand for, weighted by their amplitudes.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.pursuit.dictionary import Dictionary
from sans.pursuit.encoder import Code, pursue
from sans.pursuit.stop import Stop

Values = NDArray[np.float64]

ROUNDS = 6
"""How often spikes are found and kernels moved, for each kernel that is added."""

SHARE = 0.15
"""Spikes draw at least so much of what the largest kernel usually draws."""

SHORTEST, LONGEST = 8, 1024
"""Samples of a kernel."""

_PART_OF_PERIOD = 0.85
_LEAST_CORRELATION = 0.5
_RANK = 0.8
_NEARLY = 0.8  # of the best correlation: the first that is nearly as good is the period


class Learned(NamedTuple):
    """Kernels, and how large their spikes usually are."""

    dictionary: Dictionary
    """The kernels, ``(leads, size)`` each, of unit norm."""

    amplitude: float
    """The magnitude above which the spikes of the largest kernel have half of their energy."""

    @property
    def stop(self) -> Stop:
        """When a pursuit with them has found what they say."""
        return Stop("threshold", SHARE * self.amplitude)


def period_of(values: Values) -> int | None:
    """Return after how many samples a signal is much like itself; None if it never is.

    Args:
        values: ``(leads, length)``, without gaps.
    """
    centred = values - values.mean(axis=1, keepdims=True)
    size = 2 ** math.ceil(math.log2(2 * values.shape[1]))
    power = np.abs(np.fft.rfft(centred, size, axis=1)) ** 2
    power /= np.maximum(power.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    alike = np.fft.irfft(power.sum(axis=0), size)[: values.shape[1] // 3]
    below = np.flatnonzero(alike < 0)
    if not len(below) or not alike[0] > 0:
        return None
    inner = alike[1:-1]
    peaks = 1 + np.flatnonzero((inner >= alike[:-2]) & (inner > alike[2:]))
    peaks = peaks[peaks > max(int(below[0]), SHORTEST)]
    if not len(peaks) or alike[peaks].max() < _LEAST_CORRELATION * alike[0]:
        return None
    return int(peaks[alike[peaks] >= _NEARLY * alike[peaks].max()][0])


def size_of(values: Values, most: int) -> int:
    """Return how long kernels should be: so many samples, or most of a shorter period.

    Args:
        values: ``(leads, length)``, without gaps.
        most: samples.
    """
    if period := period_of(values):
        most = min(most, round(_PART_OF_PERIOD * period))
    return max(1, min(max(SHORTEST, most), LONGEST, int(values.shape[1]) // 3))


def learn(windows: Values, size: int, kernels: int) -> list[Learned]:
    """Learn kernels, one more after the other.

    Args:
        windows: ``(windows, leads, length)``, standardised, without gaps.
        size: samples of a kernel.
        kernels: how many.

    Returns:
        What was learned with one kernel, with two, and so on; fewer where all is described.
    """
    found: list[Learned] = []
    shapes: list[Values] = []
    left, amplitude = windows, 0.0
    for _ in range(kernels):
        shape, norm = _largest(left, size)
        if not norm > SHARE * amplitude:
            break
        shapes.append(shape)
        amplitude = max(amplitude, norm)
        for _ in range(ROUNDS):
            dictionary = Dictionary(tuple(shapes), windows.shape[1], 1)
            code = pursue(windows, dictionary, Learned(dictionary, amplitude).stop, weights=0)
            if not len(code.amplitude):
                return found
            shapes = _moved(shapes, windows, code)
            amplitude = _usual(code)
        dictionary = Dictionary(tuple(shapes), windows.shape[1], 1)
        learned = Learned(dictionary, amplitude)
        left = windows - pursue(windows, dictionary, learned.stop, weights=0).draw(dictionary)
        found.append(learned)
    return found


def measured(dictionary: Dictionary, windows: Values) -> Learned:
    """Return kernels that are given, and how large their spikes are in standardised windows."""
    norms = [float(np.linalg.norm(kernel)) or 1.0 for kernel in dictionary.kernels]
    shapes = tuple(kernel / norm for kernel, norm in zip(dictionary.kernels, norms, strict=True))
    known = Dictionary(shapes, dictionary.leads, 1)
    code = pursue(windows, known, weights=0)
    return Learned(known, _usual(code) if len(code.amplitude) else 1.0)


def _largest(left: Values, size: int) -> tuple[Values, float]:
    """Return a piece of large energy, of unit norm, and its norm.

    It is the largest of its window; of these windows, `_RANK` of all have smaller ones, so that an
    artefact is no kernel.
    """
    energy = np.cumsum(np.pad((left**2).sum(axis=1), ((0, 0), (1, 0))), axis=1)
    sums = energy[:, size:] - energy[:, :-size]
    places = sums.argmax(axis=1)
    order = np.argsort(sums.max(axis=1), kind="stable")
    window = int(order[int(_RANK * (len(order) - 1))])
    piece = left[window, :, places[window] : places[window] + size]
    norm = float(np.linalg.norm(piece))
    return piece / (norm or 1.0), norm


def _usual(code: Code) -> float:
    """Return the magnitude above which spikes have half of the energy, of the largest kernel."""
    return max(_half(np.abs(code.amplitude[code.kernel == k])) for k in np.unique(code.kernel))


def _half(magnitudes: Values) -> float:
    ordered = np.sort(magnitudes)[::-1]
    energy = np.cumsum(ordered**2)
    return float(ordered[np.searchsorted(energy, 0.5 * energy[-1])])


def _moved(shapes: list[Values], windows: Values, code: Code) -> list[Values]:
    """Return each kernel as the mean of what its spikes stand for, the others as they were."""
    drawn = code.draw(Dictionary(tuple(shapes), windows.shape[1], 1))
    left = windows - drawn
    moved = []
    for number, shape in enumerate(shapes):
        of = code.kernel == number
        moved.append(_mean_of(shape, left, code.signal[of], code.place[of, 0], code.amplitude[of]))
    return moved


def _mean_of(
    shape: Values, left: Values, signal: NDArray[Any], place: NDArray[Any], amplitude: Values
) -> Values:
    size, length = shape.shape[1], left.shape[2]
    sums, weights = np.zeros_like(shape), np.full(size, 1e-9)
    for window, start, height in zip(signal, place - (size - 1) // 2, amplitude, strict=True):
        low, high = max(0, -start), min(size, length - start)
        sums[:, low:high] += height * left[window, :, start + low : start + high]
        weights[low:high] += height**2
    mean = shape + sums / weights
    return np.asarray(mean / (np.linalg.norm(mean) or 1.0))
