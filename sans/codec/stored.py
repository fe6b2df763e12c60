"""Samples that nothing predicts, stored: no group of tracks takes more than its samples would.

A coder that learns what to expect pays for learning. Where there is nothing to learn, of white
noise, the samples go as they are; those of few kinds as the ranks of their kinds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.codec.raw_words import FEW, TRIAL, as_they_are, encode_patterns
from sans.codec.representations import Integral
from sans.codec.varints import pack_parts

Array = NDArray[Any]

WORTH = 64
"""Bytes more than the fewest: what is worse is tried as patterns, which takes a while."""


def pack_patterns(samples: Sequence[Array]) -> bytes:
    """Return the samples of a group in a chunk as patterns: an empty part says so."""
    words, width = _words_of(samples)
    return pack_parts([b"", encode_patterns(words, width)])


def unswollen(data: bytes, wholes: Sequence[Integral], samples: Sequence[Array]) -> bytes | None:
    """Return a group in a chunk stored, if that is smaller; those bytes lose nothing.

    Args:
        data: the group, coded.
        wholes: its samples as whole numbers, each ``(length,)``, neither of them 0.
        samples: as they are.
    """
    swollen = len(data) - _least_bits(wholes, samples) // 8
    if swollen <= 0:
        return None
    words, width = _words_of(samples)
    stored = pack_parts([b"", as_they_are(words, width)])
    if swollen > WORTH:
        stored = min(stored, pack_patterns(samples), key=len)
    return stored if len(stored) < len(data) else None


def _least_bits(wholes: Sequence[Integral], samples: Sequence[Array]) -> int:
    """Return how many bits samples take if every one of a track has as many, and as few as can be.

    What takes more may be noise.
    """
    bits = 0
    for whole, array in zip(wholes, samples, strict=True):
        spread = int(whole.numbers.max()) - int(whole.numbers.min())
        middle = max(len(array) - TRIAL, 0) // 2
        kinds = len(np.unique(whole.numbers[middle : middle + TRIAL]))
        each = min(spread.bit_length(), 8 * array.dtype.itemsize)
        if FEW * kinds <= TRIAL:
            each = min(each, (kinds - 1).bit_length())
        bits += each * len(array)
    return bits


def _words_of(samples: Sequence[Array]) -> tuple[NDArray[np.uint64], int]:
    """Return the bits of samples ``(tracks, length)``, and how many bits each has."""
    size = samples[0].dtype.itemsize
    words = np.stack([array.view(f"<u{size}").astype(np.uint64) for array in samples])
    return words, 8 * size
