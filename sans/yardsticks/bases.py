"""Fixed bases: signals by those of their coefficients that draw most.

Each signal has the k, from 0 up, at which its φ is lowest; no weights are counted (W = 0), and a
coefficient costs what a spike does. A basis with more coefficients than a signal has places, as
most borders of wavelets and several leads give, has q = coefficients / places shapes in φₐ: the
address of one of so many. Missing samples are interpolated before the transform, and no error
there counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sans.figures import Approximation
from sans.missing import interpolated
from sans.pursuit.stop import Stop

Array: TypeAlias = NDArray[np.float64]
Positions: TypeAlias = NDArray[np.intp]

BATCH = 2**17
"""Samples searched at once: what a step over them reads stays in a processor's cache."""

TABLE = 2**24
"""Numbers in the table of what each coefficient draws, 128 MiB; longer signals do without it."""


@dataclass(frozen=True, slots=True)
class Basis:
    """A linear transform of signals and its inverse, as a yardstick."""

    description: str
    """Which transform of its kind it is."""

    analyse: Callable[[Array], Array]
    """From signals ``(signals, *space)`` to coefficients ``(signals, coefficients)``."""

    synthesise: Callable[[Array, Sequence[int]], Array]
    """From coefficients ``(signals, coefficients)``, and the shape of space, to the signals."""

    norms: Callable[[Sequence[int]], Array] | None = None
    """From the shape of space to the norms of what the coefficients draw, ``(coefficients,)``;
    None: they are 1, or near it and not looked at."""

    chosen: bool = False
    """Whether it was chosen for the data, on another part of them."""

    interpolated: bool = True
    """Whether missing samples are interpolated before the transform; otherwise they are 0."""

    def approximate(self, signals: Array, objective: str = "phi") -> list[Approximation]:
        """Return what the best coefficients of each signal draw, and how many they are.

        The time it takes grows with the square of a signal's length.

        Args:
            signals: ``(signals, leads, *space)``, none zero everywhere; NaN is a missing sample.
            objective: which figure of a signal is lowest at its count, "phi" or "addressed".
        """
        draw = atoms_of(self, signals.shape[2:])
        each = max(1, BATCH // signals[0].size)
        parts = [signals[i : i + each] for i in range(0, len(signals), each)]
        return [self._approximate(part, objective, draw) for part in parts]

    def _approximate(
        self, signals: Array, objective: str, draw: Callable[[Positions], Array]
    ) -> Approximation:
        batch, leads, *space = signals.shape
        coefficients, order, shapes = self.ordered(signals)
        cost = Stop(objective).cost(len(space), shapes, math.prod(space))
        counts = best_counts(signals, coefficients, order, draw, cost)
        kept = np.zeros_like(coefficients, bool)
        np.put_along_axis(kept, order, np.arange(len(kept[0])) < counts[:, None], axis=1)
        folded = np.where(kept, coefficients, 0).reshape(batch * leads, -1)
        reconstruction = self.synthesise(folded, space).reshape(signals.shape)
        return Approximation(signals, reconstruction, counts, shapes=shapes)

    def ordered(self, signals: Array) -> tuple[Array, Positions, float]:
        """Return the coefficients of signals, their order by what they draw, and q.

        Args:
            signals: ``(signals, leads, *space)``; NaN is a missing sample.

        Returns:
            Coefficients ``(signals, leads x coefficients)``; their positions by the falling norm
            of what they draw, of equals the first first; and how many there are for every place.
        """
        space = signals.shape[2:]
        coefficients = self.coefficients(signals)
        order = np.argsort(-self.drawn(coefficients, space), axis=1, kind="stable")
        return coefficients, order, coefficients.shape[1] / math.prod(space)

    def coefficients(self, signals: Array) -> Array:
        """Return the coefficients of signals ``(signals, leads, *space)``, as in `ordered`."""
        batch, leads, *space = signals.shape
        whole = filled(signals) if self.interpolated else np.nan_to_num(signals, nan=0.0)
        return self.analyse(whole.reshape(batch * leads, *space)).reshape(batch, -1)

    def drawn(self, coefficients: Array, space: Sequence[int]) -> Array:
        """Return the norm of what each coefficient draws, like `coefficients`.

        Args:
            coefficients: ``(signals, leads x coefficients)``.
            space: the shape of space.
        """
        magnitudes = abs(coefficients)
        if self.norms is not None:
            norms = self.norms(space)
            magnitudes *= np.tile(norms, coefficients.shape[1] // len(norms))
        return magnitudes


def filled(signals: Array) -> Array:
    """Return signals with missing samples interpolated along the last dimension, 0 if all are.

    Args:
        signals: ``(signals, leads, *space)``; NaN is a missing sample.
    """
    if not np.isnan(signals).any():
        return signals
    rows = signals.reshape(-1, signals.shape[-1])
    return np.stack([interpolated(row) for row in rows]).reshape(signals.shape)


def atoms_of(basis: Basis, space: Sequence[int]) -> Callable[[Positions], Array]:
    """Return a function from positions of coefficients to what a 1 at each of them draws.

    Its argument is ``(positions,)``, its result ``(positions, samples)``; both of one lead.
    """
    coefficients = basis.analyse(np.zeros((1, *space))).shape[1]

    def draw(positions: Positions) -> Array:
        ones = np.zeros((len(positions), coefficients))
        ones[np.arange(len(positions)), positions] = 1
        return basis.synthesise(ones, space).reshape(len(positions), -1)

    if coefficients * math.prod(space) > TABLE:
        return draw
    table = draw(np.arange(coefficients))
    return lambda positions: table[positions]


def best_counts(
    signals: Array,
    coefficients: Array,
    order: Positions,
    draw: Callable[[Positions], Array],
    cost: float,
) -> NDArray[np.int64]:
    """Return how many coefficients of each signal give the lowest φ, the fewest if several do.

    One more is taken from all the signals until the numbers kept, without any error, cost as much
    as the best φ of each: φ may rise before it falls again, and no k beyond that can win.

    Args:
        signals: ``(signals, leads, *space)``, none zero everywhere; NaN is a missing sample.
        coefficients: ``(signals, leads x coefficients)``.
        order: their positions by falling magnitude, like `coefficients`.
        draw: what `atoms_of` returns.
        cost: what φ counts for a coefficient.
    """
    samples, size = sizes(signals)
    price = cost / samples
    lowest, winners = np.ones(len(signals)), np.zeros(len(signals), np.int64)  # k = 0: all is error
    for k, error in enumerate(_errors(signals, coefficients, order, draw), 1):
        phi = np.hypot(price * k, error / size)
        better = phi < lowest
        lowest[better], winners[better] = phi[better], k
        if (price * (k + 1) >= lowest).all():
            break
    return winners


def curve(basis: Basis, signals: Array) -> Array | None:
    """Return mean CR⁻¹ and L̃ of 0, 1, 2, … coefficients, ``(counts, 2)``, up to a CR⁻¹ of 1.

    Args:
        basis: whose coefficients.
        signals: ``(signals, leads, *space)``, none zero everywhere; NaN is a missing sample.

    Returns:
        The curve; None for signals so long that it would take minutes.
    """
    space = signals.shape[2:]
    coefficients, order, _ = basis.ordered(signals)
    if coefficients.shape[1] * math.prod(space) > TABLE:
        return None
    samples, size = sizes(signals)
    price = float(((len(space) + 1) / samples).mean())
    found = [(0.0, 1.0)]
    for error in _errors(signals, coefficients, order, atoms_of(basis, space)):
        found.append((price * len(found), float((error / size).mean())))
        if found[-1][0] >= 1:
            break
    return np.array(found)


def sizes(signals: Array) -> tuple[NDArray[np.int64], Array]:
    """Return how many samples of each signal there are, and Σ |x| of them, ``(signals,)`` each."""
    flat = signals.reshape(len(signals), -1)
    return (~np.isnan(flat)).sum(1), np.nansum(abs(flat), 1)


def _errors(
    signals: Array,
    coefficients: Array,
    order: Positions,
    draw: Callable[[Positions], Array],
) -> Iterator[Array]:
    """Yield Σ |error| of 1, 2, … coefficients, ``(signals,)``; arguments as of `best_counts`."""
    batch, leads = signals.shape[:2]
    rows, each = np.arange(batch), coefficients.shape[1] // leads
    there = ~np.isnan(signals).reshape(batch, leads, -1)
    residual, masked = np.where(there, signals.reshape(there.shape), 0), not there.all()
    for k in range(coefficients.shape[1]):
        lead, position = np.divmod(order[:, k], each)
        drawn = coefficients[rows, order[:, k], None] * draw(position)
        residual[rows, lead] -= drawn * there[rows, lead] if masked else drawn
        yield abs(residual).sum((1, 2))
