"""What a prediction leaves, coded by binary decisions whose probabilities are mixed.

An integer is first put above or below the prediction, then found by steps outward, in bins that
widen with the distance, then within its bin. Each decision mixes, in the logistic domain, what
a distribution around the prediction says ([Meyer]'s idea for images) with what slots learned in
the contexts of the sample. All is integer arithmetic, so that a reader computes what the writer
did, on every machine.

[Meyer]: B. Meyer, P. Tischer, "TMW - a new method for lossless image compression", Picture Coding
Symposium 1997.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sans.codec.entropy.mixing import COUNT_BITS, FRESH, LOGIT_END, RECIPROCALS, SQUASH, STRETCH
from sans.codec.entropy.range_coder import code_bit
from sans.codec.prediction.distributions import ODDS, REACH, SCORES, TAILS
from sans.compilation.decorators import compiled, inlined

TABLES = 6
"""How many contexts are mixed."""

INPUTS = 1 + TABLES

TABLE_SIZE = 1 << 14

KINDS = 32
"""Kinds of decision: 0 above or below; even and odd numbers for the two sides: 2 to 25 steps
outward, 26 to 31 within a bin."""

SINGLE = 8
"""So many bins outward are of the same width; those further out widen."""

BINS = 80

WIDEST = 62
"""No bin is wider than two to this; only forged streams get there."""

LIMIT = 400
"""Slots are means over so many bits."""
RATE_KIND, RATE_SET = 6, 3
"""How fast the two rows of weights learn."""
SETS = 64
"""Sets of weights by the sample."""

LAST_ODDS = len(ODDS) - 1


@compiled
def fresh_slots() -> NDArray[np.int64]:
    """Return ``(TABLES × TABLE_SIZE,)`` slots that have seen nothing."""
    return np.full(TABLES * TABLE_SIZE, FRESH, np.int64)


@compiled
def fresh_weights() -> NDArray[np.int64]:
    """Return ``(KINDS + SETS, INPUTS)`` weights: the distribution counts most at first."""
    weights = np.zeros((KINDS + SETS, INPUTS), np.int64)
    for kind in range(KINDS):
        for i in range(INPUTS):
            weights[kind, i] = 42000 if i == 0 else 4000
    return weights


@compiled
def room_for_inputs() -> NDArray[np.int64]:
    """Return ``(INPUTS + TABLES,)``: where a decision keeps its logits and its slots."""
    return np.zeros(INPUTS + TABLES, np.int64)


@inlined
def _place(distance: int, inverse: int) -> int:
    """Return a distance in units of scale / `FINE`, from −`REACH` to `REACH` − 1."""
    near = min(max(distance, -(1 << 28)), 1 << 28)
    return min(max((near * inverse) >> 22, -REACH), REACH - 1)


@inlined
def code_residual(
    stream: NDArray[np.uint8],
    registers: NDArray[np.int64],
    slots: NDArray[np.int64],
    weights: NDArray[np.int64],
    work: NDArray[np.int64],
    contexts: NDArray[np.int64],
    which: int,
    step: int,
    shift: int,
    widen: int,
    centre: int,
    inverse: int,
    value: int,
) -> int:
    """Code an integer: 0 and 1 lie around the prediction.

    Args:
        stream: a coder's.
        registers: a coder's.
        slots: ``(TABLES × TABLE_SIZE,)``.
        weights: ``(KINDS + sets, INPUTS)``: by the kind of decision and by the sample, in 2⁻¹⁶.
        work: ``(INPUTS + TABLES,)``: room for logits and chosen slots.
        contexts: ``(TABLES,)``: of the sample, each below `TABLE_SIZE` / 32.
        which: the sample's row of weights.
        step: the distance of neighbouring integers, in 1/256.
        shift: distances are looked up in units of 2^shift / 256.
        widen: the bins are 2^widen integers wide.
        centre: the prediction, above 0, in 1/256.
        inverse: `FINE` · 2²² / the mean distance that is expected from it, in units as of `shift`.
        value: the integer; a reader does not look at it.
    """
    half = step >> 1
    side, above, size, start, wide, index = 1, 0, 0, 0, widen, -1
    middle = 0
    log = 0
    kind = 0
    logit = 0
    while True:
        # what the distribution says
        if index < 0:
            place = _place((half - centre) >> shift, inverse)
            logit = (TAILS[REACH - 1 - place] - TAILS[REACH + place]) >> 2
            bit = 1 if value > 0 else 0
        elif index < BINS:
            if index >= SINGLE:
                wide = min(widen + ((index - SINGLE) >> 1), WIDEST)
            middle = start + (1 << wide)
            place = _place((middle * step + (half - centre) * side) >> shift, inverse)
            tail = TAILS[REACH + place]
            logit = ODDS[min(max(tail - log, 0), LAST_ODDS)]
            log = tail
            kind = ((1 + min(index, 11)) << 1) + above
            bit = 1 if size >= middle else 0
        else:
            wide -= 1
            middle = start + (1 << wide)
            place = _place((middle * step + (half - centre) * side) >> shift, inverse)
            width = _place((step << wide) >> shift, inverse)
            logit = -((SCORES[REACH + place] * width) >> 6)
            kind = ((13 + min(kind >> 3, 2)) << 1) + above
            bit = 1 if size >= middle else 0
        # what the slots say
        base = min(max(logit, -LOGIT_END), LOGIT_END)
        work[0] = base
        total = base * (weights[kind, 0] + weights[which, 0])
        fresh = min(SQUASH[base + LOGIT_END], 65535) << 16
        for i in range(TABLES):
            slot = i * TABLE_SIZE + ((contexts[i] << 5) | kind)
            work[INPUTS + i] = slot
            held = slots[slot]
            held = fresh if held == FRESH else held
            slots[slot] = held
            stretched = STRETCH[held >> (COUNT_BITS + 10)]
            work[1 + i] = stretched
            total += stretched * (weights[kind, 1 + i] + weights[which, 1 + i])
        mixed = min(max(total >> 16, -LOGIT_END), LOGIT_END)
        one = min(max(SQUASH[mixed + LOGIT_END], 1), 65535)
        bit = code_bit(stream, registers, bit, one)
        error = (bit << 16) - one
        for i in range(INPUTS):
            gain = work[i] * error
            weights[kind, i] += (gain * RATE_KIND + (1 << 17)) >> 18
            weights[which, i] += (gain * RATE_SET + (1 << 17)) >> 18
        target = (bit << 22) - bit
        for i in range(TABLES):
            slot = work[INPUTS + i]
            held = slots[slot]
            count = held & ((1 << COUNT_BITS) - 1)
            chance = held >> COUNT_BITS
            chance += ((target - chance) * RECIPROCALS[count + 1]) >> 16
            slots[slot] = (chance << COUNT_BITS) | min(count + 1, LIMIT)
        # where that leads
        if index < 0:
            above = bit
            side = 1 if bit else -1
            size = value - 1 if bit else -value
            index = 0
            log = TAILS[REACH + _place(((half - centre) * side) >> shift, inverse)]
        elif index < BINS:
            if bit:
                start = middle
                index += 1
                if index == BINS:
                    break
            elif wide == 0:
                break
            else:
                index = BINS
        else:
            start = middle if bit else start
            break
    while wide > 0:
        wide -= 1
        middle = start + (1 << wide)
        if code_bit(stream, registers, 1 if size >= middle else 0, 32768):
            start = middle
    return 1 + start if above else -start
