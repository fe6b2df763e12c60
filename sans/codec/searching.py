"""Whole chunk sections among bytes of which some are damaged."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from sans.codec.container import CHECKSUM, CHUNK, FRAME, LARGEST, SECTION

PATIENCE = 64
"""How many times its bytes are looked at, at most, in a search for what is whole."""

EACH = 1 << 10
"""What a look at what could be a section counts, in bytes, beside those of a checksum."""

_LEAST, _MOST = 1 << 12, 1 << 20
_TOP = LARGEST >> 24  # the highest byte of a size that may be


class SectionSpan(NamedTuple):
    """Where a section lies, from its kind to its checksum."""

    begin: int
    end: int


def find_chunks(
    data: memoryview, begin: int, seed: int, likely: Callable[[memoryview], bool]
) -> Iterator[SectionSpan]:
    """Yield the whole chunk sections from a place on.

    Checksums are taken where a section could begin, of some multiple of the bytes in all: bytes
    made to look like the beginning of sections everywhere end the search.

    Args:
        data: the stream.
        begin: where to begin.
        seed: the checksum of the header section.
        likely: whether the content of a section looks like that of a chunk, after a short look.
    """
    patience = PATIENCE * (len(data) + (1 << 20))
    places = _candidates(data, begin)
    while (place := next(places, None)) is not None and patience > 0:
        end = place + FRAME + SECTION.unpack_from(data, place)[1]
        if end > len(data):
            continue
        patience -= EACH
        body = data[place : end - CHECKSUM.size]
        if not likely(body[SECTION.size :]):
            continue
        patience -= len(body)
        if zlib.crc32(body, seed) == CHECKSUM.unpack_from(data, end - CHECKSUM.size)[0]:
            yield SectionSpan(place, end)
            places = _candidates(data, end)


def _candidates(data: memoryview, begin: int) -> Iterator[int]:
    """Yield where a chunk section could begin: at first near a place, then in large steps."""
    room = _LEAST
    while begin + FRAME <= len(data):
        part = np.frombuffer(data[begin : begin + room + 4], np.uint8)
        yield from (begin + np.flatnonzero((part[:-4] == CHUNK[0]) & (part[4:] <= _TOP))).tolist()
        begin += room
        room = min(2 * room, _MOST)
