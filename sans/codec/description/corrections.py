"""What keeps every sample within a bound: whole multiples of the bound's width, here and there.

A transform makes most errors small, not all. Where a sample would be off by more than is allowed,
a correction brings it back: the error to the nearest multiple of twice the bound plus one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sans.codec.entropy.mixing import Mixer, mixer
from sans.codec.entropy.numbers import EACH, code_number, code_whole, digits_of
from sans.codec.entropy.range_coder import Coder
from sans.compilation.decorators import compiled

Integers = NDArray[np.int64]

CLASSES = 16
"""Contexts of a gap, and of a size."""


@compiled
def corrections_of(wanted: Integers, found: Integers, width: int) -> Integers:
    """Return by how many widths samples must be corrected, ``(length,)``, mostly by none.

    Args:
        wanted: the samples.
        found: what a reader has of them.
        width: an odd number: twice the bound, and one.
    """
    corrections = np.zeros(len(wanted), np.int64)
    for i in range(len(wanted)):
        error = wanted[i] - found[i]
        size = (abs(error) + width // 2) // width
        corrections[i] = size if error > 0 else -size
    return corrections


def code_corrections(coder: Coder, corrections: Integers) -> None:
    """Write corrections ``(length,)``, or read them into an array of zeros."""
    count = min(code_whole(coder, int(np.count_nonzero(corrections))), len(corrections))
    gaps, sizes = mixer(3 * CLASSES * EACH, 1, 3), mixer(3 * CLASSES * EACH, 1, 3)
    _code_each(coder, gaps, sizes, count, corrections)


@compiled
def _code_each(coder: Coder, gaps: Mixer, sizes: Mixer, count: int, corrections: Integers) -> None:
    length = len(corrections)
    place, last, before, size = -1, 0, 0, 0
    for _ in range(count):
        after = place + 1
        while after < length and corrections[after] == 0:
            after += 1
        contexts = (
            min(digits_of(last), CLASSES - 1),
            CLASSES + min(digits_of(before), CLASSES - 1),
            2 * CLASSES + min(digits_of(last + before), CLASSES - 1),
        )
        gap = abs(code_number(coder, gaps, contexts, after - place - 1))
        place = min(place + 1 + gap, length - 1)
        contexts = (
            min(max(size + CLASSES // 2, 0), CLASSES - 1),
            CLASSES + min(digits_of(gap), CLASSES - 1),
            int(np.int64(2 * CLASSES)),
        )
        size = code_number(coder, sizes, contexts, int(corrections[place]))
        corrections[place] = size
        before, last = last, gap


@compiled
def correct(samples: Integers, corrections: Integers, width: int) -> None:
    """Add corrections to samples, in place."""
    for i in range(len(samples)):
        samples[i] += corrections[i] * width
