"""Samples of a signal themselves as its description: alone, or with straight lines between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sans.compilation.decorators import compiled, inlined
from sans.figures import Approximation
from sans.pursuit.stop import Stop
from sans.yardsticks.bases import Array, Basis, Positions


def largest_samples() -> Basis:
    """Return the basis of samples: the largest are kept, and all others are drawn as 0."""

    def analyse(signals: Array) -> Array:
        return signals.reshape(len(signals), -1)

    def synthesise(coefficients: Array, space: Sequence[int]) -> Array:
        return coefficients.reshape(-1, *space)

    return Basis("the largest samples", analyse, synthesise, interpolated=False)


@dataclass(frozen=True, slots=True)
class Lines:
    """Samples with straight lines between them; the first and the last go on to the ends.

    Of all samples, that one is left out again and again without which the sum of absolute errors
    rises least; of all counts, the one with the lowest φ is taken. A sample costs what a spike
    does, its place and its value.
    """

    description: str = "samples, and straight lines between them"
    """What it is."""

    chosen: bool = False
    """It is no choice among several."""

    def approximate(self, signals: Array, objective: str = "phi") -> list[Approximation]:
        """Return what the kept samples of each signal draw, and how many they are.

        Args:
            signals: ``(signals, leads, length)``, none zero everywhere; NaN is a missing sample.
            objective: which figure of a signal is lowest at its count, "phi" or "addressed".

        Raises:
            ValueError: if the signals are images.
        """
        if signals.ndim != 3:
            raise ValueError("lines between samples describe signals of one dimension, not images")
        _, leads, length = signals.shape
        cost = Stop(objective).cost(1, leads, length)
        drawn = [_drawn(signal, cost) for signal in signals]
        reconstruction = np.stack([each for each, _ in drawn])
        counts = np.array([count for _, count in drawn])
        return [Approximation(signals, reconstruction, counts, shapes=leads)]


def _drawn(signal: Array, cost: float) -> tuple[Array, int]:
    """Return what the samples of the best count draw, ``(leads, length)``, and the count."""
    leads, length = signal.shape
    missing = np.isnan(signal).ravel()
    values = np.where(missing, 0, signal.ravel())
    count = int((~missing).sum())
    order, rises = _thinned(values, missing, length)
    errors = np.append(0.0, np.cumsum(rises))  # by samples left out
    kept = np.arange(count, -1, -1)
    phi = np.hypot(cost * kept / count, errors / abs(values).sum())
    chosen = np.sort(order[np.flatnonzero(phi == phi.min())[-1] :])  # of equals, the fewest
    drawn = np.zeros((leads, length))
    for lead in range(leads):
        own = chosen[chosen // length == lead]
        if len(own):
            drawn[lead] = np.interp(np.arange(length), own % length, values[own])
    return drawn, len(chosen)


def _thinned(values: Array, missing: np.ndarray, length: int) -> tuple[Positions, Array]:
    """Return all samples in the order in which they are left out, and by what the error rises.

    Args:
        values: ``(leads x length,)``, 0 where a sample is missing.
        missing: where one is.
        length: of a lead.
    """
    there = np.flatnonzero(~missing)
    before, after = np.full(len(values), -1), np.full(len(values), -1)
    same = there[1:] // length == there[:-1] // length
    after[there[:-1][same]], before[there[1:][same]] = there[1:][same], there[:-1][same]
    leaves = 1 << max(1, len(values) - 1).bit_length()
    tree = np.full(2 * leaves, math.inf)
    order, rises = np.empty(len(there), np.intp), np.empty(len(there))
    _thin(values, missing, length, there, before, after, tree, order, rises)
    return order, rises


@compiled
def _thin(
    values: Array,
    missing: np.ndarray,
    length: int,
    there: Positions,
    before: Positions,
    after: Positions,
    tree: Array,
    order: Positions,
    rises: Array,
) -> None:
    """Leave out all samples, each time the one without which the error rises least.

    Args:
        values: ``(leads x length,)``, 0 where a sample is missing.
        missing: where one is.
        length: of a lead.
        there: the places that have a sample.
        before: the place of the kept sample before that at each place in its lead, or -1.
        after: the same of the next one.
        tree: room for the least rise of pairs of places, pairs of pairs, and so on; infinite.
        order: room for the places.
        rises: room for the rises.
    """
    for at in there:
        _plant(tree, at, _rise(values, missing, length, before[at], at, after[at]))
    for step in range(order.size):
        at = 1
        while at < tree.size // 2:
            at = 2 * at + (tree[2 * at + 1] < tree[2 * at])
        at -= tree.size // 2
        order[step], rises[step] = at, tree[at + tree.size // 2]
        first, last = before[at], after[at]
        _plant(tree, at, np.inf)
        if first >= 0:
            after[first] = last
            _plant(tree, first, _rise(values, missing, length, before[first], first, last))
        if last >= 0:
            before[last] = first
            _plant(tree, last, _rise(values, missing, length, first, last, after[last]))


@inlined
def _plant(tree: Array, at: int, rise: float) -> None:
    """Set the rise of a place, and what the tree knows of it."""
    node = at + tree.size // 2
    tree[node] = rise
    while node > 1:
        node //= 2
        tree[node] = min(tree[2 * node], tree[2 * node + 1])


@inlined
def _rise(values: Array, missing: np.ndarray, length: int, first: int, at: int, last: int) -> float:
    """Return by what the error rises without the sample at a place between two others, or none."""
    without = _error(values, missing, length, first, last, at)
    return (
        without
        - _error(values, missing, length, first, at, at)
        - _error(values, missing, length, at, last, at)
    )


@inlined
def _error(
    values: Array, missing: np.ndarray, length: int, first: int, last: int, at: int
) -> float:
    """Return the sum of absolute errors between two kept samples, of which -1 is none.

    Where there is one alone, it goes on to the end of its lead; without both, the lead is 0.

    Args:
        values: all samples.
        missing: where one is.
        length: of a lead.
        first: the kept sample before.
        last: the kept sample after.
        at: some place of the lead.
    """
    begin = first + 1 if first >= 0 else at // length * length
    end = last if last >= 0 else (at // length + 1) * length
    level, slope = 0.0, 0.0
    if first >= 0 and last >= 0:
        level, slope = values[first], (values[last] - values[first]) / (last - first)
    elif first >= 0:
        level = values[first]
    elif last >= 0:
        level = values[last]
    total = 0.0
    for place in range(begin, end):
        if not missing[place]:
            total += abs(values[place] - level - slope * (place - first))
    return total
