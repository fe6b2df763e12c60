"""Which samples are missing, as runs; and what stands in for them while the others are coded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sans.codec.entropy.numbers import code_whole
from sans.codec.entropy.range_coder import HALF, READING, Coder, code
from sans.compilation.decorators import compiled

Mask = NDArray[np.bool_]


@compiled
def code_mask(coder: Coder, mask: Mask) -> None:
    """Write which samples are missing, or read it into a mask of the same length."""
    some = 0
    for i in range(len(mask)):
        some |= mask[i]
    if not code(coder, some, HALF):
        return
    begin, now, writing = 0, False, coder.registers[READING] == 0
    while begin < len(mask):
        end = begin
        while writing and end < len(mask) and mask[end] == now:
            end += 1
        end = min(begin + code_whole(coder, end - begin), len(mask))
        if end == begin and (begin or now):  # no writer writes an empty run but the first
            end = len(mask)
        for i in range(begin, end):
            mask[i] = now
        begin, now = end, not now


@compiled
def fill(samples: NDArray[np.int64], mask: Mask) -> None:
    """Put the last sample that is there, or the first, where one is missing."""
    last = np.int64(0)
    for i in range(len(samples)):
        if not mask[i]:
            last = samples[i]
            break
    for i in range(len(samples)):
        if mask[i]:
            samples[i] = last
        else:
            last = samples[i]
