"""Learning what can be learned of shapes: weights of kernels, and patterns of leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sans.convolution.frames import Floats
from sans.dictionary_learning.learner import Described, Method, described
from sans.dictionary_learning.pieces import unit
from sans.dictionary_learning.updates import update
from sans.pursuit.dictionary import Dictionary
from sans.pursuit.encoder import Code
from sans.training.shapes import Shapes

TINY = 1e-300
"""Nothing is divided by less."""

SMALL = 1e-3
"""Errors below this share of their mean weigh no more."""

RIDGE = 1e-9
"""How strongly numbers of a pattern that no sample decides stay small."""


def describe(signals: Floats, shapes: Shapes, method: Method) -> Described:
    """Describe signals ``(signals, leads, *space)`` by all that spikes may draw."""
    drawn = shapes.dictionary
    return described(signals, shapes.kernels, drawn, shapes.config.weights, method)


def learn(signals: Floats, shapes: Shapes, found: Described) -> Shapes:
    """Return shapes that describe signals better by spikes at the same places.

    Args:
        signals: ``(signals, leads, *space)``; spikes are those of `found`.
        shapes: what they draw.
        found: how they describe the signals.
    """
    if not shapes.moving:
        return shapes
    each = 1 + len(shapes.config.stretches)
    dictionary, code = shapes.dictionary, found.code
    rest, code = _without_cosines(signals, code, dictionary)
    kernels = [kernel for i, kernel in enumerate(dictionary.kernels) if i % each == 0]
    moved = update(rest, code, kernels, shapes.config.stretches, shapes.learned)
    shapes = _projected(shapes, moved)
    return _with_patterns(rest, shapes, code)


def _without_cosines(signals: Floats, code: Code, dictionary: Dictionary) -> tuple[Floats, Code]:
    """Return what cosines leave of signals, and the other spikes."""
    if not dictionary.cosines:
        return signals, code
    last = code.kernel == dictionary.shapes - 1
    drawn = code.where(last).draw(dictionary)
    shape = (code.shape[0], dictionary.shapes - 1, *code.shape[2:])
    return signals - drawn, replace(code.where(~last), shape=shape)


def _projected(shapes: Shapes, moved: Sequence[Floats]) -> Shapes:
    """Return shapes with moved kernels ``(leads, *side)``, those of rank one by what is nearest."""
    kernels, patterns = list(shapes.kernels), list(shapes.patterns)
    for number, member in enumerate(shapes.config.layout.members):
        if not member.learned:
            continue
        kernel = moved[number]
        if shapes.config.leads == 1:
            kernels[number] = kernel[0]
        elif member.pattern is None:
            kernels[number] = kernel
        elif shapes.config.layout.patterns[member.pattern] is not None:
            fixed = patterns[member.pattern]
            kernels[number] = unit(np.tensordot(fixed, kernel, 1))
        else:
            patterns[member.pattern], kernels[number] = rank_one(kernel)
    return Shapes(shapes.config, tuple(kernels), tuple(patterns))


def rank_one(kernel: Floats) -> tuple[Floats, Floats]:
    """Return the pattern and the shape, of norm 1, whose product is nearest to a kernel.

    Args:
        kernel: ``(leads, *side)``.

    Returns:
        ``(leads,)``, its first of the largest entries positive, and ``(*side,)``.
    """
    left, _, right = np.linalg.svd(kernel.reshape(len(kernel), -1), full_matrices=False)
    pattern, shape = left[:, 0], right[0].reshape(kernel.shape[1:])
    return pattern * _sign(pattern), shape * _sign(pattern)


def _sign(pattern: Floats) -> float:
    """Return the sign of the first of the largest entries."""
    return 1.0 if pattern[np.abs(pattern).argmax()] > 0 else -1.0


def _with_patterns(signals: Floats, shapes: Shapes, code: Code) -> Shapes:
    """Return shapes with the patterns of leads that kernels of a formula share moved.

    What spikes draw is linear in a pattern: least squares, weighted as for kernels, in every lead.
    """
    free = _shared(shapes)
    if not free:
        return shapes
    drawn = _drawn_alone(shapes, code, free)
    left = signals - code.draw(shapes.dictionary)
    found = np.stack([shapes.patterns[place] for place in free])
    for lead in range(shapes.config.leads):
        target = left[:, lead] + np.tensordot(found[:, lead], drawn, 1)
        found[:, lead] = _solved(drawn, target, _importance(signals, left[:, lead]))
    patterns = list(shapes.patterns)
    for place, pattern in zip(free, found, strict=True):
        if pattern.any():  # without a spike it stays
            patterns[place] = unit(pattern) * _sign(pattern)
    return replace(shapes, patterns=tuple(patterns))


def _shared(shapes: Shapes) -> list[int]:
    """Return the places of the patterns that are learned, and are those of formulas."""
    layout = shapes.config.layout
    places = {m.pattern for m in layout.members if m.pattern is not None and not m.learned}
    return sorted(place for place in places if layout.patterns[place] is None)


def _drawn_alone(shapes: Shapes, code: Code, places: Sequence[int]) -> Floats:
    """Return what the spikes of each pattern draw, before the pattern makes leads of it.

    Args:
        shapes: what spikes may draw.
        code: the spikes.
        places: of the patterns.

    Returns:
        ``(patterns, signals, *space)``.
    """
    kernels, members = shapes.dictionary.kernels, shapes.config.layout.members
    own = np.array([-1 if member.pattern is None else member.pattern for member in members])
    own = np.repeat(own, len(kernels) // len(members))
    arrays = tuple(
        np.tensordot(shapes.patterns[place], kernel, 1)[None] if place >= 0 else kernel[:1]
        for place, kernel in zip(own, kernels, strict=True)
    )
    alone = Dictionary(arrays, 1, shapes.config.dimensions)
    which = own[code.kernel]
    return np.stack([code.where(which == place).draw(alone)[:, 0] for place in places])


def _importance(signals: Floats, left: Floats) -> Floats:
    """Return the weight of every sample of a lead: 1 over what is left, 0 of a missing one.

    Args:
        signals: ``(signals, leads, *space)``; each counts by its sum of absolute values.
        left: ``(signals, *space)``, of the lead.
    """
    sizes = np.nansum(np.abs(signals), tuple(range(1, signals.ndim)))
    sizes = np.maximum(sizes, TINY).reshape(-1, *[1] * (left.ndim - 1))
    error = np.abs(left)
    weights = 1 / (sizes * np.maximum(error, SMALL * np.nanmean(error) + TINY))
    return np.where(np.isnan(left), 0.0, weights)


def _solved(drawn: Floats, target: Floats, importance: Floats) -> Floats:
    """Return the numbers by which drawings add up to a target best, ``(drawings,)``."""
    columns = drawn.reshape(len(drawn), -1)
    weighted = columns * importance.ravel()
    matrix, met = weighted @ columns.T, weighted @ np.nan_to_num(target).ravel()
    matrix[np.diag_indices_from(matrix)] += RIDGE * max(matrix.trace(), TINY)
    return np.linalg.solve(matrix, met)
