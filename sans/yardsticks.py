"""Transforms that nobody trained, as yardsticks: what φ they reach on the same signals.

A yardstick describes a signal by its k coefficients of largest magnitude, which is a few spikes of
kernels that both sides know: no weights are counted (W = 0), and a coefficient costs what a spike
does, an amplitude and D coordinates. Each signal has the k, from 0 up, at which its φ is lowest.
Kernels that were learned pay where they score below that.

[CDF]: A. Cohen, I. Daubechies, J.-C. Feauveau, "Biorthogonal bases of compactly supported
wavelets", Comm. Pure Appl. Math. 1992 (its 9/7 filters; PyWavelets calls them bior4.4).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sans.configs import check_name
from sans.figures import Approximation, figures

if TYPE_CHECKING:
    from sans.evaluation import Evaluation
    from sans.signals import Signals

Array: TypeAlias = NDArray[np.float64]

WAVELET: dict[str, str] = {"wavelet": "bior4.4", "mode": "periodization"}
"""The filters, and the border that gives a signal of even length no more coefficients than samples:
the signal goes round."""

LEVELS = 7
"""The most often that a signal is halved."""

BATCH = 2**17
"""Samples searched at once: what a step over them reads stays in a processor's cache."""

TABLE = 2**24
"""Numbers in the table of what each coefficient draws, 128 MiB; longer signals do without it."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """A linear transform of signals and its inverse."""

    description: str
    """Which transform of its kind it is."""

    analyse: Callable[[Array], Array]
    """From signals ``(signals, *space)`` to coefficients ``(signals, coefficients)``, of atoms
    whose norms are 1 or near it, so that magnitudes compare."""

    synthesise: Callable[[Array, Sequence[int]], Array]
    """From coefficients ``(signals, coefficients)``, and the shape of space, to the signals."""


def score(name: str, signals: Signals) -> Evaluation:
    """Return the figures of a yardstick on `signals`, as `sans.evaluate` does for a network.

    The time it takes grows with the square of a signal's length.

    Args:
        name: a key of `YARDSTICKS`.
        signals: ``(signals, 1, *space)``; those that are zero everywhere are left out and counted.

    Raises:
        ValueError: if there is no such yardstick, the shape is another, a sample is not finite, or
            every signal is zero.
    """
    check_name("yardstick", name, YARDSTICKS)
    import torch  # here, where a list of the names is had without it

    from sans.evaluation import Evaluation
    from sans.signals import audible

    yardstick = YARDSTICKS[name]
    tensor, left_out = audible(signals)
    draw = _atoms(yardstick, tuple(tensor.shape[2:]))
    batches = torch.split(tensor.detach().cpu(), max(1, BATCH // tensor[0].numel()))
    parts = [_figures(yardstick, batch.double().numpy(), draw) for batch in batches]
    scores = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    return Evaluation(scores, left_out)


def analyse_by_dct(signals: Array) -> Array:
    """Return the orthonormal cosine transform (DCT-II) along every dimension of space."""
    from scipy.fft import dctn

    axes = range(1, signals.ndim)
    return np.asarray(dctn(signals, axes=axes, norm="ortho").reshape(len(signals), -1))


def synthesise_by_dct(coefficients: Array, space: Sequence[int]) -> Array:
    """Return the signals that have these coefficients: the inverse of `analyse_by_dct`."""
    from scipy.fft import idctn

    axes = range(1, 1 + len(space))
    return np.asarray(idctn(coefficients.reshape(-1, *space), axes=axes, norm="ortho"))


def analyse_by_wavelets(signals: Array) -> Array:
    """Return the CDF 9/7 wavelet coefficients of `signals`, the coarsest band first ([CDF])."""
    import pywt

    axes, level = range(1, signals.ndim), _levels(signals.shape[1:])
    bands = _in_order(pywt.wavedecn(signals, **WAVELET, level=level, axes=axes))
    return np.concatenate([band.reshape(len(signals), -1) for band in bands], axis=1)


def synthesise_by_wavelets(coefficients: Array, space: Sequence[int]) -> Array:
    """Return the signals that have these coefficients: the inverse of `analyse_by_wavelets`."""
    import pywt

    coarse, *finer = pywt.wavedecn_shapes(tuple(space), **WAVELET, level=_levels(space))
    ends = np.cumsum([math.prod(shape) for shape in _in_order([coarse, *finer])])
    bands = iter(np.split(coefficients, ends[:-1], axis=1))
    nested = [next(bands).reshape(-1, *coarse)] + [
        {key: next(bands).reshape(-1, *level[key]) for key in sorted(level)} for level in finer
    ]
    signals = pywt.waverecn(nested, **WAVELET, axes=range(1, 1 + len(space)))
    # Where a length is odd, its last sample was repeated to make it even.
    return np.asarray(signals[(slice(None), *map(slice, space))])


YARDSTICKS: dict[str, Yardstick] = {
    "wavelet": Yardstick("CDF 9/7", analyse_by_wavelets, synthesise_by_wavelets),
    "dct": Yardstick("DCT-II", analyse_by_dct, synthesise_by_dct),
}
"""Every yardstick by the name that the command line knows it by."""


def _levels(space: Sequence[int]) -> int:
    """Return how often signals are halved: while the filters are no longer than what is left."""
    import pywt

    return min(LEVELS, int(pywt.dwt_max_level(min(space), WAVELET["wavelet"])))


def _in_order(nested: Sequence[Any]) -> list[Any]:
    """Return the bands, or their shapes, of PyWavelets' nested list: coarse to fine, by name."""
    coarse, *finer = nested
    return [coarse, *(level[key] for level in finer for key in sorted(level))]


def _atoms(yardstick: Yardstick, space: tuple[int, ...]) -> Callable[[NDArray[np.intp]], Array]:
    """Return a function from positions of coefficients to what a 1 at each of them draws.

    Its argument is ``(positions,)``, its result ``(positions, samples)``.
    """
    coefficients = yardstick.analyse(np.zeros((1, *space))).shape[1]

    def draw(positions: NDArray[np.intp]) -> Array:
        ones = np.zeros((len(positions), coefficients))
        ones[np.arange(len(positions)), positions] = 1
        return yardstick.synthesise(ones, space).reshape(len(positions), -1)

    if coefficients * math.prod(space) > TABLE:
        return draw
    table = draw(np.arange(coefficients))
    return lambda positions: table[positions]


def _figures(
    yardstick: Yardstick, signals: Array, draw: Callable[[NDArray[np.intp]], Array]
) -> dict[str, Array]:
    """Return every figure of a batch, ``(batch, 1, *space)``, by name, ``(batch,)`` each."""
    values = signals[:, 0]
    coefficients = yardstick.analyse(values)
    order = np.argsort(-abs(coefficients), axis=1, kind="stable")  # of equals, the first
    counts = _best_counts(values, coefficients, order, draw)
    kept = np.zeros_like(coefficients, bool)
    np.put_along_axis(kept, order, np.arange(len(kept[0])) < counts[:, None], axis=1)
    reconstruction = yardstick.synthesise(np.where(kept, coefficients, 0), values.shape[1:])
    found = figures(Approximation(signals, reconstruction[:, None], counts))
    return {name: column.astype(np.float64) for name, column in found.items()}


def _best_counts(
    signals: Array,
    coefficients: Array,
    order: NDArray[np.intp],
    draw: Callable[[NDArray[np.intp]], Array],
) -> NDArray[np.int64]:
    """Return how many coefficients of each signal give the lowest φ, the fewest if several do.

    One more is taken from all the signals until the numbers kept, without any error, cost as much
    as the best φ of each: φ may rise before it falls again, and no k beyond that can win.

    Args:
        signals: ``(signals, *space)``, none zero everywhere.
        coefficients: ``(signals, coefficients)``.
        order: their positions by falling magnitude, like `coefficients`.
        draw: what `_atoms` returns.
    """
    rows = np.arange(len(signals))
    samples = signals[0].size
    residual = signals.reshape(-1, samples).copy()
    size = abs(residual).sum(1)
    price = signals.ndim / samples  # (D + 1) / n: the batch is a dimension, too
    lowest, winners = np.ones(len(signals)), np.zeros(len(signals), np.int64)  # k = 0: all is error
    k = 0
    while price * (k + 1) < lowest.max():
        taken = order[:, k]
        k += 1
        residual -= coefficients[rows, taken, None] * draw(taken)
        phi = np.hypot(price * k, abs(residual).sum(1) / size)
        better = phi < lowest
        lowest[better], winners[better] = phi[better], k
    return winners
