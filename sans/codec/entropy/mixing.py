"""Probabilities of bits, learned while coding: what several contexts say, mixed.

A context is a slot that remembers how often its bit was 1. The slots that apply to a bit are
mixed in the logistic domain, by weights that follow which of them are right ([Mahoney]). All
of it is integer arithmetic, so that a reader computes what the writer did, on every machine.

[Mahoney]: M. Mahoney, "Adaptive weighing of context models for lossless data compression",
Florida Institute of Technology, CS-2005-16.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.codec.entropy.range_coder import code_bit
from sans.compilation.decorators import compiled, inlined

LOGIT_ONE = 256
"""What a logit of 1 is as an integer."""

LOGIT_END = 12 * LOGIT_ONE - 1
"""The largest logit."""

COUNT_BITS = 10
"""A slot is a probability of 22 bits above a count of 10."""

FRESH = 1 << 31
"""A slot that has seen nothing: probability 1/2, count 0."""

WEIGHT_ONE = 1 << 16
"""What a weight of 1 is as an integer."""


def _squash_table() -> NDArray[np.int64]:
    """Return 2¹⁶ / (1 + e⁻ˣ) for every logit from −`LOGIT_END` up, to the nearest integer.

    In decimal arithmetic, which rounds alike on every machine.
    """
    with localcontext(Context(prec=30)):
        step = (Decimal(1) / LOGIT_ONE).exp()
        power, table = (Decimal(-LOGIT_END) / LOGIT_ONE).exp(), []
        for _ in range(2 * LOGIT_END + 1):
            table.append(int(65536 * power / (1 + power) + Decimal("0.5")))
            power *= step
    return np.array(table)


SQUASH = _squash_table()
"""``(2 LOGIT_END + 1,)``: probabilities in 2⁻¹⁶, by logit + `LOGIT_END`."""

STRETCH = np.searchsorted(SQUASH, np.arange(8, 65536, 16)) - LOGIT_END
"""``(4096,)``: the logit of a probability, by its 12 highest bits; the inverse of `SQUASH`."""

RECIPROCALS = 65536 * 2 // (2 * np.arange(1 << COUNT_BITS) + 3)
"""``(1024,)``: 2¹⁶ / (count + 1.5), how far a slot moves towards its bit."""


LEARNED = 255
"""The largest count of a slot that any model here asks for."""

TRUST = (256 * (2 * np.arange(LEARNED + 1) + 2) // (2 * np.arange(LEARNED + 1) + 3)).astype(
    np.int16
)
"""``(LEARNED + 1,)``: 256 (count + 1) / (count + 1.5): how much a slot counts."""

LIMIT, RATE = 255, 10
"""What `code_mixed` learns by."""

CONSTANT = 256
"""The logit that is mixed with those of the slots, whatever they say."""

# Small types keep the tables in the nearest cache.
LOGITS = STRETCH.astype(np.int16)
CHANCES = np.clip(SQUASH, 1, 65535).astype(np.uint16)
STEPS = RECIPROCALS[: LEARNED + 1].astype(np.uint16)

# Unsigned, so that indices are known not to be below 0.
_SEEN_BITS = np.uint64(COUNT_BITS + 10)
_COUNT_SHIFT, _COUNT_MASK = np.uint64(COUNT_BITS), np.uint64((1 << COUNT_BITS) - 1)


class Mixer(NamedTuple):
    """The state of a model of bits: slots for its contexts, and weights to mix what they say."""

    slots: NDArray[np.uint32]
    """``(slots,)``: probability and count, see `COUNT_BITS`."""

    weights: NDArray[np.int32]
    """``(rows × (inputs + 1),)``: in units of 2⁻¹⁶; the last of a row is that of a constant."""

    chosen: NDArray[np.uint64]
    """``(inputs,)``: the slots that apply to the next bits."""

    logits: NDArray[np.int32]
    """``(inputs + 1,)``: what they say, filled in by `expect`."""


def mixer(slots: int, rows: int, inputs: int) -> Mixer:
    """Return a model that has seen nothing; at first, all inputs weigh the same."""
    weights = np.full(rows * (inputs + 1), WEIGHT_ONE * 8 // (7 * inputs), np.int32)
    weights[inputs :: inputs + 1] = 0
    return Mixer(
        np.full(slots, FRESH, np.uint32),
        weights,
        np.zeros(inputs, np.uint64),
        np.zeros(inputs + 1, np.int32),
    )


@inlined
def expect(
    slots: NDArray[np.uint32],
    weights: NDArray[np.int32],
    chosen: NDArray[np.uint64],
    logits: NDArray[np.int32],
    inputs: int,
    row: int,
    further: int,
) -> int:
    """Return the probability that the next bit is 1, in 2⁻¹⁶, from 1 to 2¹⁶ − 1.

    The arrays of a `Mixer` come one by one: numba counts references to those of a tuple.

    Args:
        slots: ``(slots,)``, of the `Mixer`, like the next three.
        weights: ``(rows * (inputs + 1),)``.
        chosen: ``(inputs,)``.
        logits: ``(inputs + 1,)``.
        inputs: how many slots apply; a number that the caller has written out.
        row: of the weights.
        further: is added to all chosen slots.
    """
    first, total = np.uint64(row * (inputs + 1)), 0
    for i in range(inputs):
        held = np.uint64(slots[chosen[i] + np.uint64(further)])
        # A slot that has seen little is trusted less.
        trust = at(TRUST, held & _COUNT_MASK)
        logits[i] = (at(LOGITS, held >> _SEEN_BITS) * trust) >> 8
    logits[inputs] = CONSTANT
    for i in range(inputs + 1):
        j = np.uint64(i)
        total += at(logits, j) * at(weights, first + j)
    return at(CHANCES, np.uint64(min(max(total >> 16, -LOGIT_END), LOGIT_END) + LOGIT_END))


@inlined
def learn(
    slots: NDArray[np.uint32],
    weights: NDArray[np.int32],
    chosen: NDArray[np.uint64],
    logits: NDArray[np.int32],
    inputs: int,
    row: int,
    further: int,
    one: int,
    bit: int,
    limit: int,
    rate: int,
) -> None:
    """Learn from a bit: move its slots and its weights.

    Slots move by 1/(count + 1.5) of the way, never less than at `limit`.

    Args:
        slots: ``(slots,)``, of the `Mixer`, like the next three.
        weights: ``(rows * (inputs + 1),)``.
        chosen: ``(inputs,)``.
        logits: ``(inputs + 1,)``.
        inputs: how many slots apply, as in `expect`.
        row: of the weights, as in `expect`.
        further: what is added to all chosen slots, as in `expect`.
        one: what `expect` returned.
        bit: 0 or 1.
        limit: the largest count of a slot: how long it remembers; at most `LEARNED`.
        rate: how fast weights learn.
    """
    first, error, target = np.uint64(row * (inputs + 1)), (bit << 16) - one, (bit << 22) - bit
    for i in range(inputs + 1):
        j = np.uint64(i)
        weights[first + j] += (at(logits, j) * error * rate + (1 << 17)) >> 18
    for i in range(inputs):
        slot = chosen[i] + np.uint64(further)
        slots[slot] = moved(np.uint64(slots[slot]), target, limit)


@inlined
def moved(held: np.uint64, target: int, limit: int) -> int:
    """Return a slot moved towards a bit, by 1/(count + 1.5) of the way, never less than at `limit`.

    Args:
        held: the slot.
        target: 2²² − 1 for a bit of 1, 0 for one of 0.
        limit: the largest count; at most `LEARNED`.
    """
    count, chance = int(np.int64(held & _COUNT_MASK)), int(np.int64(held >> _COUNT_SHIFT))
    chance += ((target - chance) * at(STEPS, held & _COUNT_MASK)) >> 16
    return (chance << COUNT_BITS) | min(count + 1, limit)


@inlined
def bucket(key: int, table: int, bits: int) -> int:
    """Return the first of the sixteen slots of a context in its table of 2^bits."""
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0xD6E8FEB86659FD93)
    return (table << bits) + (int(np.int64(mixed >> np.uint64(68 - bits))) << 4)


@compiled
def at(array: NDArray[np.integer[Any]], i: int | np.uint64) -> int:
    """Return an entry of a one-dimensional array as an integer of 64 bits."""
    return int(np.int64(array[i]))


@compiled
def code_mixed(
    stream: NDArray[np.uint8],
    registers: NDArray[np.int64],
    slots: NDArray[np.uint32],
    weights: NDArray[np.int32],
    chosen: NDArray[np.uint64],
    logits: NDArray[np.int32],
    row: int,
    further: int,
    bit: int,
) -> int:
    """Code a bit by slots that have been chosen, and learn from it.

    Args:
        stream: a coder's.
        registers: a coder's.
        slots: ``(slots,)``, of the `Mixer`, like the next three.
        weights: ``(rows * (inputs + 1),)``.
        chosen: ``(inputs,)``.
        logits: ``(inputs + 1,)``.
        row: of the weights.
        further: is added to all chosen slots.
        bit: 0 or 1; a reader does not look at it.
    """
    inputs = len(chosen)
    one = expect(slots, weights, chosen, logits, inputs, row, further)
    bit = code_bit(stream, registers, bit, one)
    learn(slots, weights, chosen, logits, inputs, row, further, one, bit, LIMIT, RATE)
    return bit
