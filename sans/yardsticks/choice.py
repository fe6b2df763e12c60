"""The basis of a kind that describes the validation part best.

Thousands of wavelets, levels and borders are looked at on a few signals, by the φ of some counts
of coefficients that the energy of the others suggests; the best are measured in full.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from sans.pursuit.stop import Stop
from sans.yardsticks.bases import Array, Basis, sizes
from sans.yardsticks.cosines import blocks_for, cosines
from sans.yardsticks.wavelets import BORDER, choices, different_names, near_orthonormal, wavelets

FEW = 4
"""Signals of the coarse look."""

MANY = 64
"""Signals on which the best of the coarse look are measured."""

FIRST = (BORDER, "symmetric")
"""Borders with which names are looked at first."""

NAMES = 20
"""Names of wavelets that are tried with all borders."""

BEST = 16
"""How many are measured in full."""

FRACTIONS = (0.75, 1.0, 1.5)
"""Counts that are tried, of the one that energies suggest."""


def best_cosines(signals: Array, objective: str = "phi") -> Basis:
    """Return the cosines of that block which has the lowest mean φ of signals, as `choose` does."""
    return choose(
        [cosines(block, True) for block in blocks_for(signals.shape[2:])], signals, objective
    )


def best_wavelet(signals: Array, objective: str = "phi") -> Basis:
    """Return the wavelet, level and border with the lowest mean φ of signals, as `choose` does.

    The names are those whose best level has the lowest φ with two borders.
    """
    space, few = signals.shape[2:], spread(signals, FEW)
    first: dict[str, float] = {}
    for name in different_names():
        bases = choices(space, [name], FIRST)
        if near_orthonormal(name):
            bases = (replace(basis, norms=None) for basis in bases)
        if looks := [_glance(basis, few, objective) for basis in bases]:
            first[name] = min(looks)
    if not first:  # too short for any to be halved
        return replace(wavelets(), chosen=True)
    names = sorted(first, key=lambda name: first[name])[:NAMES]
    return choose(choices(space, names), signals, objective)


def choose(bases: Iterable[Basis], signals: Array, objective: str = "phi") -> Basis:
    """Return the basis with the lowest mean φ of signals; of equals, the first.

    Args:
        bases: to choose from.
        signals: ``(signals, leads, *space)``, none zero everywhere; NaN is a missing sample. Of
            more than `MANY`, so many are used, evenly spread.
        objective: "phi", or "addressed" for φₐ.
    """
    candidates = list(bases)
    if len(candidates) > BEST:
        few = spread(signals, FEW)
        looks = np.array([_glance(basis, few, objective) for basis in candidates])
        kept = np.sort(np.argsort(looks, kind="stable")[:BEST])
        candidates = [candidates[i] for i in kept]
    many = spread(signals, MANY)
    means = [_mean(basis, many, objective) for basis in candidates]
    return candidates[int(np.argmin(means))]


def spread(signals: Array, most: int) -> Array:
    """Return `signals`, or `most` of them, evenly spread."""
    if len(signals) <= most:
        return signals
    places = np.linspace(0, len(signals) - 1, most).round().astype(int)
    return np.asarray(signals[places])


def _mean(basis: Basis, signals: Array, objective: str) -> float:
    name, parts = Stop(objective).figure, basis.approximate(signals, objective)
    return float(np.concatenate([part[name] for part in parts]).mean())


def _glance(basis: Basis, signals: Array, objective: str) -> float:
    """Return the lowest mean φ that few counts of coefficients have: never below the true one.

    The error of k coefficients is taken to be the root of the energy of the others, which makes a
    guess of the best k; some counts around it are drawn.
    """
    batch, leads, *space = signals.shape
    coefficients = basis.coefficients(signals)
    magnitudes = basis.drawn(coefficients, space)
    falling = np.sort(magnitudes, axis=1)[:, ::-1]
    places = math.prod(space)
    cost = Stop(objective).cost(len(space), coefficients.shape[1] / places, places)
    samples, size = sizes(signals)
    price = cost / samples[:, None]
    energy = np.cumsum(falling[:, ::-1] ** 2, axis=1)[:, ::-1]
    share = np.sqrt(energy / energy[:, :1])
    guess = np.hypot(price * np.arange(share.shape[1]), share).argmin(1)
    counts = np.clip(np.round(np.outer(FRACTIONS, guess)).astype(int), 1, share.shape[1])
    least = np.take_along_axis(falling, counts.T - 1, axis=1).T[..., None]  # (fractions, batch)
    kept = np.where(magnitudes >= least, coefficients, 0)
    drawn = basis.synthesise(kept.reshape(len(FRACTIONS) * batch * leads, -1), space)
    error = np.abs(drawn.reshape(-1, *signals.shape) - signals)
    sums = np.nansum(error.reshape(len(FRACTIONS), batch, -1), axis=2)
    return float(np.hypot(price[:, 0] * counts, sums / size).min(0).mean())
