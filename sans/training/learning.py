"""Learning what can be learned of shapes: weights of kernels, and patterns of leads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sans.convolution.frames import Floats
from sans.dictionary_learning.learner import Described, Method, described
from sans.dictionary_learning.updates import update
from sans.pursuit.dictionary import Dictionary
from sans.pursuit.encoder import Code
from sans.training.shapes import Shapes

TINY = 1e-12
"""Below this share of all, what a pattern of leads draws is rounding."""


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


def _without_cosines(
    signals: Floats, code: Code, dictionary: Dictionary
) -> tuple[Floats, Code]:
    """Return what cosines leave of signals, and the other spikes."""
    if not dictionary.cosines:
        return signals, code
    last = code.kernel == dictionary.shapes - 1
    drawn = _some(code, last).draw(dictionary)
    kept = _some(code, ~last)
    return signals - drawn, replace(kept, shape=(code.shape[0], dictionary.shapes - 1, *code.shape[2:]))


def _some(code: Code, which: Floats) -> Code:
    parts = (code.signal[which], code.kernel[which], code.place[which], code.amplitude[which])
    return Code(*parts, code.shape)


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
            kernels[number] = _unit(np.tensordot(fixed, kernel, 1))
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
    sign = 1.0 if pattern[np.abs(pattern).argmax()] > 0 else -1.0
    return pattern * sign, shape * sign


def _unit(array: Floats) -> Floats:
    norm = np.sqrt((array**2).sum())
    return array / norm if norm > 0 else np.full(array.shape, array.size**-0.5)


def _with_patterns(signals: Floats, shapes: Shapes, code: Code) -> Shapes:
    """Return shapes with the patterns of leads that kernels of a formula share moved.

    What spikes draw is linear in a pattern: least squares, weighted as for kernels, in every lead.
    """
    layout, leads = shapes.config.layout, shapes.config.leads
    free = sorted(
        {
            member.pattern
            for member in layout.members
            if member.pattern is not None
            and not member.learned
            and layout.patterns[member.pattern] is None
        }
    )
    if not free:
        return shapes
    each = 1 + len(shapes.config.stretches)
    arrays = tuple(rank_one(kernel)[1][None] for kernel in shapes.dictionary.kernels)
    alone = Dictionary(arrays, 1, shapes.config.dimensions)
    which = np.array([member.pattern if member.pattern is not None else -1 for member in layout.members])
    which = np.repeat(which, each)[code.kernel]
    drawn = np.stack([_some(code, which == place).draw(alone)[:, 0] for place in free])
    own = np.stack([shapes.patterns[place] for place in free])
    left = signals - code.draw(shapes.dictionary)
    patterns = list(shapes.patterns)
    sizes = np.abs(np.nan_to_num(signals)).reshape(len(signals), -1).sum(1)
    shares = (1 / np.maximum(sizes, TINY)).reshape(-1, *[1] * (signals.ndim - 2))
    found = own.copy()
    for lead in range(leads):
        target = left[:, lead] + np.tensordot(own[:, lead], drawn, 1)
        error = np.abs(left[:, lead])
        weights = shares / np.maximum(error, 1e-3 * np.nanmean(error) + TINY)
        weights = np.where(np.isnan(target), 0, weights)
        columns = drawn.reshape(len(free), -1)
        weighted = columns * weights.ravel()
        matrix, met = weighted @ columns.T, weighted @ np.nan_to_num(target).ravel()
        matrix[np.diag_indices_from(matrix)] += 1e-9 * max(matrix.trace(), TINY)
        found[:, lead] = np.linalg.solve(matrix, met)
    for place, pattern in zip(free, found, strict=True):
        sign = 1.0 if pattern[np.abs(pattern).argmax()] > 0 else -1.0
        patterns[place] = _unit(pattern) * sign
    return Shapes(shapes.config, shapes.kernels, tuple(patterns))
