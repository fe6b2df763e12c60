"""A binary range coder: a bit of probability p costs −log₂ p bits, to a few thousandths.

The arithmetic is that of [Martin], with carries put off as in LZMA: integers of 32 bits, one byte
at a time. A coder either writes or reads; `code` does what its coder is for, so that a model of
the bits is written once for both directions.

[Martin]: G. N. N. Martin, "Range encoding: an algorithm for removing redundancy from a digitised
message", Video & Data Recording Conference 1979.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import compiled, inlined

Bytes: TypeAlias = NDArray[np.uint8]
Integers: TypeAlias = NDArray[np.int64]

PROBABILITY_BITS = 16
"""Probabilities are in units of 2⁻¹⁶."""

HALF = 1 << (PROBABILITY_BITS - 1)

TOP = 1 << 24
"""Where the range falls below this, a byte is shifted out."""

WORD = (1 << 32) - 1

LOW, RANGE, CACHE, PENDING, PLACE, READING = range(6)
"""What the registers hold; a reader has its code in LOW."""


class Coder(NamedTuple):
    """Bytes, and where coding stands in them."""

    stream: Bytes
    """``(room,)``: where a writer writes and a reader reads."""

    registers: Integers
    """``(6,)``: see `LOW` and those after it."""


def writer(room: int) -> Coder:
    """Return a coder that writes at most `room` bytes; what is beyond is counted, not kept."""
    registers = np.zeros(6, np.int64)
    registers[RANGE] = WORD
    registers[CACHE] = -1
    return Coder(np.zeros(room, np.uint8), registers)


def reader(stream: Bytes) -> Coder:
    """Return a coder that reads `stream`; beyond its end lie zeros without end."""
    registers = np.zeros(6, np.int64)
    registers[RANGE] = WORD
    registers[READING] = 1
    registers[LOW] = int.from_bytes(stream[:4].tobytes().ljust(4, b"\0"), "big")
    registers[PLACE] = 4
    return Coder(stream, registers)


@inlined
def code_bit(stream: NDArray[np.uint8], registers: NDArray[np.int64], bit: int, one: int) -> int:
    """Write or read a bit as `code` does, without branching on it.

    The parts of a coder come one by one: numba counts references to those of a tuple.
    """
    span = registers[RANGE]
    low = registers[LOW]
    bound = (span >> PROBABILITY_BITS) * one
    if registers[READING]:
        bit = 1 if low < bound else 0
    low += (bound if registers[READING] == 0 else -bound) * (1 - bit)
    span = bound if bit else span - bound
    while span < TOP:
        span <<= 8
        if registers[READING]:
            place = registers[PLACE]
            registers[PLACE] = place + 1
            low = (low << 8) | (int(np.int64(stream[place])) if place < len(stream) else 0)
        else:
            if low < 0xFF000000 or low > WORD:
                carry = low >> 32
                place = registers[PLACE]
                if registers[CACHE] >= 0:
                    if place < len(stream):
                        stream[place] = (registers[CACHE] + carry) & 0xFF
                    place += 1
                for _ in range(registers[PENDING]):
                    if place < len(stream):
                        stream[place] = (0xFF + carry) & 0xFF
                    place += 1
                registers[PLACE] = place
                registers[PENDING] = 0
                registers[CACHE] = (low >> 24) & 0xFF
            else:
                registers[PENDING] += 1
            low = (low << 8) & WORD
    registers[LOW] = low
    registers[RANGE] = span
    return bit


@compiled
def code(coder: Coder, bit: int, one: int) -> int:
    """Write `bit`, or read and return one.

    Args:
        coder: a writer or a reader.
        bit: 0 or 1; a reader does not look at it.
        one: the probability that the bit is 1, from 1 to 2¹⁶ − 1.
    """
    return code_bit(coder.stream, coder.registers, bit, one)


@compiled
def code_plain(coder: Coder, value: int, bits: int) -> int:
    """Write the lowest `bits` bits of a value, or read as many; each costs one bit."""
    found = 0
    for place in range(bits - 1, -1, -1):
        found = (found << 1) | code(coder, (value >> place) & 1, HALF)
    return found


@compiled
def position(coder: Coder) -> float:
    """Return how many bits have been coded, but for a constant; for statistics only."""
    registers = coder.registers
    return float(8.0 * (registers[PLACE] + registers[PENDING]) - np.log2(registers[RANGE]))


@compiled
def finish(coder: Coder) -> int:
    """Write what a reader needs to the last bit, and return how many bytes were written in all.

    Zeros at the end are left out. A count above the room says that bytes were lost.
    """
    registers = coder.registers
    # Of the values in the range, one with as many zeros at its end as can be.
    low, last = registers[LOW], registers[LOW] + registers[RANGE] - 1
    for zeros in range(32, -1, -1):
        value = (last >> zeros) << zeros
        if value >= low:
            registers[LOW] = value
            break
    for _ in range(5):
        _shift(coder)
    written = registers[PLACE]
    while 0 < written <= len(coder.stream) and coder.stream[written - 1] == 0:
        written -= 1
    return int(written)


def read_from(data: bytes) -> Coder:
    """Return a coder that reads bytes."""
    return reader(np.frombuffer(bytearray(data), np.uint8))  # what can be written has one type


def bytes_of(coder: Coder) -> bytes:
    """Return all that a writer has written.

    Raises:
        ValueError: if it was more than its room.
    """
    written = finish(coder)
    if written > len(coder.stream):
        raise ValueError(f"{written} bytes do not fit into {len(coder.stream)}")
    return coder.stream[:written].tobytes()


@compiled
def _shift(coder: Coder) -> None:
    """Shift the topmost byte out of LOW; one that a carry may still change waits."""
    registers = coder.registers
    low = registers[LOW]
    if low < 0xFF000000 or low > WORD:
        carry = low >> 32
        if registers[CACHE] >= 0:
            _put(coder, registers[CACHE] + carry)
        for _ in range(registers[PENDING]):
            _put(coder, 0xFF + carry)
        registers[PENDING] = 0
        registers[CACHE] = (low >> 24) & 0xFF
    else:
        registers[PENDING] += 1
    registers[LOW] = (low << 8) & WORD


@compiled
def _put(coder: Coder, byte: int) -> None:
    place = coder.registers[PLACE]
    if place < len(coder.stream):
        coder.stream[place] = byte & 0xFF
    coder.registers[PLACE] = place + 1
